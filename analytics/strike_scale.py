"""Strikes of another unit than prices: thousandths of a dollar beside premiums in dollars.

Such a chain is a small world without contradictions, in which nothing ever moves: its vols are a
thousandth of the right ones. But the call less the put of a strike falls by a dollar for each
dollar of strike, and there by a thousandth.
"""

from typing import Final

import numpy as np

from analytics.arrays import Floats, Ints
from analytics.option_chain import OptionChain

LEAST_SCALE: Final = 0.2
"""Below it strikes are of another unit; bad quotes alone do not come near it."""
THOUSANDTHS: Final = (1 / 3000, 1 / 300)


def strike_scale(chain: OptionChain, strips: Ints) -> Floats:
    """Fall of call less put over the rise of strike for some strips; 1 in a world of one unit.

    It is taken between the lowest and the highest strike of which both sides are quoted, on mids,
    and undiscounted; NaN without two.

    Source: put-call parity, Stoll, "The relationship between put and call option prices", 1969.

    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 2]), column(90_000, 110_000), column(10.1, 0.6),
    ...               column(10.3, 0.8), column(0.1, 10.6), column(0.3, 10.8),
    ...               column(0.1), column(0.0))
    >>> strike_scale(chain, np.array([0])).round(6).tolist()
    [0.001]
    """
    apart = 0.5 * (chain.call_bid + chain.call_ask - chain.put_bid - chain.put_ask)
    found = np.full(strips.size, np.nan)
    # The few strips that are suspected: nearly always none.
    for at, j in enumerate(strips.tolist()):
        start, stop = int(chain.offsets[j]), int(chain.offsets[j + 1])
        rows = start + np.flatnonzero(np.isfinite(apart[start:stop]))
        if rows.size > 1:
            rise = chain.strike[rows[-1]] - chain.strike[rows[0]]
            fall = apart[rows[0]] - apart[rows[-1]]
            found[at] = fall / rise * np.exp(chain.rate[j] * chain.years[j])
    return found
