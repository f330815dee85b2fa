"""The out-of-the-money smile of each strip on its parity forward."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.option_chain import OptionChain
from analytics.parity import valid_quote
from analytics.segments import segment_of_rows

Rows = NDArray[np.int64]


class OtmSmile(NamedTuple):
    """Two-sided out-of-the-money quotes, strikes ascending in each segment.

    They are puts below the forward and calls from it.
    """

    segment: Rows
    offsets: Rows
    strike: Floats
    price: Floats
    """Undiscounted mid."""


def otm_smile(chain: OptionChain, forward: Floats) -> OtmSmile:
    """The two-sided quotes of the out-of-the-money side of every strike.

    `forward` has m USD; NaN gives an empty smile.

    Source: methodology 3.3.

    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 3]), column(95, 100, 105), column(6.0, 2.4, 0.6),
    ...               column(6.2, 2.6, 0.8), column(0.6, 2.4, 6.0), column(0.8, 2.6, 6.2),
    ...               column(0.1), column(0.0))
    >>> otm_smile(chain, np.array([101.0])).price.round(9).tolist()
    [0.7, 2.5, 0.7]
    """
    segment = segment_of_rows(chain.offsets)
    call = chain.strike >= forward[segment]
    bid, ask = (
        np.where(call, chain.call_bid, chain.put_bid),
        np.where(call, chain.call_ask, chain.put_ask),
    )
    rows = np.flatnonzero(valid_quote(bid, ask) & ~np.isnan(forward[segment]))
    owner = segment[rows]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(forward)))])
    growth = np.exp(chain.rate * chain.years)
    return OtmSmile(
        owner, offsets, chain.strike[rows], 0.5 * (bid[rows] + ask[rows]) * growth[owner]
    )


def first_above(smile: OtmSmile, strips: Rows, level: Floats) -> Rows:
    """Row of the first strike above `level` in each of the given strips.

    It is the end of the strip if none is.

    >>> strike, price = np.array([95.0, 105.0]), np.array([1.0, 1.0])
    >>> smile = OtmSmile(np.array([0, 0]), np.array([0, 2]), strike, price)
    >>> first_above(smile, np.array([0]), np.array([100.0])).tolist()
    [1]
    """
    limit = np.full(len(smile.offsets) - 1, np.nan)
    limit[strips] = level
    below = np.bincount(smile.segment[smile.strike <= limit[smile.segment]], minlength=len(limit))
    return np.asarray(smile.offsets[strips] + below[strips])
