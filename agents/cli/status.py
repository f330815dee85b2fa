"""`dispersion status`: one screen that says how the monitor is.

Exit codes 0 ok, 1 degraded, 3 down.
"""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, shared_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from agents.monitoring.health_report import Health, IndexHealth, InputHealth
    from agents.monitoring.health_watch import Outage
    from agents.store.feed_place import FeedAccount

WATCH_SECONDS = 2.0


def status(
    context: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")
    ] = False,
    prometheus: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Ask this Prometheus for workers, service alerts and trends too."
        ),
    ] = "",
) -> None:
    """Session, age, coverage and regime of each index, lag, active alerts and what is wrong.

    Exit code 1: something is.
    """
    from agents.kafka.connectivity import require_servers
    from agents.monitoring.prometheus_server import PrometheusServer
    from config.connections import check_connections

    shared = shared_of(context)
    settings = shared.settings()
    server = PrometheusServer(prometheus) if prometheus else None

    def look() -> "Health":
        require_servers(settings.kafka, settings.redis)
        # Pandas takes a while to import.
        from agents.monitoring.health_report import health

        return health(settings, server)

    if watch:
        check_connections(settings)
        with suppress(KeyboardInterrupt), interruptible():
            _watch(shared, look)
        return
    found = look()
    _show(shared, found)
    raise typer.Exit(1 if found.problems else 0)


def _show(shared: Shared, found: "Health") -> None:
    import msgspec

    if shared.json:
        print_line(msgspec.json.encode(found))
        sys.stdout.flush()
    else:
        shared.stdout.print(screen(found))


def _watch(shared: Shared, look: "Callable[[], Health]") -> None:
    """One screen on a terminal, one report after another elsewhere.

    An outage is told like a report, with since when it lasts.
    """
    from time import sleep

    from rich.live import Live

    # Pandas takes a while to import.
    from agents.monitoring.health_watch import HealthWatch, Outage

    watch = HealthWatch(look)
    if shared.json or not shared.stdout.is_terminal:
        while True:
            _tell(shared, watch.look())
            sleep(WATCH_SECONDS)
    with Live(console=shared.stdout, auto_refresh=False) as live:
        while True:
            found = watch.look()
            live.update(
                _outage_screen(found) if isinstance(found, Outage) else screen(found), refresh=True
            )
            sleep(WATCH_SECONDS)


def _tell(shared: Shared, found: "Health | Outage") -> None:
    from agents.monitoring.health_watch import Outage

    if not isinstance(found, Outage):
        _show(shared, found)
    elif shared.json:
        import msgspec

        print_line(msgspec.json.encode({"error": found.error, "since": found.since}))
        sys.stdout.flush()
    else:
        shared.stdout.print(found.said, markup=False)


def _outage_screen(found: "Outage") -> "RenderableType":
    """What is wrong, above what was known last."""
    from rich.console import Group
    from rich.text import Text

    said = Text(found.said, style="bold red")
    return (
        said
        if found.last is None
        else Group(said, Text("what was known before:", style="dim"), screen(found.last))
    )


def screen(found: "Health") -> "RenderableType":
    """The health as one renderable."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from agents.lookup.board import SEVERITY_STYLE, foreign, percent
    from streams.catalogue.measures import COLUMNS

    indices = Table(
        "index",
        "regime",
        *(measure.column for measure in COLUMNS),
        "spread",
        "age",
        "event age",
        "mode",
        box=None,
    )
    for one in found.indices:
        shown = [percent(one.values[measure.field]) for measure in COLUMNS]
        shown.append(percent(one.values.get("vol_spread")))
        age, mode = f"{one.age_seconds:.0f} s", foreign(one.mode.upper())
        row = (*shown, age, _event_age(one))
        style = "" if one.fresh() else "dim"
        indices.add_row(foreign(one.index), foreign(one.regime), *row, mode, style=style)
    trend = found.service.trend if found.service else {}
    lag = Table("topic", "waiting", "", box=None)
    for topic, waiting in found.lag.items():
        lag.add_row(topic, f"{waiting:,}", trend.get(topic, "") if waiting else "")
    alerts = [
        foreign(
            f"{a.severity:8} {a.rule} {a.scope} {a.status}: {a.summary}",
            SEVERITY_STYLE.get(a.severity, ""),
        )
        for one in found.indices
        for a in one.alerts
    ]
    inputs = [foreign(line, "dim") for one in found.inputs for line in input_lines(one)]
    inputs += [foreign(line, "dim") for line in feed_lines(found.feed)]
    problems = [foreign(f"! {text}", "bold yellow") for text in found.problems]
    service = found.service
    workers = f", {service.workers} of {service.workers_known} workers answer" if service else ""
    opened = "open" if found.session_open else "closed"
    session = Text(f"session {opened}{workers}", style="bold")
    told = [*inputs, Text()] if inputs else []
    return Group(
        session,
        indices,
        Text(),
        lag,
        Text(),
        *told,
        *(alerts or [Text("no alert is active", style="dim")]),
        *problems,
    )


def _event_age(one: "IndexHealth") -> str:
    """Of a replay or a scenario event time is of another day, and its age says nothing."""
    told = one.event_age_seconds is not None and one.mode in {"live", "delayed"}
    return f"{one.event_age_seconds:.0f} s" if told else "-"


def feed_lines(feed: "FeedAccount | None") -> list[str]:
    """What a feed tells: its names in one line, and one for each reason of what it left out."""
    if feed is None:
        return []
    states = ", ".join(f"{count:,} {state}" for state, count in feed.names.items())
    line = f"feed {feed.who}: names {states}{'; left out since its start:' * bool(feed.left_out)}"
    return [line, *(_feed_reason(feed, reason) for reason in sorted(feed.left_out))]


def _feed_reason(feed: "FeedAccount", reason: str) -> str:
    example = feed.examples.get(reason, "")
    words = f", for example {example}" if example else ""
    return f"  {reason} {feed.left_out[reason]:,}{words}"


def input_lines(found: "InputHealth") -> list[str]:
    """What became of an input's rows: one line, and one for the example of each reason."""
    line = f"{found.topic}: {found.accepted:,} of {found.rows:,} rows accepted in the last minute"
    reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in found.left_out.items())
    likely = f"; likely: {found.likely}" if found.likely else ""
    examples = [f"  {one.reason}, for example {one.text}" for one in found.examples]
    return [f"{line}{f'; left out: {reasons}' if reasons else ''}{likely}", *examples]
