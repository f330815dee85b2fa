"""Near and next term: which two expiries an underlying's value at a tenor is made of.

Two rules: bracketing the tenor, for indices ("Cboe volatility index mathematics methodology",
bracket method, and our methodology), and standard monthlies, for the constituents at 30 days ("DSPX
methodology, November 2024"; its two last steps are ours).
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from streams.calendar.expiries import MINUTE
from streams.valuation.listings import Expiry

DAY_MINUTES = 1440
WEEKLIES_UP_TO = 30
"""Tenors in days up to which Friday weeklies are candidates beside the monthlies."""
NEAREST, FURTHEST = 7 * DAY_MINUTES, 60 * DAY_MINUTES
"""At 30 days the near term is not nearer and the next not further than this."""
ALONE = range(20, 41)
"""Days to an expiry that stands for 30 days without a partner."""
FOREVER = 1 << 62

TermReason = Literal["", "no_near_term", "no_next_term", "not_bracketed", "adjusted_series_alone"]


class Terms(NamedTuple):
    """A choice; both terms are None unless `reason` is empty.

    They are the same where one stands alone.
    """

    near: Expiry | None
    next: Expiry | None
    reason: TermReason
    fallback: bool = False
    """The near term is nearer than the DSPX methodology allows."""
    until: int = FOREVER
    """The choice holds to this time (ns, included).

    That is so if nothing is listed meanwhile and the day does not change.
    """


def bracketing(expiries: Sequence[Expiry], tenor_days: int, boundary: int) -> Terms:
    """The last expiry within the tenor and the first beyond it, in minutes.

    Nothing is extrapolated.

    Args:
        expiries: ascending, one for each date.
        tenor_days: up to 30 days the candidates are Friday weeklies and monthlies, beyond it
            monthlies alone.
        boundary: nanoseconds.
    """
    candidates = [
        one for one in expiries if (one.friday if tenor_days <= WEEKLIES_UP_TO else one.standard)
    ]
    tenor, bounded = tenor_days * DAY_MINUTES, tenor_days == WEEKLIES_UP_TO
    limits = (0, tenor, NEAREST - 1, FURTHEST) if bounded else (0, tenor)
    until = min(
        (
            at
            for one in candidates
            for limit in limits
            if (at := one.settles - (limit + 1) * MINUTE) >= boundary
        ),
        default=FOREVER,
    )
    within = [one for one in candidates if 0 < _minutes(one, boundary) <= tenor]
    beyond = [one for one in candidates if _minutes(one, boundary) > tenor]
    if not within or not beyond:
        return Terms(None, None, "no_next_term" if within else "no_near_term", until=until)
    near, following = within[-1], beyond[0]
    if bounded and (_minutes(near, boundary) < NEAREST or _minutes(following, boundary) > FURTHEST):
        return Terms(None, None, "not_bracketed", until=until)
    return Terms(near, following, "", until=until)


def standard_monthlies(expiries: Sequence[Expiry], today: int, *, strict: bool = False) -> Terms:
    """The standard monthlies 10 to 30 and 31 to 120 days out.

    A missing one is replaced by the Friday weekly closest to 30 days.

    Unless `strict`, a near term that is still missing is the nearest standard monthly with at least
    3 days (`fallback`): in about a third of the sessions there is none 10 to 30 days out, and many
    names list no weeklies there. Where either term is missing even so, the monthly or Friday weekly
    closest to 30 days stands alone for the tenor, if it is within `ALONE`.

    Args:
        expiries: ascending, one for each date.
        today: days since 1970-01-01, New York.
        strict: the DSPX rule as published.
    """
    near = _standard_or_friday(expiries, today, 10, 30)
    fallback = near is None and not strict
    if fallback:
        near = next((one for one in expiries if one.standard and 3 <= one.day - today <= 30), None)
    following = _standard_or_friday(expiries, today, 31, 120)
    if near is not None and following is not None:
        return Terms(near, following, "", fallback)
    alone = None if strict else _closest(expiries, today)
    if alone is not None:
        return Terms(alone, alone, "")
    return Terms(None, None, "no_near_term" if near is None else "no_next_term")


def _closest(expiries: Sequence[Expiry], today: int) -> Expiry | None:
    """Of two at the same distance the monthly, else the nearer one."""
    return min(
        (one for one in expiries if one.friday and one.day - today in ALONE),
        key=lambda one: (abs(one.day - today - 30), not one.standard, one.day),
        default=None,
    )


def _minutes(expiry: Expiry, boundary: int) -> int:
    return (expiry.settles - boundary) // MINUTE


def _standard_or_friday(
    expiries: Sequence[Expiry], today: int, first: int, last: int
) -> Expiry | None:
    inside = [one for one in expiries if first <= one.day - today <= last]
    standard = next((one for one in inside if one.standard), None)
    if standard is not None:
        return standard
    return min(
        (one for one in inside if one.friday),
        key=lambda one: abs(one.day - today - 30),
        default=None,
    )
