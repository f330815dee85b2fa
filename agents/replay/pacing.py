"""Pacing a replay: event time at a chosen speed.

It is never further ahead of the slowest final watermark than the log can hold.
"""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from agents.process.exits import ActionNeededError
from agents.store.keys import readings
from agents.store.retry import redis_failure
from streams.market import IndexSpec
from streams.records import NS

POLL = 0.02
"""Seconds between looks while waiting."""
NO_PROGRESS_SECONDS = 60.0
"""Seconds without any progress of the readings after which a paced replay gives up."""


class NoProgressError(ActionNeededError):
    """The readings do not follow the replay."""


class FinalWatermark:
    """Event time, in nanoseconds, up to which every index has a reading.

    It is the end of the readings view.
    """

    def __init__(self, redis: Redis, prefix: str, indices: Sequence[IndexSpec]) -> None:
        self._redis = redis
        self._keys = [readings(prefix, one.symbol, f"{one.tenors[0]}d") for one in indices]

    def __call__(self) -> int:
        """The slowest index's latest second; 0 before the first reading or while Redis is away.

        Raises `ActionNeededError` where Redis denies the look.
        """
        try:
            latest = [self._redis.zrange(key, -1, -1, withscores=True) for key in self._keys]
        except NoPermissionError as error:
            raise redis_failure(error) from error
        except RedisError:
            return 0
        return min((int(one[0][1]) * NS if one else 0 for one in latest), default=0)


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


class ReplayClock:
    """Event time passing at `speed` times the wall clock; infinity never waits.

    Gaps between sessions are jumped over.
    """

    GAP_NS = 3600 * 1_000_000_000

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._event = 0
        self._wall = 0.0

    def keep(self, event_ns: int) -> None:
        """Wait until this event time is due."""
        if self._speed == float("inf"):
            return
        if event_ns - self._event > self.GAP_NS:
            self._wall = time.monotonic()
        else:
            self._wall += (event_ns - self._event) / 1e9 / self._speed
            time.sleep(max(0.0, self._wall - time.monotonic()))
        self._event = event_ns
