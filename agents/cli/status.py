"""`dispersion status`: one screen that says how the monitor is. Exit codes 0 ok, 1 degraded, 3 down."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, shared_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from agents.monitoring.health_report import Health, InputHealth

WATCH_SECONDS = 2.0


def status(
    context: typer.Context, watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False
) -> None:
    """Session, age, coverage and regime of each index, lag, active alerts and what is wrong. Exit code 1: something is."""
    from agents.reach import reach

    shared = shared_of(context)
    settings = shared.settings()
    reach(settings.kafka, settings.redis)

    from agents.monitoring.health_report import health  # pandas takes a while to import

    if watch:
        with suppress(KeyboardInterrupt), interruptible():
            _watch(shared, lambda: health(settings))
        return
    found = health(settings)
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
    """One screen on a terminal, one report after another elsewhere."""
    from time import sleep

    from rich.live import Live

    if shared.json or not shared.stdout.is_terminal:
        while True:
            _show(shared, look())
            sleep(WATCH_SECONDS)
    with Live(screen(look()), console=shared.stdout, auto_refresh=False) as live:
        while True:
            sleep(WATCH_SECONDS)
            live.update(screen(look()), refresh=True)


def screen(found: "Health") -> "RenderableType":
    """The health as one renderable."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from agents.lookup.board import SEVERITY_STYLE, foreign, percent

    indices = Table("index", "regime", "index vol", "basket vol", "dispersion", "correlation", "coverage", "age", "mode", box=None)
    for one in found.indices:
        shown = [percent(one.values[name]) for name in ("index_vol", "basket_vol", "dispersion", "implied_correlation", "coverage")]
        age, mode = f"{one.age_seconds:.0f} s", foreign(one.mode.upper())
        indices.add_row(foreign(one.index), foreign(one.regime), *shown, age, mode)
    lag = Table("topic", "waiting", box=None)
    for topic, waiting in found.lag.items():
        lag.add_row(topic, f"{waiting:,}")
    alerts = [
        foreign(f"{a.severity:8} {a.rule} {a.scope} {a.status}: {a.summary}", SEVERITY_STYLE.get(a.severity, ""))
        for one in found.indices
        for a in one.alerts
    ]
    inputs = [foreign(line, "dim") for one in found.inputs for line in input_lines(one)]
    problems = [foreign(f"! {text}", "bold yellow") for text in found.problems]
    session = Text(f"session {'open' if found.session_open else 'closed'}", style="bold")
    told = [*inputs, Text()] if inputs else []
    return Group(session, indices, Text(), lag, Text(), *told, *(alerts or [Text("no alert is active", style="dim")]), *problems)


def input_lines(found: "InputHealth") -> list[str]:
    """What became of an input's rows: one line, and one for the example of each reason."""
    line = f"{found.topic}: {found.accepted:,} of {found.rows:,} rows accepted in the last minute"
    reasons = ", ".join(f"{reason} {rows:,}" for reason, rows in found.left_out.items())
    likely = f"; likely: {found.likely}" if found.likely else ""
    examples = [f"  {one.reason}, for example {one.told}" for one in found.examples]
    return [f"{line}{f'; left out: {reasons}' if reasons else ''}{likely}", *examples]
