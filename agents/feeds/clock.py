"""The host's time: the wall clock, held by the one that nobody sets.

A wall clock that jumps would close seconds that have not been, or hold quotes back for an hour.
"""

import asyncio
from collections.abc import Callable
from time import monotonic_ns, time_ns
from typing import Final, Protocol

from streams.records import NS

JUMP_NS: Final = 5 * NS
"""By so much the wall clock may drift from the other one before it is doubted."""


class Clock(Protocol):
    """What tells the time; tests bring their own."""

    def wall(self) -> int:
        """Nanoseconds UTC, as somebody has set it."""

    def steady(self) -> int:
        """Nanoseconds that only ever grow, one a nanosecond."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's."""

    def wall(self) -> int:
        """`time.time_ns`."""
        return time_ns()

    def steady(self) -> int:
        """`time.monotonic_ns`."""
        return monotonic_ns()

    async def sleep(self, seconds: float) -> None:
        """`asyncio.sleep`."""
        await asyncio.sleep(seconds)


class SteadyTime:
    """Nanoseconds UTC that never go back and do not follow a jump of the wall clock.

    After a jump it goes on as before. The wall clock is taken up again once it is back, or once a
    server has the same time.
    """

    def __init__(self, clock: Clock, jumped: Callable[[float], None]) -> None:
        """`jumped` is told of each new jump, in seconds."""
        self._clock = clock
        self._jumped = jumped
        self._offset = clock.wall() - clock.steady()
        self._latest = clock.wall()
        self.doubted = False

    def now(self) -> int:
        """The time."""
        steady = self._clock.steady()
        apart = self._clock.wall() - steady - self._offset
        if abs(apart) <= JUMP_NS:
            self._offset += apart
            self.doubted = False
        elif not self.doubted:
            self.doubted = True
            self._jumped(apart / NS)
        self._latest = max(self._latest, steady + self._offset)
        return self._latest

    def confirm(self, server: int) -> None:
        """Somebody else says the time (ns): where it is the wall clock's, that was a correction."""
        if self.doubted and abs(server - self._clock.wall()) <= JUMP_NS:
            self._offset = self._clock.wall() - self._clock.steady()
            self.doubted = False
