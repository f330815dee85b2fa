"""Total volatility from a normalised out-of-the-money price.

A one-dimensional guess comes first, then Householder steps in a bracket.

Everything is normalised to k = |ln(F/K)| and beta = time value / min(F, K), a number in (0, 1) that
holds for calls and puts alike: beta(v) = N(d1) - e^k N(d2), d1 = v/2 - k/v, d2 = d1 - v, with the
total volatility v = sigma sqrt(T).
ln beta is concave in v, which is why a bracketed search on it cannot fail.
"""

from typing import NamedTuple

import numpy as np

from analytics.arrays import Floats
from analytics.special_functions import erfcx

_SQRT_HALF = np.sqrt(0.5)
_SQRT_TWO_OVER_PI = np.sqrt(2 / np.pi)
# Beyond it beta rounds to one.
_LARGEST_D1 = 8.5
_ULPS = 1e-15
# A fourth-order step whose Newton part is this small, relative to v, leaves an error below one ulp.
_SETTLED = 1e-5


class Root(NamedTuple):
    """Total volatility and d ln(beta) / d ln(v) there; NaN where beta is not in (0, 1)."""

    total_vol: Floats
    elasticity: Floats


# Rows without a root pass through as NaN.
@np.errstate(all="ignore")
def solve_total_vol(k: Floats, beta: Floats) -> Root:
    """Total volatility v of n normalised prices, to a few ulp of what the price determines.

    Args:
        k: |ln(F/K)|, n numbers >= 0.
        beta: time value / min(F, K), n numbers in (0, 1).

    Source: Householder's third-order iteration on the log price, after Jaeckel, "Let's Be
    Rational", 2016; the guess is the inverse of Bachelier's formula, which depends on beta / k
    alone.

    >>> solve_total_vol(np.array([0.1]), np.array([0.0414816885])).total_vol.round(7).tolist()
    [0.2]
    """
    target = np.log(np.where((beta > 0) & (beta < 1) & (k >= 0) & (k < np.inf), beta, np.nan))
    upper = _LARGEST_D1 + np.sqrt(_LARGEST_D1**2 + 2 * k)
    vol = np.minimum(_guess(k, target), upper)
    vol = np.minimum(vol - _step(k, target, vol).change, upper)
    step = _step(k, target, vol)
    slope, vol = step.slope, vol - step.change
    open_rows = np.flatnonzero(
        ~((np.abs(step.newton) <= _SETTLED * vol) & (vol <= upper)) & ~np.isnan(target)
    )
    if open_rows.size:
        vol[open_rows], slope[open_rows] = _bracketed(
            k[open_rows], target[open_rows], upper[open_rows]
        )
    return Root(vol, slope * vol)


class _Step(NamedTuple):
    change: Floats
    """What to take off v."""
    newton: Floats
    """What Newton's step would take off: the excess of ln beta over its slope.

    Only this measures the distance left.
    """
    slope: Floats
    """d ln(beta) / dv."""


def _step(k: Floats, target: Floats, vol: Floats) -> _Step:
    """One Householder step of order four on ln beta.

    The erfcx form keeps every digit of the far wings.
    """
    d1 = 0.5 * vol - k / vol
    tails = erfcx(-_SQRT_HALF * d1) - erfcx(_SQRT_HALF * (vol - d1))
    excess = np.log(0.5 * tails) - 0.5 * d1 * d1 - target
    slope = _SQRT_TWO_OVER_PI / tails
    newton = excess / slope
    ratio = k / vol
    # Second derivative over slope.
    curl = ratio * ratio / vol - 0.25 * vol - slope
    # Third derivative over slope.
    third = curl * curl - slope * curl - 3 * (ratio / vol) ** 2 - 0.25
    change = newton * (1 - 0.5 * curl * newton) / (1 - curl * newton + third * newton * newton / 6)
    return _Step(change, newton, slope)


def _bracketed(k: Floats, target: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """The same steps for the few rows whose guess was poor.

    Each is kept inside its bracket and bisected when it leaves.
    """
    low, high = np.zeros_like(k), upper.copy()
    vol, slope = np.minimum(np.sqrt(2 * k) + 1e-3, 0.5 * upper), np.full_like(k, np.nan)
    rows = np.arange(len(k))
    for _ in range(100):
        here, step = vol[rows], _step(k[rows], target[rows], vol[rows])
        slope[rows] = step.slope
        above = step.newton > 0
        high[rows], low[rows] = np.where(above, here, high[rows]), np.where(above, low[rows], here)
        moved = here - step.change
        settled = np.abs(step.newton) <= _SETTLED * here
        inside = settled | ((moved > low[rows]) & (moved < high[rows]))
        vol[rows] = np.where(inside, moved, 0.5 * (low[rows] + high[rows]))
        rows = rows[~settled & (high[rows] - low[rows] > _ULPS * here)]
        if not rows.size:
            break
    return vol, slope


def _guess(k: Floats, target: Floats) -> Floats:
    """Bachelier's total volatility, with its first lognormal correction.

    It is read off a table of h = k/v against ln(price/k).
    """
    distance = np.maximum(k, _NEAREST_K)
    h = np.exp(np.interp(target - 0.5 * k - np.log(distance), _LOG_PRICE, _LOG_H))
    vol = distance / h
    return np.asarray(vol * (1 + vol * vol / (24 + 8 * h * h)))


def _bachelier_table() -> tuple[Floats, Floats]:
    """ln(n(h)/h - N(-h)), ascending, and ln h."""
    log_h = np.linspace(np.log(60.0), np.log(1e-13), 600)
    h = np.exp(log_h)
    return -0.5 * h * h + np.log(1 / (h * np.sqrt(2 * np.pi)) - 0.5 * erfcx(_SQRT_HALF * h)), log_h


_NEAREST_K = 1e-12
_LOG_PRICE, _LOG_H = _bachelier_table()
