"""`dispersion takeover`: a person decides where partitions go on.

The log of these partitions is not the one they were applied from.
"""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agents.cli.shared import Shared, print_line, shared_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents.monitoring.refused_partitions import RefusedPartitionReport

From = Literal["checkpoint", "earliest", "latest"]


def takeover(
    context: typer.Context,
    start: Annotated[
        From | None, typer.Option("--from", help="Where to go on; without it, all three are told.")
    ] = None,
    topic: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Of this topic only; may be repeated.")
    ] = None,
    partition: Annotated[
        list[int] | None,
        typer.Option(metavar="N", min=0, help="This partition only; may be repeated."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it; without it, nothing is changed.")
    ] = False,
) -> None:
    """Show the partitions that workers refuse for good, and what each way on costs.

    With --from and --yes, take it.
    Exit code 1: something stands refused. Start workers again once nothing does.
    """
    import msgspec

    from agents.kafka.connectivity import require_servers
    from agents.monitoring.refused_partitions import take_over
    from config.errors import ConfigError

    if yes and start is None:
        raise ConfigError(
            "nothing is decided", key="--yes", fix="say where to go on, for example --from earliest"
        )
    shared = shared_of(context)
    settings = shared.settings()
    require_servers(settings.kafka, settings.redis)
    way = start if yes else None
    found = take_over(settings, topics=topic or (), partitions=partition or (), way=way)
    if shared.json:
        print_line(msgspec.json.encode(found))
    else:
        _show(shared, found, start)
    raise typer.Exit(int(any(one.outcome != "cleared" for one in found)))


def _show(shared: Shared, found: "Sequence[RefusedPartitionReport]", start: From | None) -> None:
    for one in found:
        for line in _lines(one, start):
            shared.stdout.print(line, markup=False)
    if not found:
        shared.stdout.print("nothing stands refused", markup=False)
    elif any(one.outcome == "standing" for one in found):
        way = start or "earliest"
        shared.stderr.print(
            f"nothing is changed yet: dispersion takeover --from {way} --yes takes that way",
            markup=False,
        )
    elif any(one.outcome == "moved" for one in found):
        shared.stderr.print("what stands refused has changed meanwhile: look again", markup=False)


def _lines(one: "RefusedPartitionReport", start: From | None) -> list[str]:
    place = f"{one.topic} partition {one.partition} ({one.stage})"
    if one.outcome == "cleared":
        return [f"{place}: cleared, goes on from {start}: {one.costs[start or 'checkpoint']}"]
    ways = [start] if start else list(one.costs)
    told = [
        f"cannot be taken: {one.barred[way]}" if way in one.barred else one.costs[way]
        for way in ways
    ]
    choices = [f"  --from {way}: {words}" for way, words in zip(ways, told, strict=True)]
    return [f"{place} stands refused since {one.since}: {one.reason}", *choices]
