"""The risk-free rate of a day."""

from bisect import bisect_right
from typing import NamedTuple

from streams.market import Rates

STALE_AFTER_DAYS = 5


class DayRate(NamedTuple):
    """A continuously compounded rate, and whether it has been carried too long."""

    rate: float
    stale: bool


def rate_on(rates: Rates, day: int) -> DayRate:
    """The rate of a day (days since 1970-01-01): the last dated one at or before it, else the constant, else zero (stale).

    >>> rate_on(Rates(dated={100: 0.03, 103: 0.04}), 102), rate_on(Rates(dated={100: 0.03}), 106)
    (DayRate(rate=0.03, stale=False), DayRate(rate=0.03, stale=True))
    """
    days = sorted(rates.dated)
    at = bisect_right(days, day) - 1
    if at >= 0:
        return DayRate(rates.dated[days[at]], day - days[at] > STALE_AFTER_DAYS)
    if rates.constant is not None:
        return DayRate(rates.constant, stale=False)
    return DayRate(0.0, stale=True)
