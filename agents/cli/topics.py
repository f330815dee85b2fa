"""`dispersion topics create`: what is missing is made, nothing that exists is touched."""

import typer

from agents.cli.shared import print_line, shared_of


def create(context: typer.Context) -> None:
    """Create the topics that are missing; report how those which exist differ.

    Exit code 1 if a worker could not run on them.
    """
    import msgspec

    from agents.kafka.connectivity import require_kafka
    from agents.topics.admin import create_topics

    shared = shared_of(context)
    settings = shared.settings()
    require_kafka(settings.kafka)
    report = create_topics(settings)
    if shared.json:
        print_line(msgspec.json.encode(report))
    else:
        from rich.table import Table

        table = Table("topic", "partitions", "state", box=None, pad_edge=False)
        for topic in report.topics:
            table.add_row(topic.name, str(topic.partitions), topic.status)
        shared.stdout.print(table)
    for line in (*report.problems, *report.notes):
        shared.stderr.print(line, markup=False)
    raise typer.Exit(1 if report.problems else 0)
