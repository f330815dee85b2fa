"""The deadline for work under way once partitions are to be released or the process ends."""

import asyncio
from collections.abc import Coroutine
from time import monotonic
from typing import Any, TypeVar

LOOK = 0.25
"""Seconds between looks at a deadline that may be set while something is waited for."""

T = TypeVar("T")


class DeadlineExceededError(Exception):
    """Time is up: partitions are being taken away, or the process ends.

    The work is dropped; its input comes again.
    """


class Deadline:
    """Unlimited while the worker works; a deadline as soon as it winds down."""

    def __init__(self) -> None:
        self._deadline: float | None = None

    @property
    def winding_down(self) -> bool:
        """New input must be left alone."""
        return self._deadline is not None

    def wind_down(self, seconds: float) -> None:
        """Finish what is under way within some seconds."""
        self._deadline = monotonic() + seconds

    def renew(self) -> None:
        """New partitions were assigned: the deadline is lifted."""
        self._deadline = None

    def left(self) -> float | None:
        """Seconds until the deadline, at least 0; None without one."""
        return None if self._deadline is None else max(0.0, self._deadline - monotonic())

    def check(self) -> None:
        """Raise `DeadlineExceededError` when the deadline is over."""
        if self.left() == 0.0:
            raise DeadlineExceededError

    async def sleep(self, seconds: float) -> None:
        """Sleep, but not past the deadline; raise `DeadlineExceededError` there."""
        self.check()
        left = self.left()
        await asyncio.sleep(seconds if left is None else min(seconds, left))
        self.check()

    async def within(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for work that hangs no longer than to the deadline.

        There it is cancelled and `DeadlineExceededError` raised.
        """
        task = asyncio.create_task(work)
        try:
            while not task.done():
                left = self.left()
                await asyncio.wait([task], timeout=LOOK if left is None else min(LOOK, left))
                if not task.done():
                    self.check()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                # A cancelled call closes its connection.
                await asyncio.wait([task])
