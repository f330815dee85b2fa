"""Exit codes of the worker and the one way to leave at once."""

import logging
import os
import sys
from typing import NoReturn

OK = 0
"""Clean end: final checkpoint made, everything acknowledged."""
REFUSED = 1
"""The configuration or the state of Kafka or Redis needs a person; the message names the next step."""
DOWN = 3
"""Kafka or Redis could not be reached."""
INTERNAL = 70
"""A bug or a stall: nothing was committed, a restart repeats it."""

log = logging.getLogger(__name__)


class Refusal(Exception):  # noqa: N818 - a decision of ours, not an error of the program
    """The worker must not run like this. The text says what is wrong and what to do next."""


class Down(Exception):  # noqa: N818
    """Kafka or Redis cannot be reached."""


def code_of(error: BaseException) -> int:
    """The exit code that an error calls for."""
    if isinstance(error, Refusal):
        return REFUSED
    return DOWN if isinstance(error, Down) else INTERNAL


def leave(code: int, reason: str, error: BaseException | None = None) -> NoReturn:
    """End the process without a commit, an acknowledgement or an exit handler; a supervisor restarts it."""
    log.critical("leaving with exit code %d: %s", code, reason, exc_info=error)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)
