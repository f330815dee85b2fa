"""Returns that a reader asks for: names, sectors and leaders, from one price a session."""

from typing import Final

import msgspec
import numpy as np

from analytics.arrays import Floats
from analytics.rotation import best_less_worst, relative_strength, sector_dispersion
from streams.report.figure import Figure, Unit, figure
from streams.report.price_table import PriceTable
from streams.report.watch_list import Watched, WatchList

WINDOWS: Final = (1, 5, 20, 63, 252)
"""Sessions; 0 stands for the session's open."""
NO_PRICE: Final = "no price: name a file of prices with --prices"


class PriceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One watched symbol; windows are sessions, `open` the session's open."""

    symbol: str
    name: str
    groups: tuple[str, ...]
    priced_as: str
    """The symbol whose prices these are: its own, or that of a stand-in."""
    price: Figure
    returns: dict[str, Figure]
    strength: dict[str, Figure]
    """Against the benchmark."""
    market_value: Figure
    value_change: dict[str, Figure]
    """Of market value, USD, over 1 and 20 sessions."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A group against itself."""

    range: dict[str, Figure]
    """Best less worst, by window."""
    deviation: dict[str, Figure]
    """Equal-weight cross-sectional standard deviation, population."""
    value_change: dict[str, Figure]
    """Of the group's market value, USD."""


class RotationSection(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    benchmark: str
    rows: tuple[PriceRow, ...]
    leaders: Spread
    sectors: Spread
    defensive_strength: dict[str, Figure]
    """Mean return of the defensive names against the benchmark, by window."""
    concentration: dict[str, Figure]
    """Return of the benchmark less that of the equal-weight fund of its index."""


def rotation_section(prices: PriceTable, watched: WatchList) -> RotationSection:
    """The section at the last session of the table.

    Source: methodology 9. Names without a price at either end, or with a move of more than 40 %
    between two sessions, have no return.
    """
    table = _Returns(prices, watched)
    return RotationSection(
        benchmark=watched.benchmark,
        rows=tuple(table.row(one) for one in watched.watch),
        leaders=table.spread(watched.of("leader"), "return"),
        sectors=table.spread(watched.of("sector"), "deviation"),
        defensive_strength=table.group_strength(watched.of("defensive")),
        concentration=table.concentration(),
    )


class _Returns:
    """Returns by window over the columns of the table."""

    def __init__(self, prices: PriceTable, watched: WatchList) -> None:
        self._prices = prices
        self._columns = {one.symbol: prices.column(one) for one in watched.watch}
        self._benchmark = prices.column(Watched(watched.benchmark))
        self._equal = prices.column(Watched(watched.equal_weight))
        self._by_window = {str(n): prices.over(n) for n in WINDOWS}
        self._by_window["open"] = prices.since_open()

    def row(self, one: Watched) -> PriceRow:
        at = self._columns[one.symbol]
        last = None if at is None else float(self._prices.closes[-1, at])
        value = None if last is None or one.shares is None else last * one.shares
        why = NO_PRICE if at is None else "no shares in the watch list"
        return PriceRow(
            symbol=one.symbol,
            name=one.name,
            groups=one.groups,
            priced_as="" if at is None else self._prices.symbols[at],
            price=figure(last, "usd", NO_PRICE),
            returns={window: self._return(at, window) for window in self._by_window},
            strength={window: self._strength(at, window) for window in self._by_window},
            market_value=figure(value, "usd", why),
            value_change={str(n): self._value_change(at, value, str(n)) for n in (1, 20)},
        )

    def spread(self, group: tuple[Watched, ...], unit: Unit) -> Spread:
        """Range and deviation; all of a group or nothing."""
        windows = [window for window in self._by_window if window != "open"]
        moves = {window: self._moves(group, window) for window in windows}
        return Spread(
            range={w: self._of_all(best_less_worst(moves[w]), moves[w], w) for w in windows},
            deviation={w: self._of_all(_deviation(moves[w]), moves[w], w, unit) for w in windows},
            value_change={str(n): self._group_change(group, str(n)) for n in (1, 20)},
        )

    def group_strength(self, group: tuple[Watched, ...]) -> dict[str, Figure]:
        """Mean return of those with a price, against the benchmark."""
        found = {}
        for window in self._by_window:
            moves = self._moves(group, window)
            known = moves[np.isfinite(moves)]
            mean = float(known.mean()) if known.size else np.nan
            found[window] = self._against(mean, window)
        return found

    def concentration(self) -> dict[str, Figure]:
        """The benchmark less the equal-weight fund of its index."""
        cap, equal = self._benchmark, self._equal
        return {
            window: figure(
                None if cap is None or equal is None else float(moves[cap] - moves[equal]),
                "return",
                "no price of the benchmark and its equal-weight fund"
                if None in {cap, equal}
                else self._why(window),
            )
            for window, moves in self._by_window.items()
        }

    def _moves(self, group: tuple[Watched, ...], window: str) -> Floats:
        places = [self._columns[one.symbol] for one in group]
        moves = self._by_window[window]
        return np.array([np.nan if at is None else moves[at] for at in places])

    def _of_all(self, value: float, moves: Floats, window: str, unit: Unit = "return") -> Figure:
        whole = moves.size > 0 and bool(np.isfinite(moves).all())
        known = int(np.isfinite(moves).sum())
        why = f"{known} of {moves.size} names have a return; {self._why(window)}"
        return figure(value if whole else None, unit, why)

    def _return(self, at: int | None, window: str) -> Figure:
        if at is None:
            return figure(None, "return", NO_PRICE)
        return figure(float(self._by_window[window][at]), "return", self._why(window))

    def _strength(self, at: int | None, window: str) -> Figure:
        own = np.nan if at is None else float(self._by_window[window][at])
        return self._against(own, window)

    def _against(self, own: float, window: str) -> Figure:
        if self._benchmark is None:
            return figure(None, "return", "no price of the benchmark")
        index = float(self._by_window[window][self._benchmark])
        return figure(float(relative_strength(own, index)), "return", self._why(window))

    def _value_change(self, at: int | None, value: float | None, window: str) -> Figure:
        if at is None or value is None:
            return figure(None, "usd", NO_PRICE if at is None else "no shares in the watch list")
        move = float(self._by_window[window][at])
        return figure(value - value / (1 + move), "usd", self._why(window))

    def _group_change(self, group: tuple[Watched, ...], window: str) -> Figure:
        parts = [self.row(one).value_change[window] for one in group]
        known = [one.value for one in parts if one.value is not None]
        whole = bool(parts) and len(known) == len(parts)
        lacking = next((one.reason for one in parts if one.value is None), "none is watched")
        why = f"{len(known)} of {len(parts)} names have a market value: {lacking}"
        return figure(sum(known) if whole else None, "usd", why)

    def _why(self, window: str) -> str:
        if window == "open":
            return "one price in this session: ticks or bars are needed"
        there = len(self._prices.sessions) - 1
        if there < int(window):
            return f"{max(there, 0)} sessions before it, {window} are needed"
        return "a price is missing, or a move of more than 40 % lies between"


def _deviation(moves: Floats) -> float:
    return float(sector_dispersion(moves, np.ones(moves.size))) if moves.size else np.nan
