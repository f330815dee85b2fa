"""The clock of one source.

It says which second a row belongs to, which seconds are closed, and which rows come too late.
Second T is (T-1 s, T]. A source closes T when it has seen `ts_event` > T + lateness, a heartbeat at
or after T, or was marked idle. A row is *late* when its second was closed at the moment it arrived;
a row further ahead of its Kafka record than the tolerance is *future* and does not move the clock.
Every decision looks only at what came before it in the source, never at how the source was cut into
batches.
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.records import NS
from streams.uniform import in_order, is_uniform, uniform

_LIMIT = 2**62
"""Times are clamped to this distance from 1970, so that sums stay within int64.

These are the years 1823 to 2116.
"""


class SecondSpan(NamedTuple):
    """Rows that are all of one open second and close nothing, as nearly always."""

    second: int
    first: int
    """Least time."""
    last: int
    """Greatest time."""


class Admission(NamedTuple):
    """What the clock says about rows, in their order; arrays of length n."""

    second: NDArray[np.int64]
    """The second (Unix) each row belongs to."""
    late: NDArray[np.bool_]
    future: NDArray[np.bool_]
    closed: NDArray[np.int64]
    """The last closed second once the row was seen: where it rises, seconds close."""
    span: SecondSpan | None = None
    """None of rows that have none."""


class ClockState(msgspec.Struct, frozen=True):
    """What a checkpoint keeps of a clock."""

    closed: int
    seen: int


class SourceClock:
    """Follows one source through event time.

    >>> clock = SourceClock(lateness=0.25, future_tolerance=5.0)
    >>> ts = np.array([10_100, 11_250, 11_251, 11_000, 11_500]) * 1_000_000
    >>> clock.admit(ts, record_ts=ts).late.tolist()
    [False, False, False, True, False]
    >>> clock.closed, clock.idle()
    (11, 12)
    """

    def __init__(self, lateness: float, future_tolerance: float) -> None:
        self._lateness = round(lateness * NS)
        self._tolerance = round(future_tolerance * NS)
        self._closed = -1
        self._seen = -NS

    @property
    def closed(self) -> int:
        """The last closed second (Unix); -1 before any."""
        return self._closed

    @property
    def seen(self) -> int:
        """The greatest `ts_event` seen, in nanoseconds, future rows left out."""
        return self._seen

    def admit(self, ts_event: NDArray[np.int64], record_ts: NDArray[np.int64]) -> Admission:
        """Judge rows in the order of the source and close what they close.

        `closed` then holds for all of them.
        """
        undisturbed = self._undisturbed(ts_event, record_ts)
        if undisturbed is not None:
            return undisturbed
        ts = np.clip(ts_event, -_LIMIT, _LIMIT)
        future = ts > np.clip(record_ts, -_LIMIT, _LIMIT) + self._tolerance
        if not ts.size:
            return Admission(ts, future, future, ts)
        front = np.maximum.accumulate(np.where(future, -_LIMIT, ts))
        np.maximum(front, self._seen, out=front)
        closed = np.maximum(self._closes(front), self._closed)
        late = ~future & (ts <= closed * NS)
        self._seen = int(front[-1])
        self._closed = int(closed[-1])
        return Admission(-(-ts // NS), late, future, closed)

    def heartbeat(self, ts_event: int) -> int:
        """Nothing at or before this time will follow; the last closed second."""
        self._closed = max(self._closed, ts_event // NS)
        return self._closed

    def idle(self) -> int:
        """The source has gone silent: close every second a row has been seen for.

        Returns the last closed second.
        """
        self._closed = max(self._closed, -(-self._seen // NS))
        return self._closed

    def state(self) -> ClockState:
        """For a checkpoint."""
        return ClockState(self._closed, self._seen)

    def restore(self, state: ClockState | None) -> None:
        """Continue from a checkpoint; None is a fresh start."""
        self._closed, self._seen = (-1, -NS) if state is None else (state.closed, state.seen)

    def _undisturbed(self, ts: NDArray[np.int64], record_ts: NDArray[np.int64]) -> Admission | None:
        """The admission of rows that have a span; None for any others."""
        if not ts.size:
            return None
        low, high = (
            (ts[0], ts[-1]) if in_order(ts) else (np.minimum.reduce(ts), np.maximum.reduce(ts))
        )
        low, high = int(low), int(high)
        record = int(record_ts[0] if is_uniform(record_ts) else np.minimum.reduce(record_ts))
        second, seen = -(-high // NS), max(high, self._seen)
        open_rows = (
            second == -(-low // NS)
            and second > self._closed
            and (seen - self._lateness - 1) // NS <= self._closed
        )
        if not open_rows or max(-low, high, record) > _LIMIT or high > record + self._tolerance:
            return None
        self._seen = seen
        none = uniform(np.False_, ts.size)
        span = SecondSpan(second, low, high)
        return Admission(
            uniform(np.int64(second), ts.size),
            none,
            none,
            uniform(np.int64(self._closed), ts.size),
            span,
        )

    def _closes(self, front: NDArray[np.int64]) -> NDArray[np.int64]:
        """The greatest T with front > T + lateness."""
        return (front - self._lateness - 1) // NS
