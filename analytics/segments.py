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
