"""Prices and index levels with a time for each row.

They are trades (`price`), bars (`close`), or quotes (`bid`, `ask`: their mid).

`ts_event` is exact; `ts`, a New York wall time, may name an interval by its beginning, as bars do:
then the row counts at its end.
"""

import heapq
from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.sources.columns import FileColumn, all_missing
from streams.sources.declared_refresh import REFRESH, by_refresh
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
TICK_COLUMNS: Final = (*TIME_COLUMNS, SYMBOL, PRICE, TICK_BID, TICK_ASK, SIZE, REFRESH)
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
        others = [name for name in (size, self._file.column(REFRESH)) if name]
        for table, ts_event in time_slices(self._file, self._time, [symbol, *self._price, *others]):
            parts = [
                self._seconds(symbol, *part, universe)
                for part in by_refresh(self._file, table, ts_event)
            ]
            yield from heapq.merge(*parts, key=lambda batch: batch.boundary)

    def _seconds(
        self,
        symbol: str,
        table: pa.Table,
        ts_event: NDArray[np.int64],
        refresh: float | None,
        universe: SourceUniverse,
    ) -> Iterator[Batch]:
        """Rows of one declared refresh."""
        ticks = tick_rows(self._file, table, symbol, self._price, ts_event, universe)
        ticks = ticks._replace(refresh_seconds=refresh)
        for boundary, rows in by_second(ticks.ts_event):
            yield Batch(boundary, take_ticks(ticks, rows))


def _prices(file: DataFile) -> tuple[str, ...]:
    """The columns whose mean is the price; none where there are none."""
    if price := file.column(PRICE):
        return (price,)
    bid, ask = file.column(TICK_BID), file.column(TICK_ASK)
    return (bid, ask) if bid and ask else ()
