"""Prices and index levels with a time for each row.

They are trades (`price`), bars (`close`), or quotes (`bid`, `ask`: their mid).

`ts_event` is exact; `ts`, a New York wall time, may name an interval by its beginning, as bars do:
then the row counts at its end.
"""

from collections.abc import Iterator
from typing import Final

from streams.sources.columns import FileColumn, all_missing
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.sources.tick_rows import SIZE, SYMBOL, take_ticks, tick_rows
from streams.sources.time_slices import EXACT, TIME_COLUMNS, time_column, time_slices
from streams.stage import Role

PRICE: Final = FileColumn("price", "number", "USD or index points", ("close", "last_price"))
TICK_BID: Final = FileColumn(
    "bid", "number", "USD, together with `ask`", ("bid_price",), "instead of `price`"
)
TICK_ASK: Final = FileColumn(
    "ask", "number", "USD, together with `bid`", ("ask_price",), "instead of `price`"
)
TICK_COLUMNS: Final = (*TIME_COLUMNS, SYMBOL, PRICE, TICK_BID, TICK_ASK, SIZE)
TICKS_EXPECTED: Final = (
    "ts (New York wall time) or ts_event (nanoseconds UTC), symbol, "
    "price (or close, or bid and ask, whose mid is taken) and, if known, size"
)


class TimedTicks:
    """A file of trades, bars or quotes of stocks and indices, in any order."""

    role: Role = "ticks"

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._time = time_column(file) or EXACT.field
        self._price = _prices(file)
        self._symbol = file.column(SYMBOL)
        missing = [] if self._symbol else [SYMBOL.told]
        missing += [] if self._price else [PRICE.told]
        if missing:
            raise SourceError(file.path, all_missing(missing, file.columns), TICKS_EXPECTED)

    @property
    def refusals(self) -> Refusals:
        """Rows of the file that were left out."""
        return self._file.refusals

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """Second by second."""
        symbol = self._symbol or SYMBOL.field
        size = self._file.column(SIZE)
        columns = [symbol, *self._price, *([size] if size else [])]
        for table, ts_event in time_slices(self._file, self._time, columns):
            ticks = tick_rows(self._file, table, symbol, self._price, ts_event, universe)
            for boundary, rows in by_second(ticks.ts_event):
                yield Batch(boundary, take_ticks(ticks, rows))


def _prices(file: DataFile) -> tuple[str, ...]:
    """The columns whose mean is the price; none where there are none."""
    if price := file.column(PRICE):
        return (price,)
    bid, ask = file.column(TICK_BID), file.column(TICK_ASK)
    return (bid, ask) if bid and ask else ()
