"""Option chains fetched several times a day: `snapshot_utc` says when.

Each snapshot holds the whole chain. What a later snapshot no longer lists must go, so the source
declares how often it repeats itself: the longest time between two snapshots of one name in a
session, or a day where there is one a session. Recorders that fetch name by name need a while for
a round: the time from one name to the next says nothing. A name that was away for long stands for
itself alone: the longest times of at least half the names are not longer than what is declared.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import session_days
from streams.records import NS, take_quotes
from streams.sources.columns import FileColumn
from streams.sources.option_closes import DAY_SECONDS
from streams.sources.option_columns import option_columns
from streams.sources.option_rows import option_rows
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.table import DataFile
from streams.sources.time_slices import time_slices
from streams.stage import Role

SNAPSHOT: Final = FileColumn("snapshot_utc", "text", "time of the snapshot, UTC")


class OptionSnapshots:
    """A file of chains, each row with the time of its snapshot."""

    role: Role = "quotes"

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._columns = option_columns(file)
        self._time = file.column(SNAPSHOT) or SNAPSHOT.field

    @property
    def refusals(self) -> Refusals:
        """Rows of the file that were left out."""
        return self._file.refusals

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """Snapshot by snapshot."""
        time, name = self._time, self._columns.identity
        fetched = self._file.read([time, name])
        refresh = refresh_seconds(
            self._file.times(fetched, time), self._file.codes(fetched, name)[1]
        )
        for table, ts_event in time_slices(self._file, time, self._columns.present):
            quotes = option_rows(self._file, table, self._columns, ts_event, universe, refresh)
            for boundary, rows in by_second(quotes.ts_event):
                yield Batch(boundary, take_quotes(quotes, rows))


def refresh_seconds(stamps: NDArray[np.int64], name: NDArray[np.int32]) -> float:
    """Seconds between the snapshots of a name, of n rows with times (ns) and codes of names.

    >>> seconds, names = np.array([0, 2, 60, 62, 120, 122]), np.array([0, 1] * 3, np.int32)
    >>> refresh_seconds(1_783_692_000 * NS + seconds * NS, names)
    60.0
    """
    order = np.lexsort((stamps, name))
    at, who = stamps[order], name[order]
    day = session_days(at)
    again = (np.diff(who) == 0) & (np.diff(day) == 0) & (np.diff(at) > 0)
    longest = np.zeros(int(name.max(initial=0)) + 1, np.int64)
    np.maximum.at(longest, who[1:][again], np.diff(at)[again])
    known = np.sort(longest[longest > 0])
    return float(known[known.size // 2]) / NS if known.size else DAY_SECONDS
