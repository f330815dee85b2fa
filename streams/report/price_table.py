"""One price a session of every watched symbol, from files of closes, bars or ticks."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from streams.calendar.sessions import (
    OPTION_CLOSE_DELAY,
    date_of,
    day_number,
    hours,
    session_days,
)
from streams.readings.daily_returns import DailyTable
from streams.records import Ticks
from streams.report.watch_list import Watched

KEEP = 300
"""Sessions that a report looks at: a year and a little more."""


class PriceTable(NamedTuple):
    """The last price of each session, in equity hours."""

    sessions: tuple[date, ...]
    symbols: tuple[str, ...]
    closes: Floats
    """(sessions, symbols), NaN where a name had none."""
    opens: Floats
    """The first price of each session, alike; of a file of daily closes it is the close."""

    @classmethod
    def of(cls, ticks: Iterable[Ticks], symbols: Iterable[str], until: date) -> Self:
        """The table of the sessions up to `until`.

        A level that comes once a day, after the equity close, counts where there is no other.
        """
        names = tuple(sorted(symbols))
        rows = _Rows.of(ticks, names, until)
        days = np.unique(rows.day)
        closes = np.full((len(days), len(names)), np.nan)
        opens = closes.copy()
        at, name, price = np.searchsorted(days, rows.day), rows.name, rows.price
        # Of several values for one place NumPy keeps the last of contiguous arrays.
        closes[at, name] = price
        opens[at[::-1].copy(), name[::-1].copy()] = price[::-1].copy()
        return cls(tuple(date_of(day) for day in days.tolist()), names, closes, opens)

    def latest(self, keep: int = KEEP) -> Self:
        """The last sessions of it, at most so many."""
        return self._replace(
            sessions=self.sessions[-keep:], closes=self.closes[-keep:], opens=self.opens[-keep:]
        )

    def column(self, watched: Watched) -> int | None:
        """Where the prices of a name are: its own, or those of a stand-in; None without any."""
        for symbol in (watched.symbol, *watched.instead):
            if symbol in self.symbols:
                at = self.symbols.index(symbol)
                if np.isfinite(self.closes[-1:, at]).any():
                    return at
        return None

    def over(self, sessions: int) -> Floats:
        """Simple returns of all symbols over so many sessions up to the last: (symbols,)."""
        if not self.sessions:
            return np.full(len(self.symbols), np.nan)
        return DailyTable(self.closes[:-1], self.closes[-1]).over(sessions)

    def since_open(self) -> Floats:
        """Simple returns since the first price of the last session: (symbols,).

        NaN where that session has one price.
        """
        if not self.sessions:
            return np.full(len(self.symbols), np.nan)
        first, last = self.opens[-1], self.closes[-1]
        return np.where(first == last, np.nan, last / first - 1)


class _Rows(NamedTuple):
    """Prices in order of time, those of late levels first within their session."""

    day: NDArray[np.int32]
    name: NDArray[np.int64]
    price: Floats

    @classmethod
    def of(cls, ticks: Iterable[Ticks], names: Sequence[str], until: date) -> Self:
        position = {symbol: at for at, symbol in enumerate(names)}
        parts = [(_codes(one, position), one.price, one.ts_event) for one in ticks]
        if not parts:
            nothing = np.empty(0)
            return cls(nothing.astype(np.int32), nothing.astype(np.int64), nothing)
        name, price, ts = (np.concatenate(column) for column in zip(*parts, strict=True))
        day = session_days(ts)
        good = (name >= 0) & (day >= 0) & (price > 0) & np.isfinite(price)
        good &= day <= day_number(until)
        name, price, ts, day = name[good], price[good], ts[good], day[good]
        table = hours()
        row = np.searchsorted(table.day, day)
        close = table.equity_close[row]
        late = ts > close
        order = np.lexsort((ts, ~late, day))
        order = order[((ts >= table.open[row]) & (ts <= close + OPTION_CLOSE_DELAY))[order]]
        return cls(day[order], name[order], price[order])


def _codes(ticks: Ticks, position: dict[str, int]) -> NDArray[np.int64]:
    places = np.array([position.get(symbol, -1) for symbol in ticks.symbols], np.int64)
    return places[ticks.symbol_code]
