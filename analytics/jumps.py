"""Did a session jump? Realised variance against estimators that a single jump does not reach."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gamma

from analytics.arrays import Floats
from analytics.finite import finite_float

# E|Z|^(4/3) of a standard normal.
_MU = 2 ** (2 / 3) * gamma(7 / 6) / gamma(1 / 2)


class JumpTest(NamedTuple):
    """One session of M returns; sums over the session, not annualised."""

    realized: float
    bipower: float
    tripower: float
    share: float
    """max(RV - BV, 0) / RV; NaN without variance."""
    z: float
    """Ratio-max statistic: a jump beyond 2.33 at 1%, beyond 3.09 at 0.1%; NaN without variance."""


# Garbage gives NaN.
@np.errstate(all="ignore")
def bipower_variation(returns: ArrayLike) -> float:
    """(pi/2) (M/(M-1)) SUM |r_i| |r_(i-1)| of M > 1 returns.

    Source: Barndorff-Nielsen and Shephard, "Power and bipower variation", 2004.

    >>> round(bipower_variation([0.01, -0.01, 0.01]), 8)
    0.00047124
    """
    size = _sizes(returns, 2)
    return finite_float(np.pi / 2 * len(size) / (len(size) - 1) * np.dot(size[1:], size[:-1]))


# Garbage gives NaN.
@np.errstate(all="ignore")
def tripower_quarticity(returns: ArrayLike) -> float:
    """M mu^-3 (M/(M-2)) SUM |r_i r_(i-1) r_(i-2)|^(4/3) of M > 2 returns.

    Here mu = E|Z|^(4/3) = 0.830861.

    Source: Huang and Tauchen, "The relative contribution of jumps to total price variance", 2005.

    >>> round(tripower_quarticity([0.01, -0.01, 0.01]) * 1e8, 6)
    15.691249
    """
    size = _sizes(returns, 3)
    m = len(size)
    return finite_float(
        m / _MU**3 * m / (m - 2) * np.sum((size[2:] * size[1:-1] * size[:-2]) ** (4 / 3))
    )


# Garbage gives NaN.
@np.errstate(all="ignore")
def jump_test(returns: ArrayLike) -> JumpTest:
    """Ratio-max jump test of the M > 2 returns of one session.

    The statistic is ((RV - BV)/RV) / sqrt((pi^2/4 + pi - 5)/M max(1, TP/BV^2)).

    Source: Huang and Tauchen, 2005.

    >>> test = jump_test([0.001, -0.001, 0.02, 0.001, -0.001] * 4)
    >>> test.share > 0.5, test.z > 3.09
    (True, True)
    """
    size = _sizes(returns, 3)
    realized, bipower, tripower = (
        float(np.dot(size, size)),
        bipower_variation(size),
        tripower_quarticity(size),
    )
    if not 0 < realized < np.inf:
        return JumpTest(finite_float(realized), bipower, tripower, float("nan"), float("nan"))
    floor = np.maximum(1.0, tripower / np.square(bipower)) if bipower > 0 else 1.0
    z = (realized - bipower) / realized / np.sqrt((np.pi**2 / 4 + np.pi - 5) / len(size) * floor)
    return JumpTest(
        realized, bipower, tripower, max(realized - bipower, 0.0) / realized, finite_float(z)
    )


def _sizes(returns: ArrayLike, least: int) -> Floats:
    size = np.abs(np.asarray(returns, dtype=np.float64))
    if size.ndim != 1 or len(size) < least:
        raise ValueError(f"needs one series of at least {least} returns, got shape {size.shape}")
    return size
