"""A number or nothing.

What an overflow, a zero divisor or the logarithm of garbage leaves is NaN, never an infinity.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats


def finite(values: ArrayLike) -> Floats:
    """The values with NaN for every infinity; any shape.

    >>> finite([1.0, float("inf")]).tolist()
    [1.0, nan]
    """
    numbers = np.asarray(values, dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def finite_float(value: float | np.floating[Any] | Floats) -> float:
    """A plain float of one number, NaN for an infinity.

    >>> finite_float(np.float64(2.0)), finite_float(float("-inf"))
    (2.0, nan)
    """
    number = float(value)
    return number if math.isfinite(number) else math.nan
