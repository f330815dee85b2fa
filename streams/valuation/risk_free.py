"""The risk-free rate of a day, for each expiry."""

from bisect import bisect_right
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.rates import curve_rate
from streams.market import Curve, Rates

STALE_AFTER_DAYS = 5


class DayRate(NamedTuple):
    """The rates of one day, and whether they have been carried too long."""

    rate: float
    """Continuously compounded, for every expiry; means nothing where there is a curve."""
    stale: bool
    curve: Curve | None = None

    def at(self, days: NDArray[np.int64]) -> NDArray[np.float64]:
        """Continuously compounded rates of expiries so many calendar days ahead.

        The shape is that of `days`.

        >>> curve = Curve((30, 60, 91, 182), (0.04, 0.041, 0.0412, 0.0405))
        >>> DayRate(0.0, False, curve).at(np.array([30, 45])).round(6).tolist()
        [0.039605, 0.040166]
        """
        return (
            np.full(days.shape, self.rate) if self.curve is None else curve_rate(days, *self.curve)
        )


def rate_on(rates: Rates, day: int) -> DayRate:
    """The rate of a day (days since 1970-01-01).

    It is the last dated one at or before it, else the constant, else zero (stale).

    >>> rates = Rates(dated={100: 0.03, 103: 0.04})
    >>> rate_on(rates, 102).rate, rate_on(Rates(dated={100: 0.03}), 106).stale
    (0.03, True)
    """
    days = sorted(rates.dated.keys() | rates.curves.keys())
    at = bisect_right(days, day) - 1
    if at >= 0:
        last = days[at]
        return DayRate(
            rates.dated.get(last, 0.0), day - last > STALE_AFTER_DAYS, rates.curves.get(last)
        )
    if rates.constant is not None:
        return DayRate(rates.constant, stale=False)
    return DayRate(0.0, stale=True)
