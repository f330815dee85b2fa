"""Where the services' words go."""

import logging
import sys
import threading
import traceback

from config.redaction import scrubbed
from streams.safe_text import safe

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LONGEST = 8_000
"""Characters of a message; what follows is cut."""
MARGIN = "  | "
"""Before each line of a traceback: no line of it can be taken for a line of the log."""


class SafeLines(logging.Formatter):
    """One line a record, whatever stands in its message, and no secret in it.

    A traceback follows behind a margin.

    Secrets go first: what is cut or written out could no longer be told for one.
    """

    def __init__(self, form: str = FORMAT) -> None:
        super().__init__(form)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line of the record."""
        return safe(scrubbed(super().formatMessage(record)), LONGEST)

    def formatException(self, ei: object) -> str:  # noqa: N802 - logging's name
        """The traceback, line by line."""
        return _behind_margin(super().formatException(ei))  # type: ignore[arg-type]

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        """A stack that was asked for, line by line."""
        return _behind_margin(stack_info)


def log_to_stderr() -> None:
    """One line a record; the libraries speak only of trouble."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeLines())
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    for library in ("faust", "mode", "aiokafka", "kafka"):
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.INFO)


def _behind_margin(text: str) -> str:
    lines = scrubbed(text).split("\n")
    return "\n".join(MARGIN + safe(line, LONGEST) for line in lines)


def scrub_the_rest() -> None:
    """What no handler of ours prints.

    That is a library's warning where logging is not set up, and an error that ends a thread.
    """
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(SafeLines("%(message)s"))
    threading.excepthook = _thread_ended


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    text = "".join(traceback.format_exception(ended.exc_type, ended.exc_value, ended.exc_traceback))
    sys.stderr.write(_behind_margin(text.rstrip("\n")) + "\n")
