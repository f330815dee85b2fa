"""A circuit breaker that makes callers wait instead of fail.

*Closed*: calls go through. After `threshold` failures in a row it is *open*: nobody calls for
`cooldown` seconds. Then it is *half open*: one caller tries, the others wait for what it finds.
"""

from collections.abc import Callable
from enum import IntEnum
from time import monotonic

from agents.process.release_deadline import Deadline

POLL = 0.05
"""Seconds between looks of a waiting caller."""


class BreakerState(IntEnum):
    """State of the circuit, as the metric shows it."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Breaker:
    """One circuit, shared by all callers of one store."""

    def __init__(
        self, *, threshold: int = 3, cooldown: float = 0.5, clock: Callable[[], float] = monotonic
    ) -> None:
        self._threshold = threshold
        self._cooldown = cooldown
        self._clock = clock
        self._failures = 0
        self._opened = 0.0
        self.state = BreakerState.CLOSED

    async def ready(self, deadline: Deadline) -> None:
        """Return when the caller may try. Raises `DeadlineExceededError` at the deadline."""
        while self.state is not BreakerState.CLOSED:
            if self.state is BreakerState.OPEN and self._clock() - self._opened >= self._cooldown:
                self.state = BreakerState.HALF_OPEN
                return
            await deadline.sleep(POLL)

    def success(self) -> None:
        """A call went through."""
        self._failures, self.state = 0, BreakerState.CLOSED

    def failure(self) -> None:
        """A call failed in a way that waiting may heal."""
        self._failures += 1
        if self.state is BreakerState.HALF_OPEN or self._failures >= self._threshold:
            self.state, self._opened = BreakerState.OPEN, self._clock()
