"""The derived views in Redis: latest snapshot and readings by time.

They are written after the commit and free to lose.
"""

from collections.abc import Iterable, Mapping, Sequence
from time import time
from typing import Any

import msgspec
from redis.asyncio import Redis

from agents.store import keys
from agents.transport.assignment import Partition
from streams.calendar.sessions import close_ns, open_ns, session_of, shift_session
from streams.records import NS
from streams.refusals.acceptance import Account
from streams.stage import ReadingView

FULL_SESSIONS = 2
"""Sessions with every second; older ones keep one reading a minute."""
KEPT_SESSIONS = 60
MINUTE = 60


class Views:
    """Writes the views of one topic prefix."""

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis = redis
        self._prefix = prefix
        # Sorted set → session it was trimmed in.
        self._trimmed: dict[str, object] = {}

    async def write(self, snapshots: Mapping[str, bytes], views: Sequence[ReadingView]) -> None:
        """One pipeline for all; raises what redis-py raises.

        A picture drawn anew without a reading, as after a command, is no fresher than before.
        """
        read = {view.index for view in views}
        async with self._redis.pipeline(transaction=False) as pipeline:
            for index, value in snapshots.items():
                fields: dict[Any, Any] = {"value": value}
                if index in read:
                    fields["published_at"] = time()
                pipeline.hset(keys.snapshot(self._prefix, index), mapping=fields)
            for view in views:
                key = keys.readings(self._prefix, view.index, view.tenor)
                # A repeat replaces.
                pipeline.zremrangebyscore(key, view.second, view.second)
                pipeline.zadd(key, {view.value: view.second})
                for low, high in self._to_trim(key, view.second):
                    pipeline.zremrangebyscore(key, low, high)
            await pipeline.execute()

    async def input_outcomes(self, accounts: Mapping[Partition, Account]) -> None:
        """What became of the input of some partitions; raises what redis-py raises."""
        if not accounts:
            return
        async with self._redis.pipeline(transaction=False) as pipeline:
            for place, account in accounts.items():
                fields: dict[Any, Any] = {str(place.partition): msgspec.json.encode(account)}
                pipeline.hset(keys.input_outcomes(self._prefix, place.topic), mapping=fields)
            await pipeline.execute()

    def _to_trim(self, key: str, second: int) -> Iterable[tuple[str, str]]:
        """Score ranges that have grown too old, once a session."""
        session = session_of(second * NS)
        if session is None or self._trimmed.get(key) == session:
            return
        self._trimmed[key] = session
        yield "-inf", f"({open_ns(shift_session(session, -KEPT_SESSIONS)) // NS}"
        aged = shift_session(session, -FULL_SESSIONS)
        for minute in range(open_ns(aged) // NS // MINUTE, close_ns(aged) // NS // MINUTE + 1):
            yield f"({minute * MINUTE}", f"({(minute + 1) * MINUTE}"
