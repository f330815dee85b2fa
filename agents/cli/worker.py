"""`dispersion worker` and `dispersion exporter`: the two services. Their logs go to stderr."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from agents.cli.shared import Shared, shared_of
from agents.process.logs import LONGEST
from config.redaction import scrubbed
from streams.safe_text import safe

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


class _JsonLines(logging.Formatter):
    """A log record as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": safe(scrubbed(record.getMessage()), LONGEST),
        }
        if record.exc_info:
            traceback = scrubbed(self.formatException(record.exc_info))
            fields["traceback"] = safe(traceback, LONGEST, keep="\n")
        return json.dumps(fields)


def log_as(shared: Shared) -> None:
    """Logs as the flags want them; without flags the services' own lines."""
    if shared.json:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JsonLines())
        logging.basicConfig(handlers=[handler], level=logging.INFO)
    logging.getLogger("agents").setLevel(
        logging.DEBUG if shared.verbose else logging.WARNING if shared.quiet else logging.INFO
    )
