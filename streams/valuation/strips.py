"""Strips by the rules of their index or name: judged by their shape, then valued."""

from typing import NamedTuple

import numpy as np

from analytics.arrays import Bools, Floats, Ints
from analytics.found_quotes import FoundQuotes
from analytics.option_chain import OptionChain
from analytics.parity import parity_forwards
from analytics.quote_outliers import judge_quotes
from analytics.strip import Selected, StripReason, StripValues, value_strips
from analytics.strip_doubts import HOLE_REFUSED, Believed, doubts
from analytics.strip_shape import strip_shape
from analytics.walk import select_legs


class StripRules(NamedTuple):
    """When a strip is valid, and when it is doubted."""

    min_per_side: int
    require_atm: bool
    zero_ask_stops: bool
    believed: Believed


INDEX_RULES = StripRules(
    min_per_side=1, require_atm=False, zero_ask_stops=True, believed=Believed(0.30, 0.05, 1.0)
)
"""Cboe volatility index mathematics methodology; the greatest width of 339 real strips is 0.16."""
NAME_RULES = StripRules(
    min_per_side=3, require_atm=True, zero_ask_stops=False, believed=Believed(0.50, 0.25, 0.5)
)
"""DSPX methodology, November 2024; after a close one strip of names in fifty is wider."""


class JudgedStrips(NamedTuple):
    """m strips, and what their judge has found."""

    chain: OptionChain
    """Without the quotes that are no market."""
    values: StripValues
    doubts: Ints
    """`Doubt` bits."""
    found: tuple[FoundQuotes, ...]
    """Quotes by row of the chain that was given: left out, and at odds with others."""


def value_judged(given: OptionChain, rules: StripRules) -> JudgedStrips:
    """Value the strips of a chain without quotes that are no market.

    A strip without strikes around its forward is refused, whether they are not listed or not
    quoted.
    """
    chain, left_out, thinned, rows = judge_quotes(given)
    parity = parity_forwards(chain)
    selected = Selected(parity, select_legs(chain, parity, zero_ask_stops=rules.zero_ask_stops))
    values = value_strips(
        chain,
        min_per_side=rules.min_per_side,
        require_atm=rules.require_atm,
        selected=selected,
    )
    shape = strip_shape(chain, selected, values)
    hollow = (values.reason == 0) & (shape.hole > HOLE_REFUSED)
    if hollow.any():
        values = _refused(values, hollow)
    found = doubts(
        shape, thinned, (values.puts, values.calls), _relative_width(values), rules.believed
    )
    at_odds = shape.found if rows is None else shape.found._replace(row=rows[shape.found.row])
    return JudgedStrips(chain, values, found, (left_out, at_odds))


def _refused(values: StripValues, hollow: Bools) -> StripValues:
    def unless(column: Floats) -> Floats:
        return np.where(hollow, np.nan, column)

    return values._replace(
        variance=unless(values.variance),
        bid_variance=unless(values.bid_variance),
        ask_variance=unless(values.ask_variance),
        reason=np.where(hollow, int(StripReason.HOLE), values.reason).astype(np.int8),
    )


def _relative_width(values: StripValues) -> Floats:
    bid, ask, mid = (
        np.sqrt(variance)
        for variance in (values.bid_variance, values.ask_variance, values.variance)
    )
    return np.asarray((ask - bid) / mid)
