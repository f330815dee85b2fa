"""The formula of the index provider for the cross-section of returns, written out."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.realized import basket_returns


def cross_sectional_dispersion(returns: ArrayLike, weights: ArrayLike) -> Floats:
    """D_t = sqrt(SUM w (r - r_m)^2) of each of t periods from (t, n) returns.

    >>> returns = [[0.02, -0.01, 0.005, -0.03]]
    >>> cross_sectional_dispersion(returns, [0.4, 0.3, 0.2, 0.1]).round(6).tolist()
    [0.016613]
    """
    r, w = np.asarray(returns, np.float64), np.asarray(weights, np.float64)
    apart = r - basket_returns(r, w)[:, None]
    return np.asarray(np.sqrt(np.square(apart) @ (w / w.sum())))
