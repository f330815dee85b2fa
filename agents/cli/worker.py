"""`dispersion worker` and `dispersion exporter`: the two services. Their logs go to stderr."""

from typing import Annotated, Literal

import typer

from agents.cli.service_logs import log_as
from agents.cli.shared import shared_of

From = Literal["checkpoint", "earliest", "latest"]


def worker(
    context: typer.Context,
    start: Annotated[
        From,
        typer.Option(
            "--from",
            help=(
                "Where to start when Redis knows nothing of a partition: "
                "refuse, or the log's start or end."
            ),
        ),
    ] = "checkpoint",
) -> None:
    """Take part in the consumer group until SIGTERM.

    Exit code 70: ended without a commit, by a bug, a stall or fencing; start it again, nothing is
    lost.
    """
    from agents.kafka.connectivity import require_servers
    from config.market import market_of
    from config.rules import load_rules

    shared = shared_of(context)
    settings = shared.settings()
    market_of(settings)
    load_rules(settings.rules.file, settings.rules.cap_unknown)
    require_servers(settings.kafka, settings.redis)

    # Faust takes seconds to import.
    from agents.worker.process import run_worker

    log_as(shared)
    raise typer.Exit(run_worker(settings, cold=start))


def exporter(context: typer.Context) -> None:
    """Serve the market gauges to Prometheus until SIGTERM."""
    from agents.kafka.connectivity import require_redis
    from config.market import market_of

    shared = shared_of(context)
    settings = shared.settings()
    market_of(settings)
    require_redis(settings.redis)

    from agents.monitoring.exporter import run_exporter
    from agents.process.logs import log_to_stderr

    log_as(shared)
    log_to_stderr()
    raise typer.Exit(run_exporter(settings))
