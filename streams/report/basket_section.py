"""The basket by the prices of its own names: cap against equal weight, and what dispersion takes.

Names that move apart cancel in the basket. With fixed weights and returns that are not demeaned the
weighted variance of the names is that of the basket plus dispersion² (methodology 4.1): what
dispersion takes does not reach the index.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

import msgspec
import numpy as np

from analytics.arrays import Floats
from analytics.realized import RealizedBasket, realized_basket
from streams.market import Basket
from streams.reading import Reading
from streams.readings.daily_returns import steps
from streams.report.figure import Figure, Unit, change, figure
from streams.report.price_table import PriceTable
from streams.report.rotation_section import WINDOWS

SESSIONS: Final = 21
"""Returns of a realized figure."""
LEAST: Final = 0.5
"""Share of the basket's weight that has to have prices."""


class RealizedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over the last 21 sessions, and over the 21 before them."""

    name: str
    now: Figure
    before: Figure
    change: Figure


class BasketSection(msgspec.Struct, frozen=True, kw_only=True):
    """What the names that have prices say of the basket."""

    names: int
    """With a price in the last session and 21 before it."""
    weight: Figure
    """Their share of the basket's weight; the figures are of such names alone."""
    cap_weight: dict[str, Figure]
    """Return by window at the weights of its start."""
    equal_weight: dict[str, Figure]
    concentration: dict[str, Figure]
    """The first less the second."""
    realized: tuple[RealizedRow, ...]
    """Vol of the names √(Σ wσ²), dispersion, vol of the basket, correlation."""
    words: str
    """What dispersion took of the names' variance, and of its change."""


def basket_section(prices: PriceTable, reading: Reading, basket: Basket) -> BasketSection:
    """The section at the last session of the table."""
    table = _Names(prices, weights_now(reading, basket))
    cap = {n: table.mean(n, table.weights(n)) for n in WINDOWS}
    equal = {n: table.mean(n, np.ones(len(table.now))) for n in WINDOWS}
    now, before = table.realized(0), table.realized(SESSIONS)
    why, why_before = table.why(SESSIONS), table.why(2 * SESSIONS)
    return BasketSection(
        names=int(table.known(SESSIONS).sum()),
        weight=figure(table.share(SESSIONS), "share", why),
        cap_weight={str(n): figure(cap[n], "return", table.why(n)) for n in WINDOWS},
        equal_weight={str(n): figure(equal[n], "return", table.why(n)) for n in WINDOWS},
        concentration={str(n): figure(cap[n] - equal[n], "return", table.why(n)) for n in WINDOWS},
        realized=tuple(_rows(now, before, why, why_before)),
        words=_words(now, before) if np.isfinite(now.basket_vol) else f"Unknown: {why}.",
    )


def realized_correlations(
    prices: PriceTable, reading: Reading, basket: Basket
) -> dict[date, float]:
    """Realized correlation of the basket's names over the 21 sessions up to each session."""
    table = _Names(prices, weights_now(reading, basket))
    found = {day: table.correlation(at) for at, day in enumerate(prices.sessions)}
    return {day: value for day, value in found.items() if np.isfinite(value)}


def weights_now(reading: Reading, basket: Basket) -> dict[str, float]:
    """Weight by name: of the reading, which moves with prices, or as configured."""
    behind = reading.constituents
    configured = {one.symbol: one.weight for one in basket.constituents}
    moved = {} if behind is None else dict(zip(behind.symbols, behind.weights, strict=True))
    return {symbol: moved.get(symbol, weight) for symbol, weight in configured.items()}


class _Names:
    """Prices of the basket's names, (sessions, names), oldest first, and what they weigh."""

    def __init__(self, prices: PriceTable, weights: dict[str, float]) -> None:
        places = {symbol: at for at, symbol in enumerate(prices.symbols)}
        columns = [places.get(symbol, -1) for symbol in weights]
        nothing = np.full((len(prices.sessions), 1), np.nan)
        self.now = np.array([*weights.values()])
        self._closes = np.hstack((prices.closes, nothing))[:, columns]
        self._steps = steps(self._closes)

    def known(self, sessions: int) -> Floats:
        """1 for a name with every return of so many sessions, else 0."""
        moves = self._steps[-sessions:]
        whole = np.isfinite(moves).all(axis=0) if len(moves) == sessions else False
        return np.broadcast_to(whole, self.now.shape).astype(np.float64)

    def share(self, sessions: int) -> float:
        """Of the weight that is known over so many sessions; NaN without any."""
        share = float(self.known(sessions) @ self.now / self.now.sum()) if self.now.sum() else 0.0
        return share or np.nan

    def weights(self, sessions: int) -> Floats:
        """So many sessions ago: they have moved with prices since; 0 where unknown."""
        if len(self._closes) <= sessions:
            return np.zeros(len(self.now))
        moved = self.now * self._closes[-1 - sessions] / self._closes[-1]
        return np.where(self.known(sessions) > 0, moved, 0.0)

    def mean(self, sessions: int, weights: Floats) -> float:
        """Return of the known names at weights; NaN where they are too few."""
        if not self._enough(sessions):
            return np.nan
        share = weights * self.known(sessions)
        moves = self._closes[-1] / self._closes[-1 - sessions] - 1
        return float(np.where(share > 0, moves * share, 0.0).sum() / share.sum())

    def realized(self, ago: int) -> RealizedBasket:
        """Over 21 sessions that ended so many ago, at the weights before them; NaN if too few."""
        sessions = SESSIONS + ago
        kept = self.known(sessions) > 0
        moves = self._steps[len(self._steps) - sessions : len(self._steps) - ago]
        if not self._enough(sessions):
            return RealizedBasket(*[np.nan] * len(RealizedBasket._fields))
        return realized_basket(moves[:, kept], self.weights(sessions)[kept])

    def correlation(self, at: int) -> float:
        """Over the 21 sessions up to row `at`, of names with a price in each; NaN if too few."""
        moves, start = self._steps[max(at - SESSIONS, 0) : at], at - SESSIONS
        kept = np.isfinite(moves).all(axis=0) & np.isfinite(self._closes[-1])
        if start < 0 or not self.now[kept].sum() >= LEAST * self.now.sum() > 0:
            return np.nan
        weights = self.now[kept] * self._closes[start, kept] / self._closes[-1, kept]
        return realized_basket(moves[:, kept], weights).correlation

    def why(self, sessions: int) -> str:
        """What lacks over so many sessions."""
        if len(self._closes) <= sessions:
            before = max(len(self._closes) - 1, 0)
            return f"{before} sessions of prices before it, {sessions} are needed (--prices)"
        names, share = int(self.known(sessions).sum()), self.share(sessions)
        part = f"{100 * (share if np.isfinite(share) else 0):.0f} %"
        return (
            f"prices of {names} of {len(self.now)} names over {sessions} sessions, {part} of the "
            f"basket's weight; {100 * LEAST:.0f} % are needed: name their closes with --prices"
        )

    def _enough(self, sessions: int) -> bool:
        return len(self._closes) > sessions and self.share(sessions) >= LEAST


def _rows(
    now: RealizedBasket, before: RealizedBasket, why: str, why_before: str
) -> Iterator[RealizedRow]:
    shown: tuple[tuple[str, str, Unit], ...] = (
        ("basket_vol", "vol of the names", "vol"),
        ("dispersion", "dispersion", "vol"),
        ("portfolio_vol", "vol of the basket", "vol"),
        ("correlation", "correlation", "correlation"),
    )
    for field, name, unit in shown:
        new = figure(getattr(now, field), unit, why)
        old = figure(getattr(before, field), unit, why_before)
        yield RealizedRow(name=name, now=new, before=old, change=change(new.value, old.value, unit))


def _words(now: RealizedBasket, before: RealizedBasket) -> str:
    names, apart = now.basket_vol**2, now.dispersion**2
    if not names > 0:
        return "No price has moved."
    taken = f"Dispersion took {100 * apart / names:.0f} % of the names' variance"
    if not np.isfinite(before.basket_vol):
        return f"{taken}; the rest is the basket's."
    more = names - before.basket_vol**2
    told = _change_words(more, more - (apart - before.dispersion**2))
    return f"{taken}. Against the 21 sessions before, {told}."


def _change_words(of_names: float, of_basket: float) -> str:
    """Changes of the two variances in words."""
    if of_names > 0 and of_basket <= 0:
        return "the names moved more and the basket did not: dispersion kept the index calm"
    if of_names > 0:
        share = 100 * of_basket / of_names
        return f"{share:.0f} % of the rise of their variance reached the basket"
    if of_basket > 0:
        return "the names moved less and the basket more: dispersion gave way"
    return "the names and the basket moved less"
