"""Changes between two instants on the common set of names.

So composition never looks like correlation. When a name drops out of a basket the weights of the
others rise, and every basket figure jumps although no vol has moved. So both ends of a difference
are recomputed from the names that are valid at both of them, with the weights of the later one
(methodology, "False-positive controls and gates").
"""

import math
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cached_property

from analytics.correlation import implied_correlation
from analytics.dispersion import basket_vol, correlation_share, dispersion, variance_ratio
from streams.detection.history.instant import Instant
from streams.detection.history.members import Members, common_names, members_of
from streams.detection.history.panels import Panel, Panels


@dataclass(frozen=True)
class Change:
    """The move from an earlier instant to a later one; vols and correlations in decimals."""

    start: Instant
    end: Instant
    index_from: float
    index_to: float
    basket_from: float
    basket_to: float
    correlation_from: float | None
    correlation_to: float | None
    names: int
    """Names valid at both instants.

    It is 0 for a source without constituents, whose levels are compared as they are.
    """

    @property
    def index_move(self) -> float:
        """Rise of index vol."""
        return self.index_to - self.index_from

    @property
    def basket_move(self) -> float:
        """Rise of basket vol."""
        return self.basket_to - self.basket_from

    @property
    def spread_from(self) -> float:
        """vol_spread at the start."""
        return self.basket_from - self.index_from

    @property
    def spread_to(self) -> float:
        """vol_spread at the end."""
        return self.basket_to - self.index_to

    @property
    def correlation_move(self) -> float | None:
        """Rise of implied correlation; None when either end has none."""
        if self.correlation_from is None or self.correlation_to is None:
            return None
        return self.correlation_to - self.correlation_from

    @property
    def moves(self) -> dict[str, tuple[float | None, float | None]]:
        """Level at the start and rise since then, by measure; of basis `atm` those of its pair."""
        return {
            "index_vol": (self.index_from, self.index_move),
            "basket_vol": (self.basket_from, self.basket_move),
            "vol_spread": (self.spread_from, self.spread_to - self.spread_from),
            "implied_correlation": (self.correlation_from, self.correlation_move),
        }

    @property
    def dispersion_move(self) -> float | None:
        """Rise of dispersion; None for basis `atm`, whose pair has none."""
        if self.end.basis == "atm":
            return None
        return float(
            dispersion(self.basket_to**2, self.index_to)
            - dispersion(self.basket_from**2, self.index_from)
        )

    @cached_property
    def correlation_share(self) -> float | None:
        """1 - dln(basket_vol) / dln(index_vol); None when index vol has hardly moved."""
        share = float(
            correlation_share(self.index_from, self.index_to, self.basket_from, self.basket_to)
        )
        return share if math.isfinite(share) else None

    @cached_property
    def variance_ratio(self) -> float:
        """index_vol^2 / basket_vol^2 at the end."""
        return variance_ratio(self.index_to, self.basket_to)


def change(
    start: Instant, end: Instant, panels: Panels, core: AbstractSet[str] | None = None
) -> Change | None:
    """The change from `start` to `end`, or None when a level is missing or the bases differ.

    `core` names the constituents behind the ATM figures (`streams.basket_columns`); None takes all
    of them.
    """
    levels = (start.index_level, end.index_level, start.basket_level, end.basket_level)
    if start.basis != end.basis or any(level is None or level <= 0.0 for level in levels):
        return None
    index_from, index_to, basket_from, basket_to = (
        float(level) for level in levels if level is not None
    )
    whole = Change(
        start,
        end,
        index_from,
        index_to,
        basket_from,
        basket_to,
        start.implied_correlation,
        end.implied_correlation,
        0,
    )
    common = common_names(start, end, panels)
    return whole if common is None else _on_common_set(whole, *common, core)


def _on_common_set(
    whole: Change, before: Panel, after: Panel, core: AbstractSet[str] | None
) -> Change | None:
    atm = members_of(after.symbols, after.weights, before.atm_vols, after.atm_vols, core)
    basket = atm
    if whole.end.basis != "atm":
        basket = members_of(after.symbols, after.weights, before.variances, after.variances, None)
    if basket is None:
        return None
    low, high = (
        float(basket.weights @ values)
        if whole.end.basis == "atm"
        else float(basket_vol(basket.weights, values))
        for values in (basket.before, basket.after)
    )
    correlation_from, correlation_to = _correlations(whole, atm)
    return replace(
        whole,
        basket_from=low,
        basket_to=high,
        correlation_from=correlation_from,
        correlation_to=correlation_to,
        names=len(basket.symbols),
    )


def _correlations(whole: Change, atm: Members | None) -> tuple[float | None, float | None]:
    start, end = whole.start.index_atm_vol, whole.end.index_atm_vol
    if (
        atm is None
        or start is None
        or end is None
        or whole.correlation_from is None
        or whole.correlation_to is None
    ):
        return None, None
    low, high = (
        float(implied_correlation(level, atm.weights, vols))
        for level, vols in ((start, atm.before), (end, atm.after))
    )
    return (low, high) if math.isfinite(low) and math.isfinite(high) else (None, None)
