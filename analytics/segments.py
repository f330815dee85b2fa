"""Segment arithmetic: reductions over consecutive runs of rows, empty runs included.

There is no loop over the runs.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats

Rows = NDArray[np.int64]


def segment_of_rows(offsets: Rows) -> Rows:
    """Segment number of each of the n rows, from the m + 1 offsets.

    >>> segment_of_rows(np.array([0, 2, 2, 3])).tolist()
    [0, 0, 2]
    """
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def segment_min(values: Floats, offsets: Rows) -> Floats:
    """Least value of each of the m segments; infinity for an empty one.

    >>> segment_min(np.array([3.0, 1.0, 2.0]), np.array([0, 2, 2, 3])).tolist()
    [1.0, inf, 2.0]
    """
    lowest = np.full(len(offsets) - 1, np.inf)
    filled = np.flatnonzero(np.diff(offsets))
    if filled.size:
        lowest[filled] = np.minimum.reduceat(values, offsets[filled])
    return lowest


def segment_count(mask: NDArray[np.bool_], segment: Rows, segments: int) -> Rows:
    """How many rows of each of the m segments are true.

    >>> segment_count(np.array([True, True, False]), np.array([0, 0, 2]), 3).tolist()
    [2, 0, 0]
    """
    return np.bincount(segment[mask], minlength=segments)


def first_of_segment(mask: NDArray[np.bool_], segment: Rows, segments: int) -> Rows:
    """First true row of each of the m segments; -1 where none is.

    >>> first_of_segment(np.array([False, True, True]), np.array([0, 0, 2]), 3).tolist()
    [1, -1, 2]
    """
    rows = np.flatnonzero(mask)
    owner = segment[rows]
    leads = np.ones(len(rows), dtype=np.bool_)
    leads[1:] = owner[1:] != owner[:-1]
    first = np.full(segments, -1, dtype=np.int64)
    first[owner[leads]] = rows[leads]
    return first


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
