"""Bids of a strip that exceed what the asks beside them allow."""

from typing import NamedTuple

import numpy as np

from analytics.arrays import Bools, Floats, Ints
from analytics.found_quotes import NO_QUOTES, ROUNDING_USD, FoundQuotes, QuoteReason
from analytics.option_chain import OptionChain
from analytics.parity import Parity
from analytics.walk import Legs


class Excess(NamedTuple):
    """Bids that are too high, one row each."""

    row: Ints
    """Of the chain."""
    call: Bools
    over: Floats
    """USD."""
    reason: QuoteReason


def excess_bids(chain: OptionChain, parity: Parity, strike: Floats, legs: Legs) -> list[Excess]:
    """Bids above what the quotes beside them allow; nearly always there is none.

    A bid above the ask of an option worth more is vertical arbitrage, one above the asks either
    side of it, weighted by their distance, butterfly arbitrage. A call and a put at K0, or next to
    it, whose forwards do not include that of K* are parity arbitrage.

    Source: Carr and Madan, "A note on sufficient conditions for no arbitrage", 2005.

    >>> from analytics.parity import parity_forwards
    >>> from analytics.walk import select_legs
    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 3]), column(95, 100, 105), column(5.6, 2.4, 2.8),
    ...               column(5.8, 2.6, 3.0), column(0.6, 2.4, 5.6), column(0.8, 2.6, 5.8),
    ...               column(0.1), column(0.0))
    >>> parity = parity_forwards(chain)
    >>> legs = select_legs(chain, parity)
    >>> [one.reason.name for one in excess_bids(chain, parity, chain.strike[legs.row], legs)]
    ['VERTICAL', 'PARITY']
    """
    found = [*_of_wings(chain, strike, legs), _off_parity(chain, parity)]
    return [one for one in found if one.row.size]


def excess_quotes(excesses: list[Excess]) -> FoundQuotes:
    """Each quote once; of what is wrong with it the first stands.

    >>> one = lambda reason: Excess(np.array([4]), np.array([True]), np.array([0.2]), reason)
    >>> found = excess_quotes([one(QuoteReason.VERTICAL), one(QuoteReason.BUTTERFLY)])
    >>> found.row.tolist(), found.reason.tolist() == [int(QuoteReason.VERTICAL)]
    ([4], True)
    """
    if not excesses:
        return NO_QUOTES
    row = np.concatenate([one.row for one in excesses])
    call = np.concatenate([one.call for one in excesses])
    reason = np.repeat([int(one.reason) for one in excesses], [one.row.size for one in excesses])
    _, first = np.unique(2 * row + call, return_index=True)
    return FoundQuotes(row[first], call[first], reason[first])


def _of_wings(chain: OptionChain, strike: Floats, legs: Legs) -> tuple[Excess, Excess, Excess]:
    """Bids of selected options above what the options selected beside them allow.

    A put is followed by a put or by K0, and a call follows a call or K0, of the same strip: at K0
    each meets the quote of its own side.
    """
    center = np.flatnonzero(legs.wing == 0)
    row, bid, is_put, is_call = legs.row, legs.bid, legs.wing < 0, legs.wing > 0
    above, below = legs.ask.copy(), legs.ask.copy()
    above[center], below[center] = chain.put_ask[row[center]], chain.call_ask[row[center]]
    puts = np.flatnonzero(is_put[:-1] & (bid[:-1] > above[1:]))
    calls = np.flatnonzero(is_call[1:] & (bid[1:] > below[:-1])) + 1
    step = strike[1:] - strike[:-1]
    line = step[1:] * below[:-2] + step[:-1] * above[2:]
    span = strike[2:] - strike[:-2]
    inside = (is_put[:-2] & is_put[1:-1]) | (is_call[1:-1] & is_call[2:])
    middle = np.flatnonzero(inside & (bid[1:-1] * span > line)) + 1
    over = bid[middle] - line[middle - 1] / span[middle - 1]
    return (
        _excess(row[puts], bid[puts] - above[puts + 1], QuoteReason.VERTICAL, call=False),
        _excess(row[calls], bid[calls] - below[calls - 1], QuoteReason.VERTICAL),
        Excess(row[middle], is_call[middle], over, QuoteReason.BUTTERFLY),
    )


def _off_parity(chain: OptionChain, parity: Parity) -> Excess:
    """Puts around K0 that with their calls allow no forward as high, or as low, as that of K*."""
    strips = np.repeat(np.flatnonzero(parity.k0_row >= 0), 3)
    row = parity.k0_row[strips] + np.tile([-1, 0, 1], strips.size // 3)
    inside = (row >= chain.offsets[strips]) & (row < chain.offsets[strips + 1])
    strips, row = strips[inside], row[inside]
    discount = np.exp(-chain.rate[strips] * chain.years[strips])
    apart = discount * (parity.forward[strips] - chain.strike[row])
    over = np.maximum(
        chain.call_bid[row] - chain.put_ask[row] - apart,
        apart - chain.call_ask[row] + chain.put_bid[row],
    )
    wrong = over > ROUNDING_USD
    return _excess(row[wrong], over[wrong], QuoteReason.PARITY, call=False)


def _excess(row: Ints, over: Floats, reason: QuoteReason, *, call: bool = True) -> Excess:
    return Excess(row, np.full(row.size, call), over, reason)
