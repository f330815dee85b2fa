"""Exponentially weighted statistics along the first axis, whole histories at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats


def ew_sum(x: ArrayLike, decay: float) -> Floats:
    """y_t = decay y_(t-1) + x_t along axis 0, y before the start being 0; shape of x.

    By doubling: after step j every element holds its last 2^j terms, so t elements take log2(t)
    additions of columns.

    >>> ew_sum([1.0, 1.0, 1.0], 0.5).tolist()
    [1.0, 1.5, 1.75]
    """
    y = np.array(x, dtype=np.float64)
    reach, weight = 1, decay
    while reach < len(y) and weight != 0:
        y[reach:] += weight * y[:-reach]
        reach, weight = 2 * reach, weight * weight
    return y


class EwmaMoments(NamedTuple):
    """Mean and sd of t observations so far, after each of them."""

    mean: Floats
    sd: Floats


# No spread yet, or none at all: no sd.
@np.errstate(all="ignore")
def ew_moments(x: ArrayLike, half_life: float = 20.0) -> EwmaMoments:
    """Mean and sd weighted by 2^(-age/half_life), the sd corrected for bias.

    Shapes are (t, ...) in and out. The sd is NaN until there is spread.

    Source: methodology 8.1; pandas `ewm(halflife=...)`.

    >>> found = ew_moments([1.0, 3.0], half_life=1e9)
    >>> found.mean.round(4).tolist(), found.sd.round(4).tolist()
    ([1.0, 2.0], [nan, 1.4142])
    """
    values = np.asarray(x, dtype=np.float64)
    # A level far from zero would cancel in the squares.
    moved = values - values[:1]
    decay = 0.5 ** (1 / half_life)
    weight, squared = ew_sum(np.ones(len(values)), decay), ew_sum(np.ones(len(values)), decay**2)
    column = (-1,) + (1,) * (values.ndim - 1)
    weight, squared = weight.reshape(column), squared.reshape(column)
    mean = ew_sum(moved, decay) / weight
    variance = (ew_sum(moved**2, decay) / weight - mean**2) * weight**2 / (weight**2 - squared)
    return EwmaMoments(
        mean + values[:1], np.where(variance > 1e-24 * mean**2, np.sqrt(variance), np.nan)
    )


def ewma_z(x: ArrayLike, half_life: float = 20.0) -> Floats:
    """z_t = (x_t - m_(t-1)) / sd_(t-1) of `ew_moments`, scored with the state before x_t.

    Shapes are (t, ...) in and out; z is NaN until sd > 0. With the state after x a shock would mute
    itself. Source: methodology 8.1.

    >>> ewma_z([1.0, 3.0, 4.0, 6.0], half_life=1e9).round(4).tolist()
    [nan, nan, 1.4142, 2.1822]
    """
    values = np.asarray(x, dtype=np.float64)
    mean, sd = ew_moments(values, half_life)
    scores = np.full(values.shape, np.nan)
    scores[1:] = (values[1:] - mean[:-1]) / sd[:-1]
    return scores
