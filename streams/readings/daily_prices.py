"""One previous-tick price a session of every name and of the index, for rotation measures."""

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from streams.column_chunk import pack_columns, unpack_columns
from streams.points import PricePoints
from streams.readings.daily_returns import DailyTable
from streams.readings.grid_window import GAP_DAYS
from streams.readings.session_hours import SessionHours

KEEP = 64
"""Sessions kept before the current one.

They are a baseline of 60 daily returns, the close it starts from, and a few to spare.
"""

Prices = NDArray[np.float64]


class DailyPrices:
    """Last prices in equity hours by session. A session without any tick is not counted.

    An index may tick once a day, at the option close, as files of daily levels do. That counts when
    it had no earlier tick in the session. State: one chunk a session.
    """

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self._position = {symbol: at for at, symbol in enumerate(symbols)}
        self._days: dict[date, Prices] = {}
        self._hours: SessionHours | None = None
        self._unsaved: set[date] = set()
        self._gone: set[date] = set()
        self._prior: tuple[list[date], Prices] = ([], np.empty(0))

    @property
    def session(self) -> date | None:
        """The current session."""
        return self._hours.session if self._hours else None

    def begin(self, hours: SessionHours) -> None:
        """Ticks from here on belong to this session."""
        self._hours = hours

    def apply(self, prices: PricePoints) -> None:
        """Take prices; those outside the session's hours and of other names are passed over."""
        hours = self._hours
        if hours is None or not self.symbols:
            return
        at = np.fromiter(
            (self._position.get(symbol, -1) for symbol in prices.symbol),
            np.int64,
            len(prices.symbol),
        )
        during = (prices.ts_event > hours.open) & (prices.ts_event <= hours.equity_close)
        if self._late_index(hours):
            during |= (
                (at == len(self.symbols) - 1)
                & (prices.ts_event > hours.equity_close)
                & (prices.ts_event <= hours.close)
            )
        ok = (at >= 0) & during & (prices.price > 0) & np.isfinite(prices.price)
        if not ok.any():
            return
        if hours.session not in self._days:
            self._days[hours.session] = np.full(len(self.symbols), np.nan)
            self._drop_old(hours.session)
        self._days[hours.session][at[ok]] = prices.price[ok]
        self._unsaved.add(hours.session)

    def table(self) -> DailyTable:
        """What is known at this moment of the current session."""
        days = self._days_before()
        rows = [self._days[day] for day in days]
        closes = np.array(rows) if rows else np.empty((0, len(self.symbols)))
        return DailyTable(closes, self.today())

    def today(self) -> Prices:
        """The latest price of this session, NaN for a symbol that has none."""
        day = self._days.get(self.session) if self.session else None
        return np.full(len(self.symbols), np.nan) if day is None else day

    def prior(self) -> Prices:
        """The latest close before this session, NaN for a symbol that has none."""
        days = self._days_before()
        if days != self._prior[0] or len(self._prior[1]) != len(self.symbols):
            closes = np.full(len(self.symbols), np.nan)
            for day in days:
                closes = np.where(np.isfinite(self._days[day]), self._days[day], closes)
            self._prior = days, closes
        return self._prior[1]

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """Chunks since the last call; an empty value deletes one."""
        yield from ((f"closes/{day}", b"") for day in sorted(self._gone))
        for day in sorted(self._unsaved):
            yield (
                f"closes/{day}",
                pack_columns("closes", {"price": self._days[day]}, {"symbols": self.symbols}),
            )
        self._unsaved.clear()
        self._gone.clear()

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Take the chunks of a checkpoint.

        Names are matched by symbol. Raises `ValueError` on foreign bytes.
        """
        for name, value in chunks.items():
            if not name.startswith("closes/"):
                continue
            columns, meta = unpack_columns("closes", value, {"price": np.empty(0)})
            day, symbols = date.fromisoformat(name.removeprefix("closes/")), meta.get("symbols")
            if not isinstance(symbols, list) or len(symbols) != len(columns["price"]):
                raise ValueError("a chunk of closes does not name its rows")
            known = dict(zip(symbols, columns["price"].tolist(), strict=True))
            self._days[day] = np.array(
                [known.get(symbol, np.nan) for symbol in self.symbols], np.float64
            )
            if tuple(symbols) != self.symbols:
                self._unsaved.add(day)

    def _late_index(self, hours: SessionHours) -> bool:
        today = self._days.get(hours.session)
        return today is None or bool(np.isnan(today[-1]))

    def _days_before(self) -> list[date]:
        """Stored sessions before the current one, oldest first, none before the last long gap."""
        session = self.session
        if session is None:
            return []
        days = [*sorted(day for day in self._days if day < session), session]
        gaps = [
            at for at, (day, later) in enumerate(pairwise(days), 1) if (later - day).days > GAP_DAYS
        ]
        return days[gaps[-1] if gaps else 0 : -1]

    def _drop_old(self, session: date) -> None:
        for day in sorted(day for day in self._days if day < session)[:-KEEP]:
            del self._days[day]
            self._unsaved.discard(day)
            self._gone.add(day)
