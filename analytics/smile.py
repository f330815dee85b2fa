"""Smiles under a scenario: a vol shock that moves with the strike.

That way far wings keep their delta.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Floats
from analytics.segments import segment_of_rows

Rows = NDArray[np.int64]


def rescale(
    offsets: Rows, strike: Floats, vol: Floats, forward: ArrayLike, ratio: ArrayLike
) -> Floats:
    """Vols (n) of m smiles whose level is multiplied by `ratio`.

    The rule is sigma'(K) = r sigma(F (K/F)^(1/r)).

    At the forward the vol is r times the old one; away from it the old smile is read at the strike
    of the same standardised moneyness. The old smile is linear in log-moneyness between its strikes
    and flat beyond its ends.

    Args:
        offsets: m + 1 row offsets of the smiles.
        strike: n strikes, ascending within a smile.
        vol: n vols; rows with NaN are no part of the old smile but get a new vol.
        forward: m forwards, or one for all.
        ratio: m factors > 0, or one for all.

    Source: methodology, scenarios.

    >>> strike, vol = np.array([90.0, 100.0, 110.0]), np.array([0.3, 0.2, 0.18])
    >>> rescale(np.array([0, 3]), strike, vol, 100.0, 2.0).round(4).tolist()
    [0.5, 0.4, 0.38]
    """
    segments = len(offsets) - 1
    segment = segment_of_rows(offsets)
    f, r = (
        np.broadcast_to(np.asarray(x, dtype=np.float64), (segments,))[segment]
        for x in (forward, ratio)
    )
    log_moneyness = np.log(strike / f)
    known = np.flatnonzero(~np.isnan(vol))
    counts = np.bincount(segment[known], minlength=segments)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return r * segment_interp(segment, log_moneyness / r, starts, log_moneyness[known], vol[known])


def segment_interp(segment: Rows, at: Floats, offsets: Rows, x: Floats, y: Floats) -> Floats:
    """Linear interpolation, row i in the knots of segment[i].

    It is flat beyond the ends, and NaN in a segment without knots.

    >>> x, y = np.array([0.0, 1.0, 5.0]), np.array([10.0, 20.0, 7.0])
    >>> segment, at = np.array([0, 0, 1, 2]), np.array([0.5, 3.0, 9.0, 1.0])
    >>> segment_interp(segment, at, np.array([0, 2, 3, 3]), x, y).tolist()
    [15.0, 20.0, 7.0, nan]
    """
    if not len(x):
        return np.full(len(at), np.nan)
    first, last = offsets[segment], np.maximum(offsets[segment + 1] - 1, offsets[segment])
    right = np.clip(_rank(segment, at, offsets, x), np.minimum(first + 1, last), last)
    left = np.minimum(np.maximum(right - 1, first), len(x) - 1)
    right = np.minimum(right, len(x) - 1)
    width = x[right] - x[left]
    share = np.clip(
        np.divide(at - x[left], width, out=np.zeros(len(at)), where=width > 0), 0.0, 1.0
    )
    return np.where(
        offsets[segment + 1] > offsets[segment], y[left] + share * (y[right] - y[left]), np.nan
    )


def _rank(segment: Rows, at: Floats, offsets: Rows, x: Floats) -> Rows:
    """Index of the first knot of the row's segment at or above the row.

    It is the end of the segment if none is.

    One search finds all: each segment's knots are moved to a range of their own. What the move
    rounds away is put right after.
    """
    low, high = x.min() - 1.0, x.max() + 1.0
    span = high - low
    first, last = offsets[segment], offsets[segment + 1]
    moved = np.searchsorted(
        x + span * segment_of_rows(offsets), np.clip(at, low, high) + span * segment
    )
    rank: Rows = np.clip(moved, first, last)
    while (over := np.flatnonzero((rank > first) & (x[rank - 1] >= at))).size:
        rank[over] -= 1
    while (under := np.flatnonzero((rank < last) & (x[np.minimum(rank, len(x) - 1)] < at))).size:
        rank[under] += 1
    return rank
