"""Partitions merged in event time.

So one that is read ahead of the others makes nobody's quotes late.

A source of the monitor has one clock, which the newest quote drives. Where several input partitions
feed one source, and one of them is worked off before another, as after an outage, what the other
holds would come for seconds that are closed by then.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.framing.framing import Options
from streams.records import NS, Heartbeat, take_quotes

_BEFORE_ALL = -(2**63)
_FOR_EVER = 2**63 - 1


@dataclass(slots=True)
class _Chunk:
    """Rows of one partition, or a heartbeat, or nothing but the end of a batch."""

    item: Options | Heartbeat | None
    times: NDArray[np.int64]
    """Of each row the greatest time so far: order within a partition is never touched."""
    offset: int | None = None
    """Next offset of the partition once all rows have been released."""
    at: int = 0
    """Rows that are released."""


class Alignment:
    """Holds what was read until nothing earlier can come from a partition that has more to read.

    Rows of different partitions may pass each other by `slack` seconds. A time further ahead of its
    record than `tolerance` says nothing, as to the monitor's own clock.
    """

    def __init__(self, partitions: Iterable[int], slack: float, tolerance: float) -> None:
        self._slack = round(slack * NS)
        self._tolerance = round(tolerance * NS)
        self._queues: dict[int, deque[_Chunk]] = {partition: deque() for partition in partitions}
        self._front = dict.fromkeys(self._queues, _BEFORE_ALL)
        self._rows = dict.fromkeys(self._queues, 0)
        self.offsets: dict[int, int] = {}
        """By partition the next offset; all before it has been released."""

    def waiting(self, partition: int) -> int:
        """Rows of a partition that are held."""
        return self._rows[partition]

    def add(self, partition: int, items: Sequence[Options | Heartbeat], offset: int) -> None:
        """Take in what was read of a partition up to an offset."""
        for item in items:
            self._append(
                partition,
                item,
                np.maximum(np.maximum.accumulate(self._times(item)), self._front[partition]),
            )
        self._append(partition, None, np.array([self._front[partition]]), offset)

    def release(self, behind: Collection[int]) -> Iterator[tuple[int, Options | Heartbeat]]:
        """What may go on, each with its partition, in the order of event time.

        `behind` are the partitions with more to read.
        """
        until = min((self._front[partition] for partition in behind), default=_FOR_EVER)
        while True:
            heads = sorted(
                (queue[0].times[queue[0].at], partition)
                for partition, queue in self._queues.items()
                if queue
            )
            if not heads or heads[0][0] > until:
                return
            (first, partition), following = heads[0], heads[1][0] if len(heads) > 1 else _FOR_EVER
            yield from self._taken(
                partition, min(until, max(int(first), int(following)) + self._slack)
            )

    def _times(self, item: Options | Heartbeat) -> NDArray[np.int64]:
        if isinstance(item, Heartbeat):
            return np.array([item.ts_event], np.int64)
        return np.where(
            item.ts_event > item.record_ts + self._tolerance, _BEFORE_ALL, item.ts_event
        )

    def _append(
        self,
        partition: int,
        item: Options | Heartbeat | None,
        times: NDArray[np.int64],
        offset: int | None = None,
    ) -> None:
        self._queues[partition].append(_Chunk(item, times, offset))
        self._front[partition] = int(times[-1])
        self._rows[partition] += times.size

    def _taken(self, partition: int, until: int) -> Iterator[tuple[int, Options | Heartbeat]]:
        """What a partition holds up to a time."""
        queue = self._queues[partition]
        while queue and queue[0].times[queue[0].at] <= until:
            chunk = queue[0]
            end = int(np.searchsorted(chunk.times, until, "right"))
            item, start, chunk.at = chunk.item, chunk.at, end
            self._rows[partition] -= end - start
            if end == chunk.times.size:
                queue.popleft()
                if chunk.offset is not None:
                    self.offsets[partition] = chunk.offset
            if isinstance(item, Heartbeat) or (
                item is not None and end - start == chunk.times.size
            ):
                yield partition, item
            elif item is not None:
                yield partition, take_quotes(item, np.arange(start, end))
