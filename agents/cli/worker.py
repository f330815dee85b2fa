"""`dispersion worker` and `dispersion exporter`: the two services."""

import typer

from agents.cli.shared import shared_of


def worker(context: typer.Context) -> None:
    """Take part in the consumer group until SIGTERM. Exit codes: 0 clean, 1 refused, 3 down, 70 ended without a commit."""
    from agents.worker import run_worker

    raise typer.Exit(run_worker(shared_of(context).settings()))


def exporter(context: typer.Context) -> None:
    """Serve the market gauges to Prometheus until SIGTERM."""
    from agents.exporter import run_exporter
    from agents.worker import log_to_stderr

    log_to_stderr()
    raise typer.Exit(run_exporter(shared_of(context).settings()))
