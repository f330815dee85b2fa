"""Rotation: sectors, defensives and leaders of a basket against its index.

It is worked out from one price a session.
"""

from datetime import date

import msgspec
import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.robust import robust_z
from analytics.rotation import (
    autocorrelation,
    best_less_worst,
    group_returns,
    relative_strength,
    sector_dispersion,
)
from streams.basket_columns import basket_columns
from streams.market import Basket, Gates
from streams.reading import Rotation
from streams.readings.daily_prices import DailyPrices
from streams.readings.daily_returns import DailyTable, steps
from streams.readings.fields import Fields
from streams.records import NS

MINUTE = 60 * NS
STRENGTH_SESSIONS = 20
CHANGES = 5
BASELINE, LEAST_BASELINE = 60, 20
"""Sessions behind the z of sector dispersion."""
LEADERS = (("AAPL",), ("MSFT",), ("GOOGL", "GOOG"), ("AMZN",), ("META",), ("NVDA",), ("TSLA",))
"""The Magnificent 7; the other share class stands in where the first is not in the basket."""


class RotationAt(msgspec.Struct, frozen=True, array_like=True):
    """The value of one event-time minute, and why it or its fields are null."""

    minute: int = -1
    value: Rotation | None = None
    reasons: dict[str, str] = {}


class RotationValues:
    """Values over n names.

    They are worked out at the first reading of an event-time minute and kept for the rest of it.
    `latest` is part of the state: after a restart the minute goes on with the value it had.
    """

    def __init__(self, prices: DailyPrices, basket: Basket, gates: Gates) -> None:
        self._prices = prices
        self._gates = gates
        names = basket.constituents
        self._sectors = tuple(sorted({name.sector for name in names} - {""}))
        self._in_sector = np.array(
            [[name.sector == sector for sector in self._sectors] for name in names], np.float64
        )
        self._in_set = np.array(
            [name.symbol in basket.defensives or name.sector in basket.defensives for name in names]
        )
        self._weights = np.array([np.nan])
        self._leaders = _leaders([name.symbol for name in names])
        self._past_of = date.min
        self._past = np.empty(0)
        self.latest = RotationAt()
        self.weigh(basket_columns(basket).weights)

    def weigh(self, weights: Floats) -> None:
        """From now on the n names weigh this."""
        if np.array_equal(weights, self._weights):
            return
        self._weights = weights
        self._members = weights[:, None] * self._in_sector
        self._defensive = (weights * self._in_set)[:, None]
        self._past_of = date.min

    def at(self, boundary: int) -> RotationAt:
        """The value that holds at second `boundary` (ns) of the current session.

        Null as a whole without a basket (`no_basket`), without a price in this session (`no_ticks`)
        or before it (`no_window`). Reasons of fields: `no_index_ticks`, `no_window`, `coverage`,
        `no_sectors`, `one_sector`, `no_spread`, `not_in_basket`.
        """
        minute = boundary // MINUTE
        if minute != self.latest.minute:
            value, reasons = self._value()
            self.latest = RotationAt(minute, value, reasons)
        return self.latest

    def _value(self) -> tuple[Rotation | None, dict[str, str]]:
        table = self._prices.table()
        reason = (
            "no_ticks" if np.isnan(table.today).all() else "" if len(table.closes) else "no_window"
        )
        if not len(self._members):
            reason = "no_basket"
        if reason:
            return None, {"rotation": reason}
        fields = Fields()
        returns = table.over(1)
        index = float(returns[-1])
        fields.set_value("index_return", index, "no_index_ticks")
        sectors = self._put_sectors(fields, returns[:-1], table)
        self._put_defensives(fields, table)
        self._put_leaders(fields, table)
        return Rotation(sector_returns=sectors, **fields.values), {
            f"rotation.{name}": why for name, why in fields.reasons.items()
        }

    def _put_sectors(self, fields: Fields, returns: Floats, table: DailyTable) -> dict[str, float]:
        least, weights = self._gates.basket_coverage_valid, self._members.sum(axis=0)
        moves = group_returns(returns, self._members, least)
        known = dict(zip(self._sectors, moves.tolist(), strict=True))
        fields.set_null(
            "coverage",
            *(f"sector_returns.{sector}" for sector, move in known.items() if np.isnan(move)),
        )
        reason = (
            "no_sectors"
            if not self._sectors
            else "one_sector"
            if len(self._sectors) == 1
            else "coverage"
        )
        today = float(sector_dispersion(moves, weights, least))
        fields.set_value("sector_dispersion", today, reason)
        fields.set_value(
            "sector_range", best_less_worst(moves) if np.isfinite(today) else np.nan, reason
        )
        history = self._history(table)
        if np.isnan(today):
            fields.set_null(reason, "sector_dispersion_z")
        elif len(history) < LEAST_BASELINE:
            fields.set_null("no_window", "sector_dispersion_z")
        else:
            fields.set_value("sector_dispersion_z", robust_z(history, today), "no_spread")
        return {sector: move for sector, move in known.items() if np.isfinite(move)}

    def _history(self, table: DailyTable) -> Floats:
        """Sector dispersion at the closes of earlier sessions, today's weights.

        It is worked out once a session.
        """
        session = self._prices.session or date.min
        if self._past_of != session:
            least, closes = self._gates.basket_coverage_valid, table.closes[-BASELINE - 1 :, :-1]
            past = sector_dispersion(
                group_returns(steps(closes), self._members, least), self._members.sum(axis=0), least
            )
            self._past_of = session
            self._past = past[np.isfinite(past)]
        return self._past

    def _put_defensives(self, fields: Fields, table: DailyTable) -> None:
        for name, sessions in (("defensive_strength", STRENGTH_SESSIONS), ("defensive_today", 1)):
            returns = table.over(sessions)
            strength = self._strength(returns)
            fields.set_value(name, float(strength), self._why_no_strength(table, returns, sessions))
        latest = table.steps(CHANGES)
        changes = self._strength(latest)
        reason = self._why_no_strength(table, latest, CHANGES)
        fields.set_value(
            "autocorrelation",
            autocorrelation(changes) if len(changes) == CHANGES else np.nan,
            reason,
        )

    def _strength(self, returns: Floats) -> Floats:
        """Of the defensive set against the index, from (..., n + 1) returns."""
        own = group_returns(returns[..., :-1], self._defensive, self._gates.basket_coverage_valid)
        return relative_strength(own[..., 0], returns[..., -1])

    def _why_no_strength(self, table: DailyTable, returns: Floats, sessions: int) -> str:
        if not self._defensive.any():
            return "not_in_basket"
        if len(table.closes) < sessions:
            return "no_window"
        return "no_index_ticks" if np.isnan(returns[..., -1]).any() else "coverage"

    def _put_leaders(self, fields: Fields, table: DailyTable) -> None:
        if len(self._leaders) < len(LEADERS):
            fields.set_null("not_in_basket", "mag7_spread")
        elif len(table.closes) < STRENGTH_SESSIONS:
            fields.set_null("no_window", "mag7_spread")
        else:
            returns = table.over(STRENGTH_SESSIONS)[self._leaders]
            fields.set_value(
                "mag7_spread",
                best_less_worst(returns) if np.isfinite(returns).all() else np.nan,
                "coverage",
            )


def _leaders(symbols: list[str]) -> NDArray[np.int64]:
    """Positions of the leaders that are in the basket."""
    found = (
        next((symbols.index(symbol) for symbol in classes if symbol in symbols), -1)
        for classes in LEADERS
    )
    return np.array([at for at in found if at >= 0], np.int64)
