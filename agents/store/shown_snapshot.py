"""The snapshot of an index as Redis shows it, judged like input: anybody may have written there."""

from math import isfinite
from typing import Any, NamedTuple

from redis import Redis
from redis.exceptions import NoPermissionError, ResponseError

from agents.store.keys import snapshot
from streams.detection.views.snapshot import Snapshot, decode_snapshot


class UnreadableError(ValueError):
    """What stands under the key is no snapshot of ours."""


class Shown(NamedTuple):
    """One index's latest picture."""

    snapshot: Snapshot
    published_at: float
    """Unix seconds."""


def shown_snapshot(redis: Redis, prefix: str, index: str) -> Shown | None:
    """What Redis shows of an index; None for nothing.

    Raises `UnreadableError`, and what redis-py raises when Redis is away.
    """
    key = snapshot(prefix, index)
    try:
        fields: Any = redis.hmget(key, "value", "published_at")
        return _read(*fields)
    except NoPermissionError:
        raise
    except (ValueError, RecursionError, OverflowError, ResponseError) as problem:
        raise UnreadableError(f"{key} in Redis is no snapshot of ours: {problem}") from problem


def _read(value: bytes | str | None, published: bytes | str | None) -> Shown | None:
    if not value or not published:
        return None
    shown, at = (
        decode_snapshot(value if isinstance(value, bytes) else value.encode()),
        float(published),
    )
    times = [reading.ts_event for reading in shown.readings.values()] + [
        alert.starts_at for alert in shown.alerts
    ]
    if not shown.readings or not isfinite(at) or any(time.tzinfo is None for time in times):
        raise UnreadableError("no readings, or a time that is none")
    return Shown(shown, at)
