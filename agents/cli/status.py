"""`dispersion status`: one screen that says how the monitor is. Exit codes 0 ok, 1 degraded, 3 down."""

from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.shared import print_line, shared_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from agents.health_report import Health

WATCH_SECONDS = 2.0


def status(
    context: typer.Context, watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False
) -> None:
    """Session, age, coverage and regime of each index, lag, active alerts and what is wrong."""
    import msgspec

    from agents.health_report import health

    shared = shared_of(context)
    settings = shared.settings()
    if watch:
        _watch(lambda: health(settings))
        return
    found = health(settings)
    if shared.json:
        print_line(msgspec.json.encode(found))
    else:
        from rich.console import Console

        Console(highlight=False, soft_wrap=True).print(screen(found))
    raise typer.Exit(1 if found.problems else 0)


def _watch(look: "Callable[[], Health]") -> None:
    from time import sleep

    from rich.live import Live

    try:
        with Live(screen(look()), auto_refresh=False) as live:
            while True:
                sleep(WATCH_SECONDS)
                live.update(screen(look()), refresh=True)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def screen(found: "Health") -> "RenderableType":
    """The health as one renderable."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from agents.board import SEVERITY_STYLE, percent

    indices = Table("index", "regime", "index vol", "basket vol", "dispersion", "correlation", "coverage", "age", "mode", box=None)
    for one in found.indices:
        shown = [percent(one.values[name]) for name in ("index_vol", "basket_vol", "dispersion", "implied_correlation", "coverage")]
        indices.add_row(one.index, one.regime, *shown, f"{one.age_seconds:.0f} s", one.mode.upper())
    lag = Table("topic", "waiting", box=None)
    for topic, waiting in found.lag.items():
        lag.add_row(topic, f"{waiting:,}")
    alerts = [
        Text(f"{a.severity:8} {a.rule} {a.scope} {a.status}: {a.summary}", style=SEVERITY_STYLE.get(a.severity, ""))
        for one in found.indices
        for a in one.alerts
    ]
    problems = [Text(f"! {text}", style="bold yellow") for text in found.problems]
    session = Text(f"session {'open' if found.session_open else 'closed'}", style="bold")
    return Group(session, indices, Text(), lag, Text(), *(alerts or [Text("no alert is active", style="dim")]), *problems)
