"""The index vol that a correlation stands for."""

import math

from numpy.typing import ArrayLike

from analytics.correlation import basket_sums
from analytics.finite import finite_float


def index_vol_at(correlation: float, weights: ArrayLike, vols: ArrayLike) -> float:
    """Index vol sqrt(rho (A^2 - B) + B) of a basket at a given correlation.

    NaN where the variance is negative.

    Source: methodology 3.1, solved for the index vol.
    """
    sums = basket_sums(weights, vols)
    variance = float(correlation) * (sums.vol * sums.vol - sums.diagonal) + sums.diagonal
    return finite_float(math.sqrt(variance)) if variance >= 0 else math.nan
