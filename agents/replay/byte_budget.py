"""How many bytes of a replay may be on their way at once."""

import time
from collections import defaultdict, deque
from collections.abc import Callable

from agents.process.exits import ActionNeededError

POLL = 0.02
"""Seconds between looks while waiting."""

NO_PROGRESS_SECONDS = 60.0
"""Seconds without any progress of the readings after which a paced replay gives up."""


class NoProgressError(ActionNeededError):
    """The readings do not follow the replay."""


class ByteBudget:
    """Holds a publisher back while a partition has more unread bytes than its log should hold."""

    def __init__(self, watermark: Callable[[], int], limit: int) -> None:
        self._watermark = watermark
        self._limit = limit
        self._waiting: defaultdict[tuple[str, int], deque[tuple[int, int]]] = defaultdict(deque)
        self._bytes: defaultdict[tuple[str, int], int] = defaultdict(int)

    def spend(self, topic: str, partition: int, event_ns: int, size: int) -> None:
        """Account for a record; blocks first while its partition is full.

        Raises `NoProgressError`.
        """
        place = topic, partition
        if self._bytes[place] + size > self._limit and self._waiting[place]:
            self._wait(place, size)
        self._waiting[place].append((event_ns, size))
        self._bytes[place] += size

    def _wait(self, place: tuple[str, int], size: int) -> None:
        seen, since = -1, time.monotonic()
        while self._bytes[place] + size > self._limit and self._waiting[place]:
            done = self._watermark()
            while self._waiting[place] and self._waiting[place][0][0] <= done:
                self._bytes[place] -= self._waiting[place].popleft()[1]
            if done > seen:
                seen, since = done, time.monotonic()
            elif time.monotonic() - since > NO_PROGRESS_SECONDS:
                raise NoProgressError(
                    f"no reading for {NO_PROGRESS_SECONDS:.0f} s "
                    f"while {place[0]} partition {place[1]} is full: is a worker running?"
                )
            else:
                time.sleep(POLL)
