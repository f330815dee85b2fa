"""The int64 key of an option contract.

It holds series, expiry, strike and right in 63 bits, ordered in that order.

Sorted keys put the strikes of a strip side by side, the put of a strike before its call, and the
strips of a series together.
"""

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Bools, Floats, Ints

SERIES_LIMIT = 1 << 15
"""Series codes are below this."""
EXPIRY_LIMIT = 1 << 16
"""Expiry days (since 1970-01-01) are below this: the year 2149."""
MILLS_LIMIT = 1 << 31
"""Strikes in thousandths of a dollar are below this."""
SERIES_SHIFT = 48
SEGMENT_SHIFT = 32


def pack(series: Ints, expiry: NDArray[np.int32], strike: Floats, call: Bools) -> Ints:
    """Keys of n contracts; the key of one that does not fit (`fitting`) is meaningless."""
    with np.errstate(invalid="ignore"):
        mills = np.rint(strike * 1000.0).astype(np.int64)
    key = series << SERIES_SHIFT
    key |= expiry.astype(np.int64) << SEGMENT_SHIFT
    key |= mills << 1
    key |= call
    return key


def fitting(series: Ints, expiry: NDArray[np.int32], strike: Floats) -> Bools:
    """Which of n contracts fit into a key.

    A negative series code says that the row is of no interest; it does not fit.
    """
    with np.errstate(invalid="ignore"):
        scaled = np.rint(strike * 1000.0)
        return (
            (series >= 0)
            & (series < SERIES_LIMIT)
            & (expiry >= 0)
            & (expiry < EXPIRY_LIMIT)
            & (scaled >= 1)
            & (scaled < MILLS_LIMIT)
        )


def segment(series: int, expiry: int) -> int:
    """The upper bits of every key of one strip."""
    return series << (SERIES_SHIFT - SEGMENT_SHIFT) | expiry


def day_of(segments: Ints) -> Ints:
    """Expiry days (since 1970-01-01) of the upper bits of keys."""
    return segments & (EXPIRY_LIMIT - 1)


def series_of(key: Ints) -> Ints:
    """Series codes of keys."""
    return key >> SERIES_SHIFT


def strike_of(key: Ints) -> Floats:
    """Strikes of keys, USD."""
    mills: Floats = ((key >> 1) & (MILLS_LIMIT - 1)).astype(np.float64)
    return mills / 1000.0


def is_call(key: Ints) -> Bools:
    """Which keys are calls."""
    return (key & 1).astype(np.bool_)
