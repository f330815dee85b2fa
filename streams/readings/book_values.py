"""The standard dispersion books of a reading: what they have earned, and what they cost.

Formulas and units stand in `analytics.trade`; here are the names that count, and why not.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np

from analytics.arrays import Bools, Floats
from analytics.trade import (
    MONTH,
    Weighting,
    book_greeks,
    correlation_strike,
    gamma_pnl,
    name_vegas,
    variance_notional,
    variance_trade,
    vol_legs,
)
from streams.market import Gates
from streams.reading import Book, BookCarry, BookMark, BookWindow
from streams.readings.coverage import coverage_of
from streams.readings.fields import Fields
from streams.readings.grid_window import JUMP
from streams.readings.realized_values import Realized
from streams.readings.vols_at import VolsAt
from streams.records import NS

DAYS: Final = 365
"""Calendar days a year, for decay."""
YEAR: Final = DAYS * 24 * 3600 * NS
INDEX_VEGA: Final = 1.0
"""The unit of marks: what the index leg earns per 1.00 of vol."""
CORRELATIONS: Final = ("book.breakeven_correlation", "book.realized_correlation", "book.carry")
"""Fields over the largest names."""


class Gamma(NamedTuple):
    """Which names have a move of their price, the moves of names and index, and the time."""

    priced: Bools
    moves: Floats
    """Of the priced names, the index last."""
    years: float


@dataclass(frozen=True, slots=True)
class BookInputs:
    """What the books of one second are made of; arrays are over n names."""

    now: VolsAt
    weights: Floats
    largest: Bools
    """Whether a name is among those that realized figures are over."""
    widths: Floats
    """Ask vol less bid vol of each name, NaN where unknown."""
    index_width: float
    realized: Realized
    gates: Gates


def book_of(
    fields: Fields, inputs: BookInputs, close: VolsAt | None, opening: VolsAt | None
) -> Book:
    """The books at a second whose basket and index are known.

    Reasons under `book.`: `no_prior_close`, `no_opening`, `coverage`, and of gamma `no_ticks` and
    `no_index_ticks`; of the cost those of the widths, of the carry those of realized values.
    """
    carries, correlations = _carries(fields, inputs), _correlations(fields, inputs)
    return Book(
        close=_window(fields, "book.close", inputs, close, "no_prior_close"),
        open=_window(fields, "book.open", inputs, opening, "no_opening"),
        vega=carries[Weighting.VEGA],
        theta=carries[Weighting.THETA],
        gamma=carries[Weighting.GAMMA],
        breakeven_correlation=correlations.breakeven,
        realized_correlation=correlations.realized,
        carry=correlations.carry,
    )


def _window(
    fields: Fields, name: str, inputs: BookInputs, start: VolsAt | None, missing: str
) -> BookWindow | None:
    if start is None or start.ts >= inputs.now.ts:
        fields.set_null(missing, name)
        return None
    before, after = start.vols[:-1], inputs.now.vols[:-1]
    common = np.isfinite(before) & np.isfinite(after)
    share = coverage_of(inputs.weights, common, common)
    if not share.carries(inputs.gates):
        fields.set_null("coverage", name)
        return None
    gamma = _gamma(fields, f"{name}.gamma", inputs, start, common)
    marks = {kind: _mark(kind, inputs, start, common, gamma) for kind in Weighting}
    return BookWindow(
        since=datetime.fromtimestamp(start.ts // NS, UTC),
        session=start.session,
        names=share.names,
        coverage=share.valid_weight,
        vega=marks[Weighting.VEGA],
        theta=marks[Weighting.THETA],
        gamma=marks[Weighting.GAMMA],
    )


def _mark(
    weighting: Weighting, inputs: BookInputs, start: VolsAt, common: Bools, gamma: Gamma | None
) -> BookMark:
    before, after = start.vols, inputs.now.vols
    vols = before[:-1][common]
    vegas = name_vegas(weighting, INDEX_VEGA, before[-1], inputs.weights[common], vols)
    legs = vol_legs((before[-1], after[-1]), vegas, (vols, after[:-1][common]))
    earned = None if gamma is None else _earned(gamma, vegas, vols, float(before[-1]))
    total = legs.of_index + legs.singles + (earned or 0.0)
    return BookMark(total=total, index=legs.of_index, singles=legs.singles, gamma=earned)


def _earned(gamma: Gamma, vegas: Floats, vols: Floats, index_vol: float) -> float:
    """Of the priced names, whose vega stands for that of all."""
    priced = vegas[gamma.priced]
    scaled = np.append(priced * (vegas.sum() / priced.sum()), -INDEX_VEGA)
    return float(
        gamma_pnl(scaled, np.append(vols[gamma.priced], index_vol), gamma.moves, gamma.years).sum()
    )


def _gamma(
    fields: Fields, name: str, inputs: BookInputs, start: VolsAt, common: Bools
) -> Gamma | None:
    """Moves of prices since the start; a jump is a corporate action, or a bad print."""
    with np.errstate(all="ignore"):
        moves = inputs.now.price / start.price - 1.0
        moves = np.where(np.abs(np.log1p(moves)) > JUMP, np.nan, moves)
    own, index = moves[:-1][common], moves[-1]
    priced = np.isfinite(own)
    weights = inputs.weights[common]
    reason = ""
    if not priced.any():
        reason = "no_ticks"
    elif not np.isfinite(index):
        reason = "no_index_ticks"
    elif not coverage_of(weights, priced, priced).carries(inputs.gates):
        reason = "coverage"
    if reason:
        fields.set_null(reason, name)
        return None
    years = (inputs.now.ts - start.ts) / YEAR
    return Gamma(priced, np.append(own[priced], index), years)


def _carries(fields: Fields, inputs: BookInputs) -> dict[Weighting, BookCarry]:
    vols, index_vol = inputs.now.vols[:-1], inputs.now.vols[-1]
    known = np.isfinite(vols)
    wide = known & np.isfinite(inputs.widths)
    costs = np.isfinite(inputs.index_width) and coverage_of(inputs.weights, wide, wide).carries(
        inputs.gates
    )
    if not costs:
        fields.set_null("basis_atm" if inputs.now.atm_only else "no_bid_variance", "book.cost")
    out: dict[Weighting, BookCarry] = {}
    for weighting in Weighting:
        vegas = name_vegas(weighting, INDEX_VEGA, index_vol, inputs.weights[known], vols[known])
        greeks = book_greeks(INDEX_VEGA, index_vol, vegas, vols[known], MONTH)
        width = inputs.index_width + _mean(inputs, wide) * float(vegas.sum())
        half = 0.5 * width if costs else None
        out[weighting] = BookCarry(time_decay=greeks.theta / DAYS, cost=half)
    return out


def _mean(inputs: BookInputs, chosen: Bools) -> float:
    weights = inputs.weights[chosen]
    return float(weights @ inputs.widths[chosen] / weights.sum()) if chosen.any() else math.nan


class _Correlations(NamedTuple):
    breakeven: float | None
    realized: float | None = None
    carry: float | None = None


def _correlations(fields: Fields, inputs: BookInputs) -> _Correlations:
    """Break-even and realized correlation of the largest names, and what lies between them."""
    vols, index_vol = inputs.now.vols[:-1], float(inputs.now.vols[-1])
    known = np.isfinite(vols) & inputs.largest
    if not known.any():
        fields.set_null("coverage", *CORRELATIONS)
        return _Correlations(None)
    weights = inputs.weights[known]
    strike = correlation_strike(index_vol, weights, vols[known])
    realized = inputs.realized
    if realized.reason:
        fields.set_null(realized.reason, *CORRELATIONS[1:])
        return _Correlations(strike)
    level = np.sqrt(weights @ vols[known] ** 2 / weights.sum())
    trade = variance_trade(
        (index_vol, [level]), (realized.portfolio_vol, [realized.basket_vol]), [1.0]
    )
    carry = trade.pnl * variance_notional(INDEX_VEGA, index_vol)
    return _Correlations(strike, trade.realized, carry)
