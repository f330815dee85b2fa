"""`dispersion topics create`: what is missing is made, nothing that exists is touched."""

import typer

from agents.cli.shared import print_line, shared_of

topics_app = typer.Typer(help="Topics.", no_args_is_help=True)


@topics_app.command("create", epilog="Example: DISPERSION_KAFKA__TOPIC_PREFIX=replay. dispersion topics create")
def create(context: typer.Context) -> None:
    """Create the topics that are missing; report how those which exist differ."""
    import msgspec

    from agents.topics_admin import create_topics

    shared = shared_of(context)
    report = create_topics(shared.settings())
    if shared.json:
        print_line(msgspec.json.encode(report))
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table("topic", "partitions", "state", box=None, pad_edge=False)
        for topic in report.topics:
            table.add_row(topic.name, str(topic.partitions), topic.status)
        Console(highlight=False, soft_wrap=True).print(table)
    for line in (*report.problems, *report.notes):
        shared.stderr.print(line)
    raise typer.Exit(1 if report.problems else 0)
