"""End-of-day option chains with bid and ask, or with vols and deltas alone.

A file has one or several sessions. A session column (`session`, `quote_date`) dates the rows, or
the user says which session they are of. `quote_time_et` (such as `10:11`) gives them a time, and a
column `bid_1545` that of a quarter of an hour before the close of stocks. Without either they are
quotes of the option close, 16:15 ET (13:15 on half days): the time of the download says nothing
about them.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, time
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.calendar.sessions import close_ns, date_of, equity_close_ns, wall_ns
from streams.decoding.dates import day as day_of
from streams.decoding.decode_error import DecodeError
from streams.decoding.spellings import NO_DAY
from streams.records import NS, take_quotes
from streams.sources.columns import FileColumn
from streams.sources.option_columns import option_columns
from streams.sources.option_rows import option_rows
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.stage import Role

DAY_SECONDS = 86_400.0
SESSION: Final = FileColumn(
    "session",
    "date",
    "date of the session",
    ("quote_date", "date", "trade_date", "data_date", "quotedate"),
)
QUOTE_TIME: Final = FileColumn(
    "quote_time_et", "text", "New York time of the quotes: `16:15`", needed="no"
)
BEFORE_CLOSE: Final = "bid_1545"
_QUARTER_HOUR: Final = 900 * NS


class OptionCloses:
    """A file of closing chains; each session is one second, or one for each `quote_time_et`."""

    role: Role = "quotes"

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._columns = option_columns(file)
        self._said = _said_session(file)
        self._session = None if self._said is not None else file.column(SESSION)
        self._time = file.column(QUOTE_TIME)

    @property
    def refusals(self) -> Refusals:
        """Rows of the file that were left out."""
        return self._file.refusals

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """One session after the other."""
        for day, table in self._tables():
            quotes = option_rows(
                self._file, table, self._columns, self._stamps(table, day), universe, DAY_SECONDS
            )
            for boundary, rows in by_second(quotes.ts_event):
                yield Batch(boundary, take_quotes(quotes, rows))

    def _tables(self) -> Iterator[tuple[int, pa.Table]]:
        """The rows of each session."""
        columns = [*self._columns.present, *([self._time] if self._time else [])]
        if self._said is not None:
            yield self._said, self._file.read(columns)
        elif self._session is not None:
            for day, keys in self._sessions(self._session):
                yield day, self._file.read([*columns, self._session], self._session, keys)

    def _sessions(self, column: str) -> list[tuple[int, list[Any]]]:
        """Days in order, each with the values that stand for it in the file."""
        rows = self._file.read([column]).group_by(column)
        keys = rows.aggregate([([], "count_all")])
        found = self._file.days(keys, column).tolist()
        sessions: dict[int, list[Any]] = defaultdict(list)
        for at, (day, key) in enumerate(zip(found, keys[column].to_pylist(), strict=True)):
            if day == NO_DAY:
                why = self._file.why_no_day(keys, column, at)
                self._file.refusals.add("time", at, keys["count_all"][at].as_py(), why)
            else:
                sessions[day].append(key)
        return sorted(sessions.items())

    def _stamps(self, table: pa.Table, day: int) -> NDArray[np.int64]:
        session = date_of(day)
        if self._time is None:
            return np.full(table.num_rows, self._close(session), dtype=np.int64)
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

    def _close(self, session: date) -> int:
        if self._columns.first == BEFORE_CLOSE:
            return equity_close_ns(session) - _QUARTER_HOUR
        return close_ns(session)


def _said_session(file: DataFile) -> int | None:
    """The session that the user names. Raises `SourceError`."""
    said = file.value(SESSION)
    if said is None:
        return None
    try:
        return day_of(said)
    except DecodeError as error:
        raise SourceError(
            file.path, f"the session is {error}", "a date such as 2026-07-10"
        ) from None
