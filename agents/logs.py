"""Where the services' words go."""

import logging
import sys

from config.redaction import scrubbed

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Scrubbed(logging.Formatter):
    """A line a record, and its traceback, without secrets: a library may say what it was given."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole text of a record."""
        return scrubbed(super().format(record))


def log_to_stderr() -> None:
    """One line a record; the libraries speak only of trouble."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Scrubbed(LINE))
    logging.basicConfig(handlers=[handler], level=logging.INFO)
    for library in ("faust", "mode", "aiokafka", "kafka"):
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.INFO)
