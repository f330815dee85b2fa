"""Option quotes with a time for each row: `ts_event` (nanoseconds UTC, or a time with a zone) or `ts` (New York wall time)."""

from collections.abc import Iterator

from streams.sources.option_rows import option_columns, option_rows, take_quotes
from streams.sources.source import Batch, Wanted, by_second
from streams.sources.table import DataFile
from streams.sources.time_slices import TIME_COLUMNS, time_slices


class TimedQuotes:
    """A file of intraday quotes, in any order; a feed of changes, so it declares no refresh."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._columns = option_columns(file)
        self._time = file.one_of(TIME_COLUMNS) or TIME_COLUMNS[0]

    def batches(self, wanted: Wanted) -> Iterator[Batch]:
        """Second by second."""
        for table, ts_event in time_slices(self._file, self._time, [name for name in self._columns if name]):
            quotes = option_rows(self._file, table, self._columns, ts_event, wanted, None)
            for boundary, rows in by_second(quotes.ts_event):
                yield Batch(boundary, take_quotes(quotes, rows))
