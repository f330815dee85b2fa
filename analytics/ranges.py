"""Realised variance of bars: close-to-close and range estimators, which use high and low too."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite_float


# Garbage gives NaN.
@np.errstate(all="ignore")
def close_to_close(close: ArrayLike, periods_per_year: float = 252) -> float:
    """Annualised sample variance (n - 1) of the log returns of n + 1 closes, demeaned.

    NaN with fewer than two returns.

    Source: textbook estimator. Variance-swap terms do not demean:
    `analytics.realized.realized_variance`.

    >>> round(close_to_close([100.0, 101.0, 100.0, 101.0], 1), 8)
    0.00013201
    """
    returns = np.diff(np.log(np.asarray(close, dtype=np.float64)))
    return (
        finite_float(periods_per_year * np.var(returns, ddof=1))
        if len(returns) > 1
        else float("nan")
    )


# Garbage gives NaN.
@np.errstate(all="ignore")
def parkinson(high: ArrayLike, low: ArrayLike, periods_per_year: float = 252) -> float:
    """Annualised mean ln(H/L)^2 / (4 ln 2) of n bars: no drift, no gaps.

    Source: Parkinson, "The extreme value method", 1980.

    >>> round(parkinson([101.0, 102.0], [99.0, 100.0], 1), 8)
    0.00014286
    """
    return finite_float(
        periods_per_year * np.mean(np.square(_log_ratio(high, low))) / (4 * np.log(2))
    )


# Garbage gives NaN.
@np.errstate(all="ignore")
def garman_klass(
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    periods_per_year: float = 252,
) -> float:
    """Annualised mean of ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2 of n bars: no drift, no gaps.

    Source: Garman and Klass, "On the estimation of security price volatilities", 1980.

    >>> round(garman_klass([100.0], [101.0], [99.0], [100.5], 1), 8)
    0.0001904
    """
    span, body = np.square(_log_ratio(high, low)), np.square(_log_ratio(close, open_))
    return finite_float(periods_per_year * np.mean(0.5 * span - (2 * np.log(2) - 1) * body))


# Garbage gives NaN.
@np.errstate(all="ignore")
def rogers_satchell(
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    periods_per_year: float = 252,
) -> float:
    """Annualised mean of ln(H/C) ln(H/O) + ln(L/C) ln(L/O) of n bars: any drift, no gaps.

    Source: Rogers and Satchell, "Estimating variance from high, low and closing prices", 1991.

    >>> round(rogers_satchell([100.0], [101.0], [99.0], [100.5], 1), 8)
    0.00020052
    """
    up = _log_ratio(high, close) * _log_ratio(high, open_)
    down = _log_ratio(low, close) * _log_ratio(low, open_)
    return finite_float(periods_per_year * np.mean(up + down))


# Garbage gives NaN.
@np.errstate(all="ignore")
def yang_zhang(
    open_: ArrayLike,
    high: ArrayLike,
    low: ArrayLike,
    close: ArrayLike,
    periods_per_year: float = 252,
) -> float:
    """Annualised v_overnight + k v_open_to_close + (1 - k) Rogers-Satchell, for drift and gaps.

    NaN with fewer than three bars. The first bar only gives the close before the second, which
    leaves n = bars - 1; k = 0.34 / (1.34 + (n + 1)/(n - 1)).

    Source: Yang and Zhang, "Drift-independent volatility estimation", 2000.

    >>> bars = (
    ...     [100.0, 101.0, 100.0], [102.0, 102.0, 101.0],
    ...     [99.0, 99.0, 98.0], [101.0, 100.0, 99.0],
    ... )
    >>> round(yang_zhang(*bars, 1), 8)
    0.00036877
    """
    first, top, bottom, last = (np.asarray(x, dtype=np.float64) for x in (open_, high, low, close))
    n = len(first) - 1
    if n < 2:
        return float("nan")
    k = yang_zhang_weight(n)
    overnight = float(np.var(_log_ratio(first[1:], last[:-1]), ddof=1))
    session = float(np.var(_log_ratio(last[1:], first[1:]), ddof=1))
    inside = rogers_satchell(first[1:], top[1:], bottom[1:], last[1:], 1)
    return finite_float(periods_per_year * (overnight + k * session + (1 - k) * inside))


def yang_zhang_weight(n: int) -> float:
    """Weight k = 0.34 / (1.34 + (n + 1) / (n - 1)) of the open-to-close variance, n > 1 bars.

    Source: Yang and Zhang, 2000; methodology 5.

    >>> round(yang_zhang_weight(29), 6)
    0.140995
    """
    return 0.34 / (1.34 + (n + 1) / (n - 1))


def _log_ratio(above: ArrayLike, below: ArrayLike) -> Floats:
    return np.asarray(
        np.log(np.asarray(above, dtype=np.float64) / np.asarray(below, dtype=np.float64))
    )
