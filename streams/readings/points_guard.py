"""What a points frame may say, whoever wrote it: times that have come, and sources that exist."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from streams.points import PointsFrame
from streams.records import Record
from streams.refusals.claimed_time import refuse_ahead
from streams.refusals.dead_letters import RejectedRecordError
from streams.stage import Output

Partitions = Callable[[], Mapping[str, int]]
"""Partitions of the input topics by role, as far as they are known now."""
_SOURCE: Final = re.compile(r"(quotes|ticks):(\d{1,6})")


class MoreSourcesError(Exception):
    """A frame speaks of more sources than are known.

    Learn how many partitions there are, then go on with its record.
    """

    def __init__(self, done: Output, at: int) -> None:
        """`done` is the outcome of the records before the one at position `at`."""
        super().__init__(f"record {at} speaks of more sources than are known")
        self.done = done
        self.at = at


class PointsGuard:
    """Judges decoded frames of one market.

    Without known partitions any number of sources will do.
    """

    def __init__(self, tolerance: float, partitions: Partitions | None) -> None:
        """`tolerance` in seconds."""
        self._tolerance = tolerance
        self._partitions = partitions
        self._asked = -1

    def outgrown(self, record: Record, frame: PointsFrame) -> bool:
        """Whether a frame is of more sources than are known, once for a record.

        Topics may have gained partitions meanwhile.
        """
        if record.offset == self._asked or not self._beyond(frame):
            return False
        self._asked = record.offset
        return True

    def judge(self, record: Record, frame: PointsFrame) -> None:
        """Refuse a frame that no stage of ours has written.

        Raises `RejectedRecordError` (future, sources).
        """
        refuse_ahead(record, frame.boundary, self._tolerance)
        if _newest(frame) > frame.boundary:
            raise RejectedRecordError(
                "future", "it has values of a time after the second it closes"
            )
        if _SOURCE.fullmatch(frame.source) is None or self._beyond(frame):
            raise RejectedRecordError(
                "sources",
                f"source {frame.source!r} of {frame.sources}: "
                "the input topics have no such partitions",
            )

    def _beyond(self, frame: PointsFrame) -> bool:
        named = _SOURCE.fullmatch(frame.source)
        if named is None or self._partitions is None:
            return False
        known = self._partitions()
        return int(named[2]) >= known[named[1]] or frame.sources > sum(known.values())


def _newest(frame: PointsFrame) -> int:
    """The newest time that a value of a frame claims, ns."""
    times = [part.quote_ts for part in (frame.surfaces,) if part is not None]
    times += [part.ts_event for part in (frame.prices, frame.references) if part is not None]
    return max((int(np.max(each)) for each in times if each.size), default=0)
