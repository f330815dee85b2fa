"""Dispersion: the model-free pair index_vol and basket_vol, and what is read off it."""

from typing import overload

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite, finite_float

# |d ln index_vol| below which a share of the move has no meaning.
_SMALLEST_MOVE = 0.01


# Garbage gives NaN.
@np.errstate(all="ignore")
def basket_vol(weights: ArrayLike, variances: ArrayLike) -> float:
    """sqrt(SUM w v) over the names with a variance, weights renormalised over them.

    NaN if there is none.

    Args:
        weights: n weights in any unit, >= 0.
        variances: n annualised variances, NaN where unknown.

    Source: DSPX methodology, November 2024 (VIXEQ / 100).

    >>> round(basket_vol([0.4, 0.25, 0.2, 0.15], [0.09, 0.0625, 0.16, 0.04]), 6)
    0.299374
    """
    w, v = np.asarray(weights, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    known = np.isfinite(v) & (v >= 0) & (w > 0) & (w < np.inf)
    if not known.any():
        return float("nan")
    # Scaled first: the sum of enormous weights stays finite.
    share = w[known] / w[known].max()
    return finite_float(np.sqrt(np.dot(share / share.sum(), v[known])))


@overload
def dispersion(basket_variance: float, index_vol: float) -> float: ...
@overload
def dispersion(basket_variance: Floats, index_vol: Floats) -> Floats: ...
# Garbage gives NaN.
@np.errstate(all="ignore")
def dispersion(basket_variance: float | Floats, index_vol: float | Floats) -> float | Floats:
    """sqrt(max(basket_variance - index_vol^2, 0)), a vol; NaN where either is.

    Scalars or arrays of one shape.

    Source: DSPX methodology, November 2024 (DSPX / 100).

    >>> round(dispersion(0.4111**2, 0.1643), 4)
    0.3768
    """
    return _plain(np.sqrt(np.maximum(np.subtract(basket_variance, np.square(index_vol)), 0.0)))


@overload
def variance_ratio(index_vol: float, basket_vol: float) -> float: ...
@overload
def variance_ratio(index_vol: Floats, basket_vol: Floats) -> Floats: ...
# Garbage gives NaN.
@np.errstate(all="ignore")
def variance_ratio(index_vol: float | Floats, basket_vol: float | Floats) -> float | Floats:
    """(index_vol / basket_vol)^2; NaN for a basket vol of zero. Scalars or arrays of one shape.

    Source: methodology, "Names".

    >>> round(variance_ratio(0.18, 0.299374), 4)
    0.3615
    """
    return _plain(np.square(_ratio(index_vol, basket_vol)))


@overload
def vol_ratio(index_vol: float, basket_vol: float) -> float: ...
@overload
def vol_ratio(index_vol: Floats, basket_vol: Floats) -> Floats: ...
# Garbage gives NaN.
@np.errstate(all="ignore")
def vol_ratio(index_vol: float | Floats, basket_vol: float | Floats) -> float | Floats:
    """basket_vol / index_vol (VIXEQ / VIX); NaN for an index vol of zero.

    Scalars or arrays of one shape.

    Source: methodology, "Names".

    >>> round(vol_ratio(0.1643, 0.4111), 3)
    2.502
    """
    return _plain(_ratio(basket_vol, index_vol))


@overload
def vol_spread(index_vol: float, basket_vol: float) -> float: ...
@overload
def vol_spread(index_vol: Floats, basket_vol: Floats) -> Floats: ...
# Garbage gives NaN.
@np.errstate(all="ignore")
def vol_spread(index_vol: float | Floats, basket_vol: float | Floats) -> float | Floats:
    """basket_vol - index_vol (VIXEQ - VIX over 100). Scalars or arrays of one shape.

    Source: methodology, "Names".

    >>> round(vol_spread(0.1643, 0.4111), 4)
    0.2468
    """
    return _plain(np.subtract(basket_vol, index_vol))


# A vol that is not positive has no logarithm and gives NaN.
@np.errstate(all="ignore")
def correlation_share(
    index_before: ArrayLike,
    index_after: ArrayLike,
    basket_before: ArrayLike,
    basket_after: ArrayLike,
) -> float | Floats:
    """1 - d ln(basket_vol) / d ln(index_vol): the part of an index vol move that is correlation.

    Arguments broadcast. NaN where |d ln(index_vol)| < 0.01. Can leave [0, 1]: above 1 single-name
    vol fell. Source: methodology 8.5.

    >>> round(float(correlation_share(0.1643, 0.2166, 0.4111, 0.4477)), 2)
    0.69
    """
    index_move = np.log(_ratio(index_after, index_before))
    basket_move = np.log(_ratio(basket_after, basket_before))
    return _plain(
        np.where(np.abs(index_move) >= _SMALLEST_MOVE, 1 - basket_move / index_move, np.nan)
    )


# Garbage gives NaN.
@np.errstate(all="ignore")
def adverse_share(index_change: ArrayLike, basket_change: ArrayLike) -> float | Floats:
    """max(dV_I, 0) / (max(dV_I, 0) + max(-dV_B, 0)).

    It tells whether index vol rose, or single-name vol fell. Arguments broadcast.
    NaN where neither happened. Source: methodology 8.4.

    >>> round(float(adverse_share(0.0045, -0.0278)), 2)
    0.14
    """
    rise, fall = np.maximum(index_change, 0.0), np.maximum(np.negative(basket_change), 0.0)
    return _plain(_ratio(rise, rise + fall))


# A zero denominator is NaN by rule.
@np.errstate(all="ignore")
def _ratio(numerator: ArrayLike, denominator: ArrayLike) -> Floats:
    bottom = np.asarray(denominator, dtype=np.float64)
    return np.asarray(
        np.asarray(numerator, dtype=np.float64) / np.where(bottom == 0, np.nan, bottom)
    )


def _plain(value: ArrayLike) -> float | Floats:
    """A Python float for a scalar: records that leave the process hold plain floats."""
    array = finite(value)
    return array if array.ndim else float(array)
