"""Option quotes with a time for each row.

It is `ts_event` (nanoseconds UTC, or a time with a zone) or `ts` (New York wall time). Quotes of
minutes or hours, such as a minute NBBO, count at the end of their interval. A minute without change
has no row, so they are a feed of changes like any other: an unchanged wing stays valid, the name is
as fresh as its newest row, and the empty side of a row is one without change.
"""

import heapq
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.records import Quotes, Vols, take_quotes
from streams.sources.declared_refresh import REFRESH, by_refresh
from streams.sources.option_columns import option_columns
from streams.sources.option_rows import option_rows
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.table import DataFile
from streams.sources.time_slices import EXACT, time_column, time_slices
from streams.stage import Role


class TimedQuotes:
    """A file of intraday quotes, in any order.

    It is a feed of changes and declares no refresh, unless a column does (a recorded feed).
    """

    role: Role = "quotes"

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._columns = option_columns(file)
        self._time = time_column(file) or EXACT.field

    @property
    def refusals(self) -> Refusals:
        """Rows of the file that were left out."""
        return self._file.refusals

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """Second by second."""
        refresh = self._file.column(REFRESH)
        names = [*self._columns.present, *([refresh] if refresh else [])]
        for table, ts_event in time_slices(self._file, self._time, names):
            parts = [
                self._seconds(*part, universe) for part in by_refresh(self._file, table, ts_event)
            ]
            yield from heapq.merge(*parts, key=lambda batch: batch.boundary)

    def _seconds(
        self,
        table: pa.Table,
        ts_event: NDArray[np.int64],
        refresh: float | None,
        universe: SourceUniverse,
    ) -> Iterator[Batch]:
        """Rows of one declared refresh. A snapshot has no side that stands from before."""
        quotes = option_rows(self._file, table, self._columns, ts_event, universe, refresh)
        quotes = _carried(quotes) if refresh is None else quotes
        for boundary, rows in by_second(quotes.ts_event):
            yield Batch(boundary, take_quotes(quotes, rows))


def _carried(quotes: Quotes | Vols) -> Quotes | Vols:
    """Empty sides filled: such a side has not changed since the contract's row before.

    Until its first quote nobody bids or offers (0).
    """
    if isinstance(quotes, Vols) or not (np.isnan(quotes.bid) | np.isnan(quotes.ask)).any():
        return quotes
    contract = (quotes.call, quotes.strike, quotes.expiry, quotes.series_code)
    order = np.lexsort((quotes.ts_event, *contract))
    starts = np.ones(order.size, np.bool_)
    starts[1:] = np.any([column[order][1:] != column[order][:-1] for column in contract], axis=0)
    return quotes._replace(
        bid=_filled(quotes.bid, order, starts), ask=_filled(quotes.ask, order, starts)
    )


def _filled(
    side: NDArray[np.float64], order: NDArray[np.intp], starts: NDArray[np.bool_]
) -> NDArray[np.float64]:
    ordered = side[order]
    last = np.maximum.accumulate(np.where(np.isfinite(ordered) | starts, np.arange(order.size), 0))
    filled = np.empty_like(side)
    filled[order] = np.nan_to_num(ordered[last], nan=0.0)
    return filled
