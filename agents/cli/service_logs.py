"""Logs of the services on stderr, as text or as JSON lines."""

import json
import logging
import sys
from datetime import UTC, datetime

from agents.cli.shared import Shared
from agents.process.logs import LONGEST
from config.redaction import scrubbed
from streams.safe_text import safe


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
