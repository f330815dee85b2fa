"""SIGTERM and Ctrl-C: both end a command in order."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from types import FrameType

from agents.cli.standard_streams import is_writing

INTERRUPTED = 130
"""Exit code of work that was stopped before its end."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_PAUSE = 0.02
"""Seconds until a signal that came during a write is sent again."""
_PAUSES = 10
"""Times that it is; a write that still goes on then is blocked, and is interrupted."""


@contextmanager
def interruptible(*, once: bool = False) -> Iterator[None]:
    """Both raise `KeyboardInterrupt` inside the block.

    With `once` the second and later ones are ignored, so that clean-up ends.
    """
    pauses = _PAUSES

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal pauses
        if pauses and is_writing(frame):
            pauses -= 1
            _send_again(number)
            return
        pauses = _PAUSES
        if once:
            for ignored in _SIGNALS:
                signal.signal(ignored, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _send_again(number: int) -> None:
    timer = Timer(_PAUSE, os.kill, (os.getpid(), number))
    timer.daemon = True
    timer.start()
