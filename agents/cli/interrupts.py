"""SIGTERM and Ctrl-C: both end a command in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED = 130
"""Exit code of work that was stopped before its end."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(*, once: bool = False) -> Iterator[None]:
    """Both raise `KeyboardInterrupt` inside the block.

    With `once` the second and later ones are ignored, so that clean-up ends.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        if once:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
