"""`dispersion top`: the monitor on one screen that goes on, with keys for its alerts."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.shared import shared_of
from agents.process.exits import ActionNeededError
from config.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.cli.top_app import TopApp
    from agents.monitoring.health_report import Health
    from agents.monitoring.prometheus_server import PrometheusServer
    from config.settings import Settings

WHERE = "--picture"


def top(
    context: typer.Context,
    prometheus: Annotated[
        str,
        typer.Option(metavar="URL", help="Ask this Prometheus for workers and service alerts too."),
    ] = "",
    who: Annotated[
        str, typer.Option(envvar="USER", metavar="NAME", help="Whose word commands to alerts are.")
    ] = "",
    picture: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Look twice, save the screen as an SVG picture, and end."
        ),
    ] = None,
) -> None:
    """Verdict, numbers with rank, distances, alerts and partitions, every two seconds.

    Keys: a acknowledges the chosen alert, s silences it, e explains its index, q ends. It needs
    textual, the extra `tui`.
    """
    from config.connections import check_connections

    shared = shared_of(context)
    settings = shared.settings()
    check_connections(settings)
    if picture is not None:
        from agents.kafka.connectivity import require_servers

        # Before textual, which takes a while to import.
        require_servers(settings.kafka, settings.redis)
        _draw(_app(settings, prometheus, who), picture)
        return
    made = _app(settings, prometheus, who)
    if not shared.stdout.is_terminal:
        raise ActionNeededError(
            "top needs a terminal; use `dispersion status --watch` without one, or --picture FILE"
        )
    made.run()
    if made.failure is not None:
        raise made.failure


def _app(settings: "Settings", prometheus: str, who: str) -> "TopApp":
    from agents.monitoring.prometheus_server import PrometheusServer

    server = PrometheusServer(prometheus) if prometheus else None
    try:
        from agents.cli.top_app import TopApp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        raise ConfigError(
            "textual is not installed",
            key="top",
            fix="install it with: pip install 'dispersion-monitor[tui]'",
        ) from None
    return TopApp(settings, look_of(settings, server), who)


def look_of(settings: "Settings", server: "PrometheusServer | None") -> "Callable[[], Health]":
    """One look at the monitor, which comes back in time or raises what `health` raises."""

    def look() -> "Health":
        from agents.kafka.connectivity import require_servers

        require_servers(settings.kafka, settings.redis)
        # Pandas takes a while to import.
        from agents.monitoring.health_report import health

        return health(settings, server)

    return look


def _draw(made: "TopApp", picture: Path) -> None:
    from asyncio import run

    from agents.cli.output_files import write_text

    write_text(picture, run(made.pictured()), WHERE)
