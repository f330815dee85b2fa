"""The shape of option strips: holes and reach in standard deviations, arbitrage, loose quotes."""

from typing import Final, NamedTuple

import numpy as np

from analytics.arrays import Floats, Ints
from analytics.found_quotes import FoundQuotes
from analytics.option_chain import OptionChain
from analytics.parity import Parity
from analytics.special_functions import ndtr
from analytics.strip import Selected, StripValues
from analytics.strip_arbitrage import Excess, excess_bids, excess_quotes
from analytics.walk import Legs

LOOSEST_ASK: Final = 10.0
"""Times its bid: a quote with a higher ask says next to nothing."""
CORE: Final = 2.0
"""Standard deviations from the forward within which gaps count."""
_STEPS: Final = 3


class StripShape(NamedTuple):
    """m strips in standard deviations of the forward at expiry; NaN where it is not known."""

    hole: Floats
    """Between K0 and the first call above the forward."""
    gap: Floats
    """The widest between two strikes near the forward."""
    put_reach: Floats
    call_reach: Floats
    arbitrage: Floats
    """Share of the strip's value by which bids exceed what asks beside them allow."""
    loose: Floats
    """Share of the strip's value that stands on asks of more than ten bids."""
    found: FoundQuotes
    """Of the bids that exceed what is allowed."""


# Strips without a forward are NaN, and doubt nothing.
@np.errstate(all="ignore")
def strip_shape(chain: OptionChain, selected: Selected, values: StripValues) -> StripShape:
    """Measure strips and their values.

    The standard deviation is that of a normal price at expiry which gives the call and the put of
    K* together their mid (Bachelier): it needs no strip.

    Source: Bachelier, "Théorie de la spéculation", 1900.

    >>> from analytics.parity import parity_forwards
    >>> from analytics.strip import value_strips
    >>> from analytics.walk import select_legs
    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 3]), column(95, 100, 105), column(5.6, 2.4, 0.6),
    ...               column(5.8, 2.6, 0.8), column(0.6, 2.4, 5.6), column(0.8, 2.6, 5.8),
    ...               column(0.1), column(0.0))
    >>> parity = parity_forwards(chain)
    >>> selected = Selected(parity, select_legs(chain, parity))
    >>> shape = strip_shape(chain, selected, value_strips(chain, selected=selected))
    >>> shape.hole.round(3).tolist(), shape.call_reach.round(3).tolist(), shape.arbitrage.tolist()
    ([0.798], [0.798], [0.0])
    """
    parity, legs = selected
    segments = len(chain.years)
    counts = np.bincount(legs.segment, minlength=segments)
    owner = np.flatnonzero(counts)
    ends = np.cumsum(counts)[owner]
    first, last = ends - counts[owner], ends - 1
    strike = chain.strike[legs.row]
    per_usd = 1.0 / _deviation(chain, parity)
    place = strike * np.repeat(per_usd, counts) - np.repeat(parity.forward * per_usd, counts)
    step = np.empty_like(place)
    step[:-1] = place[1:] - place[:-1]
    step[last] = 0.0
    center = np.flatnonzero(legs.wing == 0)
    excesses = excess_bids(chain, parity, strike, legs)
    arbitrage, loose = _shares(chain, strike, legs, excesses, values)
    return StripShape(
        _of_strips(segments, legs.segment[center], step[center]),
        _of_strips(segments, owner, _widest(place, step, first)),
        _of_strips(segments, owner, -place[first]),
        _of_strips(segments, owner, place[last]),
        arbitrage,
        loose,
        excess_quotes(excesses),
    )


def _deviation(chain: OptionChain, parity: Parity) -> Floats:
    """Standard deviation of the price at expiry, USD, from the call and the put of K*.

    Newton's steps for 2 s n(d/s) + d (2 N(d/s) - 1) = C + P with d = |C - P|, from the root at
    d = 0, which lies above: the function is convex, so the steps fall to the root.
    """
    found = parity.parity_row >= 0
    at = np.where(found, parity.parity_row, 0)
    if not len(chain.strike):
        return np.full(len(at), np.nan)
    call = 0.5 * (chain.call_bid[at] + chain.call_ask[at])
    put = 0.5 * (chain.put_bid[at] + chain.put_ask[at])
    both, apart = call + put, np.abs(call - put)
    deviation = both * np.sqrt(0.5 * np.pi)
    for _ in range(_STEPS):
        score = apart / deviation
        density = np.exp(-0.5 * score * score) / np.sqrt(2 * np.pi)
        value = 2 * deviation * density + apart * (2 * ndtr(score) - 1)
        deviation = deviation - (value - both) / (2 * density)
    growth = np.exp(chain.rate * chain.years)
    return np.where(found & (deviation > 0), deviation * growth, np.nan)


def _widest(place: Floats, step: Floats, first: Ints) -> Floats:
    """The widest step near the forward of each strip that has options."""
    if not first.size:
        return np.empty(0)
    near = np.zeros(place.size, np.bool_)
    near[:-1] = (place[:-1] < CORE) & (place[1:] > -CORE)
    return np.asarray(np.maximum.reduceat(step * near, first))


def _of_strips(segments: int, owner: Ints, values: Floats) -> Floats:
    out = np.full(segments, np.nan)
    out[owner] = values
    return out


def _shares(
    chain: OptionChain, strike: Floats, legs: Legs, excesses: list[Excess], values: StripValues
) -> tuple[Floats, Floats]:
    """Shares of the strips' values that are arbitrage, and that stand on very loose quotes."""
    segments = len(chain.years)
    over: Floats = np.zeros(segments)
    standing: Floats = np.zeros(segments)
    loose = np.flatnonzero(legs.ask > LOOSEST_ASK * legs.bid)
    if loose.size:
        mid = 0.5 * (legs.bid[loose] + legs.ask[loose])
        worth = legs.spacing[loose] / strike[loose] ** 2 * mid
        standing += np.bincount(legs.segment[loose], weights=worth, minlength=segments)
    if excesses:
        row = np.concatenate([one.row for one in excesses])
        usd = np.concatenate([one.over for one in excesses])
        owner = np.searchsorted(chain.offsets, row, side="right") - 1
        weight = _strike_spacing(chain, row, owner) / chain.strike[row] ** 2
        over += np.bincount(owner, weights=weight * usd, minlength=segments)
    # The sum of the strip, from the variance that was made of it.
    total = values.variance * chain.years + (values.forward / values.k0 - 1) ** 2
    total *= 0.5 * np.exp(-chain.rate * chain.years)
    return np.asarray(over / total), np.asarray(standing / total)


def _strike_spacing(chain: OptionChain, row: Ints, owner: Ints) -> Floats:
    """Half the distance between the strikes either side of some rows."""
    low = np.maximum(row - 1, chain.offsets[owner])
    high = np.minimum(row + 1, chain.offsets[owner + 1] - 1)
    return np.asarray(0.5 * (chain.strike[high] - chain.strike[low]))
