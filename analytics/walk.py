"""The walk outward from K0: which out-of-the-money options enter a strip.

They come with their quotes and strike spacing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.option_chain import OptionChain
from analytics.parity import Parity, valid_quote

Mask = NDArray[np.bool_]


class Legs(NamedTuple):
    """The selected options of all strips, one row a strike, in the order of the chain."""

    row: NDArray[np.int64]
    segment: NDArray[np.int64]
    wing: NDArray[np.int64]
    """-1 put below K0, 0 average of put and call at K0, 1 call above."""
    bid: Floats
    ask: Floats
    spacing: Floats
    """dK: half the distance between the neighbours that survived.

    At an end it is the distance to the one neighbour.
    """


def select_legs(chain: OptionChain, parity: Parity, *, zero_ask_stops: bool = True) -> Legs:
    """Walk from K0 into both wings, then drop quotes that are not valid.

    Zero bids are skipped; the walk stops after two consecutive ones.
    A missing bid (NaN) is a zero bid. With `zero_ask_stops` a zero or missing ask is skipped and
    counted like a zero bid (VIX); without, it is only dropped, and the two-zero-bid rule runs
    before the validity filter (DSPX).

    Source: Cboe volatility index mathematics methodology; DSPX methodology, November 2024.

    >>> from analytics.parity import parity_forwards
    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 6]), column(80, 85, 90, 95, 100, 105),
    ...               column(20, 15, 10, 5, 1, 0.2), column(20, 15, 10, 5, 1, 0.2),
    ...               column(0.3, 0, 0, 0.4, 1, 6), column(0.3, 0.1, 0.1, 0.4, 1, 6),
    ...               column(0.1), column(0.0))
    >>> legs = select_legs(chain, parity_forwards(chain))
    >>> chain.strike[legs.row].tolist(), legs.spacing.tolist()
    ([95.0, 100.0, 105.0], [5.0, 5.0, 5.0])
    """
    segment = parity.segment
    k0_row = np.repeat(parity.k0_row, np.diff(chain.offsets))
    row = np.arange(len(segment))
    wing = np.sign(row - k0_row)
    walked = k0_row >= 0
    call = wing > 0
    bid, ask = (
        np.where(call, chain.call_bid, chain.put_bid),
        np.where(call, chain.call_ask, chain.put_ask),
    )
    center = parity.k0_row[parity.k0_row >= 0]
    bid[center] = 0.5 * (chain.call_bid[center] + chain.put_bid[center])
    ask[center] = 0.5 * (chain.call_ask[center] + chain.put_ask[center])
    skipped = ~(bid > 0) | (~(ask > 0) if zero_ask_stops else False)
    kept = (
        walked
        & ~_beyond_stop(skipped & walked & (wing != 0), chain.offsets, parity.k0_row, call)
        & valid_quote(bid, ask)
    )
    kept[center] = True
    chosen = np.flatnonzero(kept)
    owner = segment[chosen]
    return Legs(
        chosen, owner, wing[chosen], bid[chosen], ask[chosen], _spacing(chain.strike[chosen], owner)
    )


def _beyond_stop(
    skipped: Mask, offsets: NDArray[np.int64], k0_row: NDArray[np.int64], call: Mask
) -> Mask:
    """Rows that two consecutive skipped strikes part from K0.

    Pairs are counted by a running sum, so no row looks far.
    """
    if not len(skipped):
        return skipped
    # Pairs of rows before each row.
    twice = np.zeros(len(skipped), np.bool_)
    np.logical_and(skipped[:-1], skipped[1:], out=twice[1:])
    # A row is no pair with one of the strip before; the last offset of empty strips has no row.
    twice[offsets[:-1][offsets[:-1] < len(skipped)]] = False
    pairs = np.cumsum(twice, dtype=np.int32)
    at_k0 = np.repeat(pairs[np.maximum(k0_row, 0)], np.diff(offsets))
    return np.where(call, pairs > at_k0, at_k0 > pairs)


def _spacing(strike: Floats, segment: NDArray[np.int64]) -> Floats:
    """Distances dK over the surviving strikes of each segment."""
    joined = segment[1:] == segment[:-1]
    step = (strike[1:] - strike[:-1]) * joined
    both = np.concatenate([_NONE[: len(strike)], step])
    both[:-1] += step
    np.multiply(both[1:-1], 0.5, out=both[1:-1], where=joined[1:] & joined[:-1])
    return both


_NONE = np.zeros(1, dtype=np.int64)
