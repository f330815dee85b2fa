"""Exit codes of the worker and the one way to leave at once."""

import logging
import os
import sys
import threading
from typing import NoReturn

EXIT_OK = 0
"""Clean end: final checkpoint made, everything acknowledged."""
EXIT_ACTION_NEEDED = 1
"""The configuration or the state of Kafka or Redis needs a person.

The message names the next step.
"""
EXIT_UNAVAILABLE = 3
"""Kafka or Redis could not be reached."""
EXIT_INTERNAL = 70
"""A bug or a stall: nothing was committed, a restart repeats it."""

log = logging.getLogger(__name__)


class ActionNeededError(Exception):
    """The worker or the command must not go on like this.

    The text says what is wrong and what to do next.
    """


class UnavailableError(Exception):
    """Kafka or Redis cannot be reached."""


def exit_code_of(error: BaseException) -> int:
    """The exit code that an error calls for."""
    if isinstance(error, ActionNeededError):
        return EXIT_ACTION_NEEDED
    return EXIT_UNAVAILABLE if isinstance(error, UnavailableError) else EXIT_INTERNAL


def exit_now(code: int, reason: str, error: BaseException | None = None) -> NoReturn:
    """End the process without a commit, an acknowledgement or an exit handler.

    A supervisor restarts it.
    """
    log.critical("leaving with exit code %d: %s", code, reason, exc_info=error)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def exit_within(seconds: float, code: int, reason: str) -> None:
    """End the process after so many seconds, unless it has ended by itself before."""
    timer = threading.Timer(seconds, exit_now, (code, reason))
    timer.daemon = True
    timer.start()
