"""A file of timed rows, one New York date at a time, whatever the order of its rows."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.sessions import session_days
from streams.sources.table import DataFile

TIME_COLUMNS = ("ts_event", "ts")


def time_slices(file: DataFile, time: str, columns: Sequence[str]) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Tables of one session date each, dates ascending, with the times of their rows in nanoseconds UTC.

    Only the time column is ever held whole. Rows of dates without a session come first, for the feed to reject.
    """
    stamps = file.times(file.read([time]), time)
    days = session_days(stamps)
    for day in np.unique(days).tolist():
        rows = np.flatnonzero(days == day)
        yield file.take(columns, rows), stamps[rows]
