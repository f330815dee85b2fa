"""End-of-day option chains with bid and ask, or with vols and deltas alone.

A file has one or several sessions. A session column (`session` or `quote_date`) dates the rows;
`quote_time_et` (such as `10:11`) gives them a time. Without it they are quotes of the option close,
16:15 ET (13:15 on half days): the time of the download says nothing about them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.calendar.sessions import close_ns, date_of, wall_ns
from streams.decoding.spellings import NO_DAY
from streams.records import take_quotes
from streams.sources.option_rows import option_columns, option_rows
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.stage import Role

DAY_SECONDS = 86_400.0
SESSION_COLUMNS = ("session", "quote_date")


class OptionCloses:
    """A file of closing chains; each session is one second, or one for each `quote_time_et`."""

    role: Role = "quotes"

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._columns = option_columns(file)
        self._session = file.one_of(SESSION_COLUMNS) or SESSION_COLUMNS[0]
        self._time = file.one_of(("quote_time_et",))

    @property
    def refusals(self) -> Refusals:
        """Rows of the file that were left out."""
        return self._file.refusals

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """One session after the other."""
        columns = [
            *(name for name in self._columns if name),
            self._session,
            *([self._time] if self._time else []),
        ]
        for day, keys in self._sessions():
            table = self._file.read(columns, self._session, keys)
            quotes = option_rows(
                self._file, table, self._columns, self._stamps(table, day), universe, DAY_SECONDS
            )
            for boundary, rows in by_second(quotes.ts_event):
                yield Batch(boundary, take_quotes(quotes, rows))

    def _sessions(self) -> list[tuple[int, list[Any]]]:
        """Days in order, each with the values that stand for it in the file."""
        rows = self._file.read([self._session]).group_by(self._session)
        keys = rows.aggregate([([], "count_all")])
        found = self._file.days(keys, self._session).tolist()
        sessions: dict[int, list[Any]] = defaultdict(list)
        for at, (day, key) in enumerate(zip(found, keys[self._session].to_pylist(), strict=True)):
            if day == NO_DAY:
                why = self._file.why_no_day(keys, self._session, at)
                self._file.refusals.add("time", at, keys["count_all"][at].as_py(), why)
            else:
                sessions[day].append(key)
        return sorted(sessions.items())

    def _stamps(self, table: pa.Table, day: int) -> NDArray[np.int64]:
        session = date_of(day)
        if self._time is None:
            return np.full(table.num_rows, close_ns(session), dtype=np.int64)
        words, code = self._file.codes(table, self._time)
        try:
            return np.array(
                [wall_ns(session, time.fromisoformat(word)) for word in words], dtype=np.int64
            )[code]
        except ValueError as error:
            raise SourceError(
                self._file.path,
                f"column {self._time} holds no times ({error})",
                "New York wall times such as 16:15",
            ) from None
