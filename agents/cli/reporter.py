"""`dispersion reporter`: the report of each session, made by itself. Its log goes to stderr."""

import typer

from agents.cli.service_logs import log_as
from agents.cli.shared import shared_of
from config.errors import ConfigError


def reporter(context: typer.Context) -> None:
    """Write and publish the report of every session that ends, until SIGTERM.

    An outage of Kafka or Redis is waited for.
    """
    from importlib.util import find_spec

    from agents.kafka.connectivity import require_servers
    from config.market import market_of

    shared = shared_of(context)
    settings = shared.settings()
    market_of(settings)
    lacking = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if lacking:
        raise ConfigError(
            f"the library {lacking[0]} is missing",
            key="report",
            fix="install dispersion-monitor[report]",
        )
    require_servers(settings.kafka, settings.redis)

    from agents.process.logs import log_to_stderr
    from agents.report.reporter import run_reporter

    log_as(shared)
    log_to_stderr()
    raise typer.Exit(run_reporter(settings))
