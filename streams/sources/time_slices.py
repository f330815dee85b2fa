"""A file of timed rows, one New York date at a time, whatever the order of its rows."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.calendar.sessions import session_days
from streams.sources.columns import FileColumn
from streams.sources.intervals import known_at
from streams.sources.table import DataFile

EXACT: Final = FileColumn(
    "ts_event", "found", "nanoseconds UTC, or a time with an offset", ("ts_recv",)
)
LABEL: Final = FileColumn(
    "ts",
    "text",
    "New York wall time, or a time with an offset",
    ("timestamp", "quote_datetime", "datetime"),
    "instead of `ts_event`",
)
TIME_COLUMNS: Final = (EXACT, LABEL)
AT_ONCE: Final = 200_000
"""Rows that are read at once where a date has fewer."""


def time_column(file: DataFile) -> str | None:
    """The column that says when; None where there is none."""
    return file.column(EXACT) or file.column(LABEL)


def time_slices(
    file: DataFile, time: str, columns: Sequence[str]
) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
    """Tables of one session date each, dates ascending, with the times of their rows.

    A row's time is when it was known, in nanoseconds UTC. A column like `ts` may hold beginnings of
    intervals (`streams.sources.intervals`); other times are taken as they are. Only the time column
    is ever held whole; short dates are read together, for each read goes through the file. Rows of
    dates without a session come first, for the feed to reject.
    """
    stamps = file.times(file.read([time]), time)
    if time == file.column(LABEL):
        stamps = known_at(stamps)
    days = session_days(stamps)
    for group in _groups(*np.unique(days, return_counts=True)):
        rows = np.flatnonzero(np.isin(days, group))
        table = file.take(columns, rows)
        for day in group:
            mine = days[rows] == day
            yield table.filter(pa.array(mine)), stamps[rows[mine]]


def _groups(days: NDArray[np.int32], counts: NDArray[np.int64]) -> Iterator[list[int]]:
    """Neighbouring dates of together at most `AT_ONCE` rows, or one of more."""
    group, size = list[int](), 0
    for day, count in zip(days.tolist(), counts.tolist(), strict=True):
        if group and size + count > AT_ONCE:
            yield group
            group, size = [], 0
        group.append(day)
        size += count
    if group:
        yield group
