"""Columns that hold one value throughout: one number, however many rows."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=512, typed=True)
def uniform(value: np.generic, rows: int) -> NDArray[Any]:
    """One value for all rows, held once: a read-only array of stride 0.

    Frames repeat their lengths and seconds, so it is remembered.
    """
    return np.ndarray((rows,), value.dtype, value.tobytes(), 0, (0,))


def is_uniform(column: NDArray[Any]) -> bool:
    """Whether a column holds one value for all its rows; False may be wrong."""
    return column.strides == (0,) and column.size > 0


def in_order(times: NDArray[np.int64]) -> bool:
    """Whether no time is less than the one before."""
    return int(np.count_nonzero(times[1:] >= times[:-1])) >= times.size - 1
