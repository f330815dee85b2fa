"""`dispersion bridge`: market alerts to Alertmanager. Its log goes to stderr."""

from typing import Annotated

import typer

from agents.cli.service_logs import log_as
from agents.cli.shared import shared_of


def bridge(
    context: typer.Context,
    alertmanager: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Alertmanager; bridge.alertmanager_url otherwise."),
    ] = None,
    all_modes: Annotated[
        bool, typer.Option("--all-modes", help="Alerts of replays and scenarios too.")
    ] = False,
) -> None:
    """Keep an Alertmanager at the state of the alert topic until SIGTERM.

    An outage of either is waited for.
    """
    from agents.kafka.connectivity import require_kafka

    shared = shared_of(context)
    settings = shared.settings(
        {"bridge": {"alertmanager_url": alertmanager}} if alertmanager is not None else None
    )
    require_kafka(settings.kafka)

    # Kafka's client takes a second to import.
    from agents.bridge.follower import run_bridge
    from agents.process.logs import log_to_stderr

    log_as(shared)
    log_to_stderr()
    raise typer.Exit(run_bridge(settings, all_modes=all_modes))
