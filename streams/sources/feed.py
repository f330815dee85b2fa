"""The feed: sources and a partition function become the input records of every partition.

The records come in event-time order.
The backtest hands these records to the stages, a replay publishes them to Kafka: both see the same
bytes in the same order. After the rows of a second comes one heartbeat to every partition of both
input topics, so no partition waits for another; at the end it is repeated. Rows outside their
session's hours are left out as `outside_session` and counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import close_ns, equity_close_ns, session_of, trading_hours
from streams.catalogue.outcomes import Outcome
from streams.framing.framing import (
    BEAT_HEADERS,
    FRAME_ROWS,
    beat_value,
    frame_headers,
    option_frame,
)
from streams.framing.tick_frames import tick_frame
from streams.left_out import LeftOut, left_out
from streams.records import InputRecord, Quotes, Ticks, Vols
from streams.sources.refusals import Refusals
from streams.sources.source import Source, SourceUniverse, in_time_order
from streams.stage import Count, Role
from streams.topics import Topics
from streams.valuation.row_examples import outside

_MS = 1_000_000
_MINUTE = 60_000 * _MS

Partitioner = Callable[[str, int], int]
"""Symbol and number of partitions to a partition."""


@dataclass(frozen=True, slots=True)
class Routing:
    """Where records go."""

    quotes_partitions: int
    ticks_partitions: int
    partition_of: Partitioner
    topics: Topics


def _session_end(end: int, last: int) -> int:
    """The second that is over with the last row, at `end` (ns), of files.

    Rows that reach the close of the stocks, 16:00 ET, are those of a whole session: what goes on
    to 16:15 is options of indices, which many files do not hold. So the session is closed, unless
    what is wanted ends before (`last`).
    """
    session = session_of(end)
    if session is None or end < equity_close_ns(session) - _MINUTE or last < close_ns(session):
        return end
    return max(end, close_ns(session))


class FileFeed:
    """Turns sources into records; `counts` and `examples` tell what was left out.

    The same sources always give the same records.
    """

    def __init__(
        self, sources: Sequence[Source], universe: SourceUniverse, routing: Routing
    ) -> None:
        self._sources = sources
        self._universe = universe
        self._routing = routing
        self._offsets: Counter[tuple[str, int]] = Counter()
        self._outside: Counter[Count] = Counter()
        self._outside_examples: dict[Count, LeftOut] = {}

    @property
    def counts(self) -> Counter[Count]:
        """Rows left out so far by kind of input and reason.

        They are left out by the adapters, and outside their session's hours.
        """
        counts = Counter(self._outside)
        for role, refusals in self._refusals():
            counts.update({(role, reason): rows for reason, rows in refusals.counts.items()})
        return counts

    @property
    def examples(self) -> dict[Count, LeftOut]:
        """One row for each of them."""
        found = dict(self._outside_examples)
        for role, refusals in self._refusals():
            found |= {(role, reason): one for reason, one in refusals.examples.items()}
        return found

    def _refusals(self) -> Iterator[tuple[Role, Refusals]]:
        return ((source.role, source.refusals) for source in self._sources)

    def records(self, first: int = 0, last: int = np.iinfo(np.int64).max) -> Iterator[InputRecord]:
        """Records of the seconds from `first` to `last` (nanoseconds).

        `timestamp` is their second, in milliseconds.
        """
        end: int | None = None
        for boundary, batches in in_time_order(self._sources, self._universe):
            if not first <= boundary <= last:
                continue
            sent = False
            for batch in batches:
                for record in self._frames(boundary, batch.rows):
                    sent = True
                    yield record
            if sent:
                end = boundary
                yield from self._heartbeats(boundary)
        if end is not None:
            yield from self._heartbeats(_session_end(end, last))

    def _frames(self, boundary: int, rows: Quotes | Vols | Ticks) -> Iterator[InputRecord]:
        role: Role = "ticks" if isinstance(rows, Ticks) else "quotes"
        inside = trading_hours(rows.ts_event)
        if not inside.all():
            self._leave_out(role, rows, ~inside)
        names = (
            list(rows.symbols)
            if isinstance(rows, Ticks)
            else [one.underlying for one in rows.series]
        )
        code = rows.symbol_code if isinstance(rows, Ticks) else rows.series_code
        partitions = (
            self._routing.ticks_partitions
            if isinstance(rows, Ticks)
            else self._routing.quotes_partitions
        )
        target = np.array(
            [self._routing.partition_of(name, partitions) for name in names], dtype=np.int64
        )[code]
        headers = frame_headers(rows.refresh_seconds)
        for partition in range(partitions):
            mine = np.flatnonzero((target == partition) & inside)
            for start in range(0, len(mine), FRAME_ROWS):
                value = _encode(rows, mine[start : start + FRAME_ROWS])
                yield self._record(role, partition, boundary, value, headers)

    def _leave_out(self, role: Role, rows: Quotes | Vols | Ticks, away: NDArray[np.bool_]) -> None:
        """Note rows outside their session's hours."""
        key = (role, Outcome.OUTSIDE_SESSION.label)
        self._outside[key] += int(np.count_nonzero(away))
        if key not in self._outside_examples:
            at = int(np.argmax(away))
            name = (
                rows.symbols[rows.symbol_code[at]]
                if isinstance(rows, Ticks)
                else rows.series[rows.series_code[at]].underlying
            )
            words = outside(int(rows.ts_event[at]))
            self._outside_examples[key] = left_out(key[1], words, name)

    def _heartbeats(self, boundary: int) -> Iterator[InputRecord]:
        value = beat_value(boundary)
        counts: tuple[tuple[Role, int], ...] = (
            ("quotes", self._routing.quotes_partitions),
            ("ticks", self._routing.ticks_partitions),
        )
        for role, partitions in counts:
            for partition in range(partitions):
                yield self._record(role, partition, boundary, value, BEAT_HEADERS)

    def _record(
        self,
        role: Role,
        partition: int,
        boundary: int,
        value: bytes,
        headers: tuple[tuple[str, bytes], ...],
    ) -> InputRecord:
        topic = self._routing.topics.name(role)
        offset = self._offsets[topic, partition]
        self._offsets[topic, partition] += 1
        return InputRecord(topic, partition, offset, boundary // _MS, None, value, headers)


def _encode(rows: Quotes | Vols | Ticks, chosen: NDArray[np.int64]) -> bytes:
    """A frame of some rows, its vocabulary only what they use."""
    if isinstance(rows, Ticks):
        return tick_frame(rows, chosen)
    return option_frame(rows, chosen)
