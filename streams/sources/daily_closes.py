"""Daily closes: of index levels, or of many stocks.

Those of index levels are `date, close`, or `date` and one column named like the index. Those of
many stocks are `date, symbol, close`.

A level is one tick at the option close, 16:15 ET; a stock's close is one at the equity close, 16:00
ET (half days 13:15 and 13:00). A file of one level is named after it: `vix_daily.csv.gz` holds VIX.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import close_ns, date_of, equity_close_ns
from streams.sources.columns import FileColumn
from streams.sources.option_closes import DAY_SECONDS
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.sources.tick_rows import SYMBOL, make_ticks, take_ticks, tick_rows
from streams.stage import Role
from streams.symbols import normalise

DAY: Final = FileColumn("date", "date", "date of the session", ("observation_date",))
CLOSE: Final = FileColumn("close", "number", "index points or USD")
MANY: Final = SYMBOL._replace(holds="the stock, where the file has many", needed="no")
LEVEL: Final = FileColumn(
    "vix",
    "number",
    "index points: a column named like its index, in a file of one",
    needed="instead of `close`",
)
CLOSE_COLUMNS: Final = (DAY, CLOSE, MANY)
CLOSES_EXPECTED: Final = (
    "date and close (the file named after the index, such as vix_daily.csv), "
    "date and one column named after it, or date, symbol, close"
)
PUBLISHED_AS: Final = {"VIXCLS": "VIX"}
"""Names under which FRED publishes an index."""


class DailyCloses:
    """A file of one row a day, or a day and symbol."""

    role: Role = "ticks"

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._day = file.column(DAY) or DAY.field
        self._stock = file.column(MANY)
        others = [name for name in file.columns if name != self._day]
        alone = others[0] if len(others) == 1 else ""
        close = file.column(CLOSE)
        self._price = close or alone
        named = normalise(file.path.name.split(".")[0].split("_")[0] if close else alone)
        self._symbol = PUBLISHED_AS.get(named, named)
        if not self._price or not self._symbol:
            raise SourceError(
                file.path, f"no column of closes among {', '.join(file.columns)}", CLOSES_EXPECTED
            )

    @property
    def refusals(self) -> Refusals:
        """Rows of the file that were left out."""
        return self._file.refusals

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        """One second a day."""
        stock = self._stock
        if not stock and self._symbol not in universe.symbols:
            return
        days = self._file.all_days(self._file.read([self._day]), self._day)
        # A year at a time: many stocks over decades would not fit.
        for year in np.unique(_years(days)).tolist():
            rows = np.flatnonzero(_years(days) == year)
            stamps = _stamps(days[rows], at_equity_close=bool(stock))
            table = self._file.take([stock, self._price] if stock else [self._price], rows)
            if stock:
                ticks = tick_rows(
                    self._file, table, stock, (self._price,), stamps, universe
                )._replace(refresh_seconds=DAY_SECONDS)
            else:
                nothing = np.zeros(len(rows))
                prices = self._file.numbers(table, self._price)
                ticks = make_ticks(
                    (self._symbol,), nothing.astype(np.int32), prices, nothing, stamps, DAY_SECONDS
                )
            for boundary, chosen in by_second(ticks.ts_event):
                yield Batch(boundary, take_ticks(ticks, chosen))


def _years(days: NDArray[np.int32]) -> NDArray[np.int64]:
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)


def _stamps(days: NDArray[np.int32], *, at_equity_close: bool) -> NDArray[np.int64]:
    distinct, code = np.unique(days, return_inverse=True)
    close = equity_close_ns if at_equity_close else close_ns
    return np.array([close(date_of(day)) for day in distinct.tolist()], dtype=np.int64)[code]
