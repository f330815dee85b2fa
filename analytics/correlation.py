"""Implied correlation of a basket.

It is the average pairwise correlation at which the basket's vols give the index vol.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite_float

# Of present names, for the names that are missing.
_UPPER_VOLS, _LOWER_VOLS = 0.95, 0.05
# Relative A^2 - B below which only rounding is left: one name.
_ROUNDING = 1e-14


class BasketSums(NamedTuple):
    """What the correlation formula needs of a basket."""

    vol: float
    """A = SUM w s, weights renormalised over the names with a vol."""
    diagonal: float
    """B = SUM w^2 s^2."""


# Sums of absurd vols overflow to infinity, which no correlation survives.
@np.errstate(all="ignore")
def basket_sums(weights: ArrayLike, vols: ArrayLike) -> BasketSums:
    """A and B of n names over those with a vol and a positive weight; NaN if there is none.

    Source: methodology 3.1.

    >>> sums = basket_sums([0.4, 0.25, 0.2, 0.15], [0.3, 0.25, 0.4, 0.2])
    >>> round(sums.vol, 12), round(sums.diagonal, 12)
    (0.2925, 0.02560625)
    """
    w, s = np.asarray(weights, dtype=np.float64), np.asarray(vols, dtype=np.float64)
    known = np.isfinite(s) & (s >= 0) & (w > 0) & (w < np.inf)
    if not known.any():
        return BasketSums(math.nan, math.nan)
    # Scaled first: the sum of enormous weights stays finite.
    share = w[known] / w[known].max()
    parts = share / share.sum() * s[known]
    return BasketSums(float(parts.sum()), float(np.dot(parts, parts)))


def implied_correlation(index_vol: float, weights: ArrayLike, vols: ArrayLike) -> float:
    """Implied rho = (s_I^2 - B) / (A^2 - B), not clipped.

    NaN where A^2 = B (one name left) or an input is unknown.

    Args:
        index_vol: 50-delta vol of the index, decimal.
        weights: n weights in any unit; renormalised over names with a vol.
        vols: n 50-delta vols, NaN where unknown.

    Source: Cboe implied correlation white paper (COR1M / 100).

    >>> round(implied_correlation(0.18, [0.4, 0.25, 0.2, 0.15], [0.3, 0.25, 0.4, 0.2]), 7)
    0.1133236
    """
    return _correlation(float(index_vol), basket_sums(weights, vols))


SKEW_DELTAS = (0.10, 0.30, 0.70, 0.90)
"""Forward call deltas of the skew.

0.10 lies among the calls, 0.90 among the puts and reads higher.
"""


def implied_correlation_skew(index_vols: ArrayLike, weights: ArrayLike, vols: ArrayLike) -> Floats:
    """Implied correlation at each of d deltas; NaN where one is unknown.

    The formula is that of `implied_correlation` on the vols at that delta.

    Args:
        index_vols: d vols of the index, one a delta (`analytics.atm.delta_vols`, each interpolated
            to the tenor).
        weights: n weights in any unit; at each delta renormalised over the names with a vol there.
        vols: (n, d) vols of the names.

    Source: Cboe implied correlation indices by delta (COR10D, COR30D, COR70D, COR90D); call deltas
    are our convention.

    >>> calls, puts = [0.25, 0.22, 0.35, 0.18], [0.38, 0.31, 0.48, 0.26]
    >>> weights, vols = [0.4, 0.25, 0.2, 0.15], np.transpose([calls, puts])
    >>> implied_correlation_skew([0.14, 0.27], weights, vols).round(4).tolist()
    [0.0211, 0.3554]
    """
    columns = np.asarray(vols, dtype=np.float64).T
    return np.array(
        [
            implied_correlation(vol, weights, column)
            for vol, column in zip(np.asarray(index_vols), columns, strict=True)
        ]
    )


def correlation_bounds(
    index_vol: float,
    weights_all: ArrayLike,
    vols_with_nan: ArrayLike,
    carried: ArrayLike | None = None,
) -> tuple[float, float]:
    """(lower, upper) of rho over the full weights; they enclose `implied_correlation`.

    Names without a vol, and those whose vol is `carried`, are at the weighted 95th and 5th
    percentile of the other names' vols (of all that are known, where every vol is carried). Without
    such a name both equal `implied_correlation`. Source: methodology 3.1; that the value itself,
    which leaves missing names out, belongs into the band, and carried names, is ours.

    >>> weights, vols = [0.4, 0.25, 0.2, 0.15], [0.3, 0.25, 0.4, float("nan")]
    >>> lower, upper = correlation_bounds(0.25, weights, vols)
    >>> round(lower, 4), round(upper, 4), round(implied_correlation(0.25, weights, vols), 4)
    (0.4517, 0.5696, 0.4627)
    """
    w, s = np.asarray(weights_all, dtype=np.float64), np.asarray(vols_with_nan, dtype=np.float64)
    known = np.isfinite(s) & (s >= 0)
    if not known.any():
        return math.nan, math.nan
    old = np.zeros(s.shape, np.bool_) if carried is None else np.asarray(carried, dtype=np.bool_)
    sure = known & ~old if (known & ~old).any() else known
    at = [weighted_percentile(s[sure], w[sure], share) for share in (_UPPER_VOLS, _LOWER_VOLS)]
    doubtful = ~known | old
    bounds = [implied_correlation(index_vol, w, np.where(doubtful, vol, s)) for vol in at]
    bounds.append(implied_correlation(index_vol, w, s))
    found = [bound for bound in bounds if math.isfinite(bound)]
    return (min(found), max(found)) if found else (math.nan, math.nan)


def weighted_percentile(values: ArrayLike, weights: ArrayLike, share: float) -> float:
    """Least of n values at or below which at least `share` of the weight lies.

    NaN without positive weight.

    Source: methodology 3.1, bounds from missing names.

    >>> weighted_percentile([0.2, 0.4, 0.3], [1.0, 1.0, 2.0], 0.5)
    0.3
    """
    x, w = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    order = np.argsort(x, kind="stable")
    order = order[(w[order] > 0) & (w[order] < np.inf)]
    if not order.size:
        return math.nan
    cumulative = np.cumsum(w[order] / w[order].max())
    reached = int(np.searchsorted(cumulative, share * cumulative[-1] * (1 - 1e-12)))
    return float(x[order][min(reached, len(order) - 1)])


def cross_term(sums: BasketSums) -> float:
    """A^2 - B, the pairwise products; NaN when nothing but rounding is left of it (one name).

    Source: methodology 3.1.

    >>> round(cross_term(BasketSums(0.2925, 0.02560625)), 9), cross_term(BasketSums(0.3, 0.09))
    (0.05995, nan)
    """
    square = sums.vol * sums.vol
    cross = square - sums.diagonal
    return cross if cross > _ROUNDING * square and math.isfinite(cross) else math.nan


def _correlation(index_vol: float, sums: BasketSums) -> float:
    value = (index_vol * index_vol - sums.diagonal) / cross_term(sums)
    return finite_float(value)
