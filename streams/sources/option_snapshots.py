"""Option chains fetched several times a day: `snapshot_utc` says when, and each snapshot holds the whole chain.

What a later snapshot no longer lists must go, so the source declares how often it repeats itself: the longest time between
two snapshots of a session, or a day where there is one a session.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streams.records import NS, take_quotes
from streams.sessions import session_days
from streams.sources.option_closes import DAY_SECONDS
from streams.sources.option_rows import option_columns, option_rows
from streams.sources.source import Batch, Wanted, by_second
from streams.sources.table import DataFile
from streams.sources.time_slices import time_slices

SNAPSHOT_COLUMNS = ("snapshot_utc",)


class OptionSnapshots:
    """A file of chains, each row with the time of its snapshot."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._columns = option_columns(file)

    def batches(self, wanted: Wanted) -> Iterator[Batch]:
        """Snapshot by snapshot."""
        (time,) = SNAPSHOT_COLUMNS
        refresh = _refresh(self._file.times(self._file.read([time]), time))
        for table, ts_event in time_slices(self._file, time, [name for name in self._columns if name]):
            quotes = option_rows(self._file, table, self._columns, ts_event, wanted, refresh)
            for boundary, rows in by_second(quotes.ts_event):
                yield Batch(boundary, take_quotes(quotes, rows))


def _refresh(stamps: NDArray[np.int64]) -> float:
    """Seconds between snapshots."""
    distinct = np.unique(stamps)
    gaps = np.diff(distinct)[np.diff(session_days(distinct)) == 0]
    return float(gaps.max()) / NS if gaps.size else DAY_SECONDS
