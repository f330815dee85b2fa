"""Five-minute previous-tick prices of the largest names, session by session.

Realized measures need them so.

Column k of a session holds the last price of bar k: (open + 5k min, open + 5(k + 1) min], up to the
equity close; NaN where the name did not tick in the bar. There is no column for the open: the first
return of a session is the overnight return together with its first bar. Source of the grid:
methodology 4.3, published definition.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from streams.column_chunk import pack_columns, unpack_columns
from streams.points import PricePoints
from streams.readings.session_hours import SessionHours, hours_on
from streams.records import NS

BAR_NS = 300 * NS
KEEP = 64
"""Sessions kept before the current one.

They are the window of 63 and the base that its first return starts from.
"""

Prices = NDArray[np.float64]


class RealizedGrid:
    """Prices of n names: one matrix (n, bars) for each session that had ticks.

    State: one chunk a session, rewritten when a bar ends, and the bar in progress by itself,
    rewritten with every tick.
    """

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols
        self._position = {symbol: at for at, symbol in enumerate(symbols)}
        self._days: dict[date, Prices] = {}
        self._hours: SessionHours | None = None
        self._bar = (date.min, 0)
        self._sealed = 0
        self.version = 0
        """Rises when a bar that a window may have used is changed afterwards."""
        self._unsaved: set[date] = set()
        self._gone: set[date] = set()
        self._bar_unsaved = False

    def begin(self, hours: SessionHours) -> None:
        """Ticks from here on belong to this session."""
        self._hours = hours
        self._sealed = 0

    def apply(self, prices: PricePoints) -> None:
        """Put prices in their bars.

        Ticks outside equity hours and of other names are passed over.
        """
        hours = self._hours
        if hours is None or not self.symbols:
            return
        at = np.fromiter(
            (self._position.get(symbol, -1) for symbol in prices.symbol),
            np.int64,
            len(prices.symbol),
        )
        bar = (prices.ts_event - hours.open - 1) // BAR_NS
        during = (prices.ts_event > hours.open) & (prices.ts_event <= hours.equity_close)
        ok = (at >= 0) & during & (prices.price > 0) & np.isfinite(prices.price)
        if ok.any():
            self._write(hours, at[ok], bar[ok], prices.price[ok])

    def done(self, boundary: int) -> int:
        """Complete bars of the current session at second `boundary`."""
        if self._hours is None:
            return 0
        return int(max(min(boundary, self._hours.equity_close) - self._hours.open, 0) // BAR_NS)

    def seal(self, bars: int) -> None:
        """Say that the first `bars` bars have been used.

        A later change to them raises `version`.
        """
        self._sealed = bars

    @property
    def session(self) -> date | None:
        """The current session."""
        return self._hours.session if self._hours else None

    def day(self, session: date) -> Prices | None:
        """The matrix of one session."""
        return self._days.get(session)

    def days_before(self, session: date) -> list[date]:
        """Stored sessions before this one, oldest first."""
        return sorted(day for day in self._days if day < session)

    def changed(self) -> Iterator[tuple[str, bytes]]:
        """Chunks since the last call; an empty value deletes one."""
        yield from ((f"grid/{day}", b"") for day in sorted(self._gone))
        for day in sorted(self._unsaved):
            yield (
                f"grid/{day}",
                pack_columns("grid", {"price": self._days[day].ravel()}, {"symbols": self.symbols}),
            )
        if self._bar_unsaved:
            session, bar = self._bar
            column = self._days[session][:, bar]
            yield (
                "bar",
                pack_columns(
                    "bar",
                    {"price": column},
                    {"symbols": self.symbols, "session": session.isoformat(), "bar": bar},
                ),
            )
        self._unsaved.clear()
        self._gone.clear()
        self._bar_unsaved = False

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Take the chunks of a checkpoint.

        Names are matched by symbol. Raises `ValueError` on foreign bytes.
        """
        like = {"price": np.empty(0)}
        for name, value in chunks.items():
            if name.startswith("grid/"):
                columns, meta = unpack_columns("grid", value, like)
                day, symbols = date.fromisoformat(name.removeprefix("grid/")), _symbols(meta)
                self._days[day] = self._place(columns["price"].reshape(len(symbols), -1), symbols)
                if tuple(symbols) != self.symbols:
                    self._unsaved.add(day)
        if "bar" in chunks:
            columns, meta = unpack_columns("bar", chunks["bar"], like)
            self._restore_bar(columns["price"], meta)

    def _write(
        self, hours: SessionHours, at: NDArray[np.int64], bar: NDArray[np.int64], price: Prices
    ) -> None:
        latest = (hours.session, int(bar.max()))
        if latest > self._bar:
            if self._bar[0] in self._days:
                self._unsaved.add(self._bar[0])
            self._bar = latest
        if hours.session not in self._days:
            self._days[hours.session] = self._blank(hours)
            self._drop_old(hours.session)
        self._days[hours.session][at, bar] = price
        self._bar_unsaved = True
        if (bar < self._bar[1]).any():
            self._unsaved.add(hours.session)
        if (bar < self._sealed).any():
            self.version += 1

    def _drop_old(self, session: date) -> None:
        for day in self.days_before(session)[:-KEEP]:
            del self._days[day]
            self._unsaved.discard(day)
            self._gone.add(day)

    def _place(self, matrix: Prices, symbols: Sequence[str]) -> Prices:
        placed = np.full((len(self.symbols), matrix.shape[1]), np.nan)
        for row, symbol in enumerate(symbols):
            if symbol in self._position:
                placed[self._position[symbol]] = matrix[row]
        return placed

    def _restore_bar(self, column: Prices, meta: Mapping[str, object]) -> None:
        symbols, session, bar = _symbols(meta), meta.get("session"), meta.get("bar")
        if not isinstance(session, str) or not isinstance(bar, int) or len(symbols) != len(column):
            raise ValueError("a chunk of the bar in progress is incomplete")
        day = date.fromisoformat(session)
        matrix = self._days.setdefault(day, self._blank(hours_on(day)))
        if not 0 <= bar < matrix.shape[1]:
            raise ValueError(f"a session of {matrix.shape[1]} bars has no bar {bar}")
        matrix[:, bar] = self._place(column[:, None], symbols)[:, 0]
        self._bar = (day, bar)

    def _blank(self, hours: SessionHours) -> Prices:
        return np.full((len(self.symbols), hours.bars(BAR_NS)), np.nan)


def _symbols(meta: Mapping[str, object]) -> list[str]:
    symbols = meta.get("symbols")
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise ValueError("a chunk of the grid does not name its rows")
    return symbols
