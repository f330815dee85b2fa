"""Prices and index levels with a time for each row.

They are trades (`price`), bars (`close`), or quotes (`bid`, `ask`: their mid).

`ts_event` is exact; `ts`, a New York wall time, may name an interval by its beginning, as bars do:
then the row counts at its end.
"""

from collections.abc import Iterator

from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.sources.tick_rows import take_ticks, tick_rows
from streams.sources.time_slices import TIME_COLUMNS, time_slices
from streams.stage import Role

TICK_COLUMNS = (
    "ts (New York wall time) or ts_event (nanoseconds UTC), symbol, "
    "price (or close, or bid and ask, whose mid is taken) and, if known, size"
)
_PRICES = (("price",), ("close",), ("bid", "ask"))


class TimedTicks:
    """A file of trades, bars or quotes of stocks and indices, in any order."""

    role: Role = "ticks"

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._time = file.one_of(TIME_COLUMNS) or TIME_COLUMNS[0]
        self._price = next((names for names in _PRICES if set(names) <= set(file.columns)), ())
        for name in (self._time, "symbol", *(() if self._price else _PRICES[0])):
            if name not in file.columns:
                raise SourceError(
                    file.path,
                    f"column {name} is missing; it has {', '.join(file.columns)}",
                    TICK_COLUMNS,
                )

    @property
    def refusals(self) -> Refusals:
        """Rows of the file that were left out."""
        return self._file.refusals

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """Second by second."""
        columns = [name for name in ("symbol", *self._price, "size") if name in self._file.columns]
        for table, ts_event in time_slices(self._file, self._time, columns):
            ticks = tick_rows(self._file, table, "symbol", self._price, ts_event, universe)
            for boundary, rows in by_second(ticks.ts_event):
                yield Batch(boundary, take_ticks(ticks, rows))
