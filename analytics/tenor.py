"""Constant maturity: total variance, linear in time between two expiries."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite

MINUTES_PER_DAY = 1_440
MINUTES_PER_YEAR = 525_600


# Terms that do not bracket the tenor divide by zero and are NaN by rule.
@np.errstate(all="ignore")
def interpolate_variance(
    variance_near: ArrayLike,
    minutes_near: ArrayLike,
    variance_next: ArrayLike,
    minutes_next: ArrayLike,
    tenor_days: ArrayLike,
) -> Floats:
    """Annualised variance at a tenor from those of two expiries; arguments broadcast.

    { T1 v1 (N2 - N) / (N2 - N1) + T2 v2 (N - N1) / (N2 - N1) } N365 / N, with N in minutes. NaN
    where the expiries do not bracket the tenor: nothing is extrapolated. An expiry exactly at the
    tenor needs no partner.

    Source: Cboe volatility index mathematics methodology.

    >>> variance = interpolate_variance(0.01846292, 35_924, 0.01882101, 46_394, 30)
    >>> round(100 * float(variance) ** 0.5, 3)
    13.686
    """
    near, nearer, later, further = (
        np.asarray(x, dtype=np.float64)
        for x in (variance_near, minutes_near, variance_next, minutes_next)
    )
    tenor = np.asarray(tenor_days, dtype=np.float64) * MINUTES_PER_DAY
    share = (tenor - nearer) / (further - nearer)
    between = (nearer * near * (1 - share) + further * later * share) / tenor
    bracketed = (nearer < tenor) & (tenor < further)
    exact = np.where(nearer == tenor, near, np.where(further == tenor, later, np.nan))
    return finite(np.where(bracketed & (nearer > 0), between, exact))


# a NaN or refused variance stays NaN.
@np.errstate(all="ignore")
def interpolate_vol(
    vol_near: ArrayLike,
    minutes_near: ArrayLike,
    vol_next: ArrayLike,
    minutes_next: ArrayLike,
    tenor_days: ArrayLike,
) -> Floats:
    """Annualised vol at a tenor, linear in total variance between the vols of two expiries.

    Both vols are at the same delta.

    Source: methodology 3.3.

    >>> float(interpolate_vol(0.2, 30_000, 0.2, 60_000, 30).round(12))
    0.2
    """
    near, later = (
        np.square(np.asarray(vol_near, dtype=np.float64)),
        np.square(np.asarray(vol_next, dtype=np.float64)),
    )
    return np.asarray(
        np.sqrt(interpolate_variance(near, minutes_near, later, minutes_next, tenor_days))
    )
