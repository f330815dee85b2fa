"""Rotation: what sectors and groups of names do against their index and against each other."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite, finite_float


# Garbage gives NaN.
@np.errstate(all="ignore")
def relative_strength(returns: ArrayLike, index_returns: ArrayLike) -> Floats:
    """(1 + r) / (1 + r_I) - 1 of simple returns over one window; arguments broadcast.

    Source: methodology 9.

    >>> relative_strength([-0.0086, -0.0041], 0.0191).round(4).tolist()
    [-0.0272, -0.0228]
    """
    return finite(
        (1 + np.asarray(returns, dtype=np.float64))
        / (1 + np.asarray(index_returns, dtype=np.float64))
        - 1
    )


# A group without a known name has no return.
@np.errstate(all="ignore")
def group_returns(returns: ArrayLike, members: ArrayLike, least: float = 0.0) -> Floats:
    """Weighted mean returns of g groups from (..., n) returns: (..., g).

    Names without a return (NaN) drop out and the weights are renormalised. A group that has less
    than the share `least` of its weight left is NaN.

    Args:
        returns: simple returns, NaN where unknown.
        members: (n, g) weight of each name in each group, any unit, 0 outside it.
        least: share of a group's weight, in [0, 1].

    Source: methodology 9.

    >>> group_returns([0.02, float("nan"), -0.01], [[1, 0], [1, 0], [0, 2]], least=0.5).tolist()
    [0.02, -0.01]
    """
    r, m = np.asarray(returns, dtype=np.float64), np.asarray(members, dtype=np.float64)
    known = np.isfinite(r)
    weight = known.astype(np.float64) @ m
    return finite(
        np.where(weight >= least * m.sum(axis=0), np.where(known, r, 0.0) @ m / weight, np.nan)
    )


# Garbage gives NaN.
@np.errstate(all="ignore")
def sector_dispersion(returns: ArrayLike, weights: ArrayLike, least: float = 0.0) -> Floats:
    """sqrt(SUM w (r - r_m)^2) over the g sectors with a return, from (..., g) returns: (...).

    The weights are renormalised. NaN with fewer than two sectors, or with less than the share
    `least` of the weight. Source: methodology 4.1 and 9.

    >>> float(sector_dispersion([0.01, -0.01, float("nan")], [2, 2, 1]).round(12))
    0.01
    """
    r, w = np.asarray(returns, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    known = np.isfinite(r)
    share = np.where(known, w, 0.0)
    total = share.sum(axis=-1)
    share = share / total[..., None]
    filled = np.where(known, r, 0.0)
    apart = filled - (share * filled).sum(axis=-1)[..., None]
    enough = (known.sum(axis=-1) > 1) & (total >= least * w.sum())
    return finite(np.where(enough, np.sqrt((share * apart * apart).sum(axis=-1)), np.nan))


def best_less_worst(returns: ArrayLike) -> float:
    """Greatest less least of the known returns: the range of sectors, the spread of a few leaders.

    NaN with fewer than two.

    Source: methodology 9.

    >>> round(best_less_worst([0.1436, -0.0874, 0.0009]), 4)
    0.231
    """
    r = np.asarray(returns, dtype=np.float64)
    known = r[np.isfinite(r)]
    return finite_float(known.max() - known.min()) if known.size > 1 else float("nan")


# Garbage gives NaN.
@np.errstate(all="ignore")
def autocorrelation(changes: ArrayLike) -> float:
    """SUM x_t x_(t-1) / sqrt(SUM x_t^2 SUM x_(t-1)^2) of t changes.

    Below 0 each tends to undo the one before it. Not demeaned: over a handful of changes the sample
    mean alone would push the figure below 0. NaN when a change is unknown, with fewer than three,
    or when nothing moved. Source: methodology 9, test (f).

    >>> autocorrelation([0.01, -0.01, 0.01, -0.01, 0.01])
    -1.0
    """
    x = np.asarray(changes, dtype=np.float64)
    if len(x) < 3:
        return float("nan")
    later, earlier = x[1:], x[:-1]
    return finite_float(later @ earlier / np.sqrt((later @ later) * (earlier @ earlier)))
