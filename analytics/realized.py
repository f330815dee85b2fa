"""Realised variance, dispersion and correlation of returns that are not demeaned.

That makes one identity exact: weighted average realised variance = realised basket variance +
realised dispersion^2.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.correlation import implied_correlation
from analytics.dispersion import basket_vol, dispersion
from analytics.finite import finite, finite_float


class RealizedBasket(NamedTuple):
    """What a basket realised over one window.

    Vols are annualised, and NaN stands where the input does not determine a figure.
    """

    correlation: float
    """Against the synthetic basket, whose identity with `dispersion` is exact."""
    dispersion: float
    basket_vol: float
    """sqrt(SUM w RV): realised counterpart of the model-free basket vol."""
    portfolio_vol: float
    """Of the synthetic basket's returns."""
    correlation_index: float
    """The same correlation against the index's own returns; NaN without them."""
    basket_gap: float
    """Realised vol of the index less `portfolio_vol`; NaN without the index."""


# Garbage gives NaN.
@np.errstate(all="ignore")
def realized_basket(
    returns: ArrayLike,
    weights: ArrayLike,
    periods_per_year: float = 252,
    index_returns: ArrayLike | None = None,
) -> RealizedBasket:
    """Realised figures of (t, n) returns at n fixed weights, not demeaned.

    `index_returns` are t returns of the index itself. Overnight returns are periods like any other:
    include them for a close-to-close total. Source: methodology 4.1 and 4.3.

    >>> basket = realized_basket([[0.01, 0.01], [0.02, -0.02]], [0.5, 0.5], 2, [0.012, 0.0])
    >>> [round(figure, 6) for figure in basket]
    [-0.6, 0.02, 0.022361, 0.01, -0.424, 0.002]
    """
    variances = realized_variance(returns, periods_per_year)
    portfolio = float(realized_variance(basket_returns(returns, weights), periods_per_year))
    index = (
        math.nan
        if index_returns is None
        else float(realized_variance(index_returns, periods_per_year))
    )
    figures = (
        realized_correlation(portfolio, weights, variances),
        realized_dispersion(portfolio, weights, variances),
        basket_vol(weights, variances),
        float(np.sqrt(portfolio)),
        realized_correlation(index, weights, variances),
        basket_gap(index, portfolio),
    )
    return RealizedBasket(*(finite_float(figure) for figure in figures))


# Garbage gives NaN.
@np.errstate(all="ignore")
def realized_variance(returns: ArrayLike, periods_per_year: float = 252) -> Floats:
    """Annualised mean(r^2) over axis 0 of (t, ...) returns: shape (...).

    Source: methodology 4.2 (the terms of a variance swap).

    >>> float(realized_variance([0.01, -0.02], 252).round(6))
    0.063
    """
    return finite(
        periods_per_year * np.mean(np.square(np.asarray(returns, dtype=np.float64)), axis=0)
    )


# Garbage gives NaN.
@np.errstate(all="ignore")
def basket_returns(returns: ArrayLike, weights: ArrayLike) -> Floats:
    """r_m = SUM w r of each of t periods.

    It is the synthetic basket of (t, n) returns at n fixed weights, normalised here.

    Source: methodology 4.1.

    >>> basket_returns([[0.02, -0.01, 0.005, -0.03]], [0.4, 0.3, 0.2, 0.1]).round(12).tolist()
    [0.003]
    """
    return finite(np.asarray(returns, dtype=np.float64) @ _normalised(weights))


# Garbage gives NaN.
@np.errstate(all="ignore")
def realized_dispersion(index_variance: float, weights: ArrayLike, variances: ArrayLike) -> float:
    """sqrt(max(SUM w RV - RV_m, 0)): a vol.

    It is from the index (or synthetic basket) variance and n realised variances. Names without a
    variance (NaN) drop out and the weights are renormalised. Source: methodology 4.1.

    >>> round(realized_dispersion(0.03, [0.5, 0.5], [0.04, 0.04]), 6)
    0.1
    """
    level = basket_vol(weights, variances)
    return dispersion(level * level, float(np.sqrt(index_variance)))


# Garbage gives NaN.
@np.errstate(all="ignore")
def realized_correlation(index_variance: float, weights: ArrayLike, variances: ArrayLike) -> float:
    """(RV_I - SUM w^2 RV) / ((SUM w sqrt(RV))^2 - SUM w^2 RV) from n realised variances.

    NaN as `implied_correlation`.

    Source: methodology 4.3; the formula of implied correlation on realised vols.

    >>> round(realized_correlation(0.03, [0.5, 0.5], [0.04, 0.04]), 12)
    0.5
    """
    return implied_correlation(
        float(np.sqrt(index_variance)), weights, np.sqrt(np.asarray(variances, dtype=np.float64))
    )


# Garbage gives NaN.
@np.errstate(all="ignore")
def basket_gap(index_variance: float, basket_variance: float) -> float:
    """Realised vol of the index less that of the synthetic basket, from their variances.

    Source: methodology 4.3.

    >>> round(basket_gap(0.04, 0.0361), 6)
    0.01
    """
    return finite_float(np.sqrt(index_variance) - np.sqrt(basket_variance))


def _normalised(weights: ArrayLike) -> Floats:
    w = np.asarray(weights, dtype=np.float64)
    # Scaled first: the sum of enormous weights stays finite.
    share = w / np.abs(w).max(initial=0.0)
    return np.asarray(share / share.sum())
