"""Rows of a price table as ticks: symbols normalised, unwanted ones left out."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.records import Ticks
from streams.sources.columns import FileColumn
from streams.sources.option_rows import leave_unwanted_out
from streams.sources.source import SourceUniverse
from streams.sources.table import DataFile
from streams.symbols import normalise

SYMBOL: Final = FileColumn("symbol", "text", "`SPY`, `VIX`", ("ticker",))
SIZE: Final = FileColumn("size", "number", "shares", needed="no")


def tick_rows(
    file: DataFile,
    table: pa.Table,
    symbol: str,
    price: Sequence[str],
    ts_event: NDArray[np.int64],
    universe: SourceUniverse,
) -> Ticks:
    """The wanted rows of a table with a symbol column, in the order of the file.

    Sizes are 0 when the file has none. The price is the mean of the columns named, so NaN where one
    of bid and ask is missing.
    """
    names, code = file.codes(table, symbol)
    spelled = tuple(normalise(name) for name in names)
    keep = np.flatnonzero(
        np.array([name in universe.symbols for name in spelled], dtype=np.bool_)[code]
    )
    leave_unwanted_out(file, int(ts_event[0]) if ts_event.size else 0, names, code, keep)
    sizes = file.column(SIZE)
    given = sizes is not None and sizes in table.column_names
    size = file.numbers(table, str(sizes)) if given else np.zeros(table.num_rows)
    prices = np.mean([file.numbers(table, name) for name in price], axis=0)
    return make_ticks(spelled, code[keep], prices[keep], size[keep], ts_event[keep])


def make_ticks(
    symbols: tuple[str, ...],
    symbol_code: NDArray[np.int32],
    price: NDArray[np.float64],
    size: NDArray[np.float64],
    ts_event: NDArray[np.int64],
    refresh_seconds: float | None = None,
) -> Ticks:
    """Ticks whose records are as old as themselves."""
    return Ticks(symbols, symbol_code, price, size, ts_event, ts_event, refresh_seconds)


def take_ticks(ticks: Ticks, rows: NDArray[np.int64]) -> Ticks:
    """Some rows of a batch; the vocabulary stays whole."""
    return ticks._replace(
        symbol_code=ticks.symbol_code[rows],
        price=ticks.price[rows],
        size=ticks.size[rows],
        ts_event=ticks.ts_event[rows],
        record_ts=ticks.record_ts[rows],
    )
