"""Where the services' words go."""

import logging
import sys


def log_to_stderr() -> None:
    """One line a record; the libraries speak only of trouble. Faust prints broker URLs: ours carry no credentials."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for library in ("faust", "mode", "aiokafka", "kafka"):
        logging.getLogger(library).setLevel(logging.WARNING)
    logging.getLogger("aiokafka.consumer.group_coordinator").setLevel(logging.INFO)
