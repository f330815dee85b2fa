"""Linear interpolation within consecutive runs of rows."""

import numpy as np

from analytics.arrays import Floats
from analytics.segments import Rows, segment_of_rows


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
