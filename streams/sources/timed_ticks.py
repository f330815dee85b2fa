"""Trades and index levels with a time for each row: `ts_event` or `ts`, `symbol`, `price` and, if known, `size`."""

from collections.abc import Iterator

from streams.sources.source import Batch, SourceError, Wanted, by_second
from streams.sources.table import DataFile
from streams.sources.tick_rows import take_ticks, tick_rows
from streams.sources.time_slices import TIME_COLUMNS, time_slices

TICK_COLUMNS = "ts (New York wall time) or ts_event (nanoseconds UTC), symbol, price and, if known, size"


class TimedTicks:
    """A file of trades, in any order."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._time = file.one_of(TIME_COLUMNS) or TIME_COLUMNS[0]
        for name in (self._time, "symbol", "price"):
            if name not in file.columns:
                raise SourceError(file.path, f"column {name} is missing; it has {', '.join(file.columns)}", TICK_COLUMNS)

    def batches(self, wanted: Wanted) -> Iterator[Batch]:
        """Second by second."""
        columns = [name for name in ("symbol", "price", "size") if name in self._file.columns]
        for table, ts_event in time_slices(self._file, self._time, columns):
            ticks = tick_rows(self._file, table, "symbol", "price", ts_event, wanted)
            for boundary, rows in by_second(ticks.ts_event):
                yield Batch(boundary, take_ticks(ticks, rows))
