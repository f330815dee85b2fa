"""The parity forward of each strip and its K0, the strike that parts the puts from the calls."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.option_chain import OptionChain
from analytics.segments import first_of_segment, segment_count, segment_min, segment_of_rows

# Mids are multiples of a fraction of a cent. Anything closer than this is a tie that binary
# rounding has split.
_TIE_USD = 1e-9


class Parity(NamedTuple):
    """m forwards with their rows on the chain; NaN and -1 where there is none."""

    segment: NDArray[np.int64]
    """Segment of each of the n rows."""
    forward: Floats
    parity_row: NDArray[np.int64]
    """Row of K*, whose call and put mids are closest."""
    k0_row: NDArray[np.int64]
    """Row of the largest listed strike at or below the forward."""


def valid_quote(bid: Floats, ask: Floats) -> NDArray[np.bool_]:
    """Two-sided and not crossed: bid > 0, ask >= bid, ask finite.

    Source: DSPX methodology, November 2024.

    >>> valid_quote(np.array([0.0, 1.0, 1.0, np.nan]), np.array([1.0, 1.0, 0.9, 1.0])).tolist()
    [False, True, False, False]
    """
    return (bid > 0) & (ask >= bid) & (ask < np.inf)


# An unusable row turns non-finite here and is refused by name.
@np.errstate(all="ignore")
def parity_forwards(chain: OptionChain) -> Parity:
    """F = K* + e^(RT) (C(K*) - P(K*)) in USD, K* the two-sided strike of least |C - P|.

    A tie goes to the lowest strike.

    Source: Cboe volatility index mathematics methodology; tie rule of the DSPX methodology,
    November 2024.

    >>> from analytics.option_chain import OptionChain
    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 2]), column(95, 100), column(7.9, 4.9),
    ...               column(8.1, 5.1), column(2.9, 4.4), column(3.1, 4.6),
    ...               column(0.25), column(0.0))
    >>> parity_forwards(chain).forward.round(12).tolist()
    [100.5]
    """
    segments = len(chain.years)
    segment = segment_of_rows(chain.offsets)
    call, put = 0.5 * (chain.call_bid + chain.call_ask), 0.5 * (chain.put_bid + chain.put_ask)
    usable = valid_quote(chain.call_bid, chain.call_ask) & valid_quote(chain.put_bid, chain.put_ask)
    gap = np.where(usable, np.abs(call - put), np.inf)
    nearest = usable & (gap <= segment_min(gap, chain.offsets)[segment] + _TIE_USD)
    row = first_of_segment(nearest, segment, segments)
    forward = np.full(segments, np.nan)
    found = np.flatnonzero(row >= 0)
    at = row[found]
    forward[found] = chain.strike[at] + np.exp(chain.rate[found] * chain.years[found]) * (
        call[at] - put[at]
    )
    forward[~((forward > 0) & (forward < np.inf))] = np.nan
    below = segment_count(chain.strike <= forward[segment], segment, segments)
    k0_row = np.where(below > 0, chain.offsets[:-1] + below - 1, -1)
    return Parity(segment, forward, row, k0_row)
