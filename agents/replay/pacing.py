"""Pacing a replay: event time at a chosen speed.

It is never further ahead of the slowest final watermark than the log can hold.
"""

import time
from collections.abc import Sequence

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from agents.store.keys import readings
from agents.store.retry import redis_failure
from streams.market import IndexSpec
from streams.records import NS


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
