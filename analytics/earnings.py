"""Vol without a coming report: what the other days of a term are worth."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite


# A term that is not known divides NaN.
@np.errstate(all="ignore")
def quiet_variance(
    near: ArrayLike,
    minutes_near: ArrayLike,
    later: ArrayLike,
    minutes_next: ArrayLike,
    reports_near: ArrayLike,
    reports_next: ArrayLike,
    at_tenor: ArrayLike,
) -> Floats:
    """Annualised variance s_d² of n names on days without a report; arguments broadcast.

    T s_T² = (T − 1/252) s_d² + E², E² the variance of a report's day, and s_d is taken where there
    is no report: from the near term if the next alone holds one, else from the time between two
    terms that hold the same. A report adds nothing where s_d² is above the variance at the tenor.
    NaN where it cannot be told apart: one term alone holds it, or each term another number.

    Args:
        near: annualised variance of the near term.
        minutes_near: time to its expiry.
        later: annualised variance of the next term.
        minutes_next: time to its expiry; equal where one term stands alone.
        reports_near: coming reports up to the near expiry.
        reports_next: up to the next.
        at_tenor: annualised variance at the tenor.

    Source: methodology 8.7, "Earnings variance".

    >>> days, quiet, report = np.array([24, 38]), 0.09, 0.0025
    >>> near, later = ((n - 365 / 252) / n * quiet + 365 / n * report for n in days)
    >>> values = [near, 24 * 1440, later, 38 * 1440, 1, 1, 0.12]
    >>> float(quiet_variance(*values).round(12))
    0.09
    """
    v1, t1, v2, t2, k1, k2, whole = (
        np.asarray(one, np.float64)
        for one in (near, minutes_near, later, minutes_next, reports_near, reports_next, at_tenor)
    )
    between = np.where((k1 == k2) & (t2 > t1), (t2 * v2 - t1 * v1) / (t2 - t1), np.nan)
    alone = (k1 == 0) & (t2 > t1)
    quiet = np.where(k2 == 0, whole, np.where(alone, v1, between))
    return finite(np.where(quiet > 0, np.minimum(quiet, whole), np.nan))
