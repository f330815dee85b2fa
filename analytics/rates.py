"""Risk-free rates: from published yields to the continuously compounded rate of an expiry."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite

MATURITY_DAYS = {"1m": 30, "2m": 60, "3m": 91, "4m": 120, "6m": 182, "1y": 365}
"""Days of the constant maturity Treasury yields that a curve is made of."""
FEWEST_MATURITIES = 4


# Garbage gives NaN.
@np.errstate(all="ignore")
def continuous_rate(bond_equivalent_yield: ArrayLike) -> Floats:
    """R = ln((1 + BEY/2)^2) = 2 ln(1 + BEY/2) of decimal yields; any shape.

    Source: Cboe volatility index mathematics methodology.

    >>> float(continuous_rate(0.0433).round(6))
    0.042838
    """
    return finite(2 * np.log1p(0.5 * np.asarray(bond_equivalent_yield, dtype=np.float64)))


# Garbage gives NaN.
@np.errstate(all="ignore")
def curve_yield(days: ArrayLike, maturity_days: ArrayLike, yields: ArrayLike) -> Floats:
    """Bond-equivalent yield at `days` (any shape), by natural cubic spline.

    It is bounded by the two adjacent observed yields.
    Outside the observed maturities the nearest yield holds.

    Args:
        days: calendar days to expiry.
        maturity_days: at least 4 ascending maturities in days.
        yields: their par yields, decimals.

    Raises:
        ValueError: fewer than 4 maturities, or not ascending.

    Source: Cboe volatility index mathematics methodology.

    >>> yields = [0.0400, 0.0410, 0.0412, 0.0405]
    >>> curve_yield([30, 45, 400], [30, 60, 91, 182], yields).round(6).tolist()
    [0.04, 0.040572, 0.0405]
    """
    x, y = np.asarray(maturity_days, dtype=np.float64), np.asarray(yields, dtype=np.float64)
    if (
        x.ndim != 1
        or x.shape != y.shape
        or len(x) < FEWEST_MATURITIES
        or not (np.diff(x) > 0).all()
    ):
        raise ValueError(
            f"a curve needs at least {FEWEST_MATURITIES} ascending maturities, got {x.tolist()}"
        )
    at = np.clip(np.asarray(days, dtype=np.float64), x[0], x[-1])
    bend, width = _second_derivatives(x, y), np.diff(x)
    right = np.clip(np.searchsorted(x, at, side="right"), 1, len(x) - 1)
    left = right - 1
    h = width[left]
    a, b = (x[right] - at) / h, (at - x[left]) / h
    value = (
        a * y[left] + b * y[right] + ((a**3 - a) * bend[left] + (b**3 - b) * bend[right]) * h**2 / 6
    )
    return finite(np.clip(value, np.minimum(y[left], y[right]), np.maximum(y[left], y[right])))


def curve_rate(days: ArrayLike, maturity_days: ArrayLike, yields: ArrayLike) -> Floats:
    """Continuously compounded rate at `days`: `continuous_rate` of `curve_yield`.

    It has the arguments and errors of `curve_yield`.

    Source: Cboe volatility index mathematics methodology; methodology 1.5.

    >>> curve_rate([30, 45], [30, 60, 91, 182], [0.0400, 0.0410, 0.0412, 0.0405]).round(6).tolist()
    [0.039605, 0.040166]
    """
    return continuous_rate(curve_yield(days, maturity_days, yields))


def _second_derivatives(x: Floats, y: Floats) -> Floats:
    """Of the natural spline through the points: zero at both ends, continuous slope in between."""
    h = np.diff(x)
    system = np.diag(2 * (h[:-1] + h[1:])) + np.diag(h[1:-1], 1) + np.diag(h[1:-1], -1)
    slope = np.diff(y) / h
    return np.concatenate([[0.0], np.linalg.solve(system, 6 * np.diff(slope)), [0.0]])
