"""Expiry conventions: standard monthlies, Friday weeklies, settlement times and minutes to expiry.

Expiries are day numbers (days since 1970-01-01), settlement times int64 nanoseconds UTC. Everything
is looked up in tables by day, because every quote asks. Expiries outside the calendar of
`streams.calendar.sessions` settle at 21:00 UTC of their own date, neither standard nor weekly.
Conventions: "Cboe volatility index mathematics methodology" and "DSPX methodology, November 2024".
"""

from collections.abc import Collection
from datetime import date
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import FIRST_DAY, LAST_DAY, day_number, hours
from streams.records import NS, Series

MINUTE = 60 * NS
MINUTES_PER_YEAR = 525_600

_DAY = 86_400 * NS
_FIRST, _LAST = day_number(FIRST_DAY), day_number(LAST_DAY)
_FAR = 100_000
"""Day numbers are clamped to this before multiplying: the year 2243, within int64 nanoseconds."""


class _ByDay(NamedTuple):
    """One row for each calendar day from `FIRST_DAY` to `LAST_DAY`."""

    settlement: NDArray[np.int64]
    """Equity close of the last session at or before the day."""
    morning: NDArray[np.int64]
    """Open of that session."""
    standard: NDArray[np.bool_]
    weekly: NDArray[np.bool_]


@cache
def _by_day() -> _ByDay:
    table = hours()
    days = np.arange(_FIRST, _LAST + 1, dtype=np.int32)
    last = np.searchsorted(table.day, days, side="right") - 1
    known = last >= 0
    session = np.where(known, table.day[last], days)
    weekday = (days + 3) % 7
    friday = weekday == 4
    third = friday & _third_week(days)
    # A listing dated on a holiday is the one of its last session. So is one dated on the Saturday
    # after (the convention until 2015).
    weekly_session = np.isin(session, session[friday & known])
    standard_session = np.isin(session, session[third & known])
    listed = (session == days) | friday | (weekday == 5)
    return _ByDay(
        settlement=np.where(known, table.equity_close[last], _evening(days)),
        morning=np.where(known, table.open[last], _evening(days)),
        standard=standard_session & listed & known,
        weekly=weekly_session & listed & known,
    )


def _third_week(days: NDArray[np.int32]) -> NDArray[np.bool_]:
    dates = days.astype("datetime64[D]")
    day_of_month: NDArray[np.int64] = (dates - dates.astype("datetime64[M]")).astype(np.int64) + 1
    return (day_of_month >= 15) & (day_of_month <= 21)


def _evening(days: NDArray[np.int32]) -> NDArray[np.int64]:
    return np.clip(days.astype(np.int64), -_FAR, _FAR) * _DAY + 21 * 3600 * NS


def _rows(expiry: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    inside = (expiry >= _FIRST) & (expiry <= _LAST)
    near = expiry if inside.all() else np.clip(expiry, _FIRST, _LAST)
    return near - np.int32(_FIRST), inside


def is_standard_monthly(expiry: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which expiries are standard monthlies.

    These are the third Friday, or the session before when that is a holiday.

    A listing dated on such a holiday, or on the Saturday after the third Friday (the convention
    until 2015), counts too.
    """
    rows, inside = _rows(expiry)
    return _by_day().standard[rows] & inside


def is_friday_weekly(expiry: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Which expiries are those of a Friday, or of the session before when it is a holiday.

    The monthlies are among them.
    """
    rows, inside = _rows(expiry)
    return _by_day().weekly[rows] & inside


def settlement_ns(
    expiry: NDArray[np.int32], morning: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """When contracts stop living: the equity close of the expiry's session.

    It is the session's open where `morning` on a standard monthly.

    `morning` marks the contracts of roots that settle AM (`settles_am`). On a half day the close is
    13:00 ET: the last trade and the closing price that settles the contract happen then, and three
    more hours would be time value that nobody can trade. An expiry on a weekend or holiday settles
    at the session before.
    """
    table = _by_day()
    rows, inside = _rows(expiry)
    settlement = table.settlement[rows]
    if morning is not None and morning.any():
        settlement = np.where(table.standard[rows] & morning, table.morning[rows], settlement)
    return settlement if inside.all() else np.where(inside, settlement, _evening(expiry))


@lru_cache(maxsize=4096)
def settlement_bounds(first: int, last: int) -> tuple[int, int]:
    """The earliest and the latest time (ns) at which contracts may settle.

    The contracts are those of the expiry days from `first` to `last`.
    """
    days = np.array([first, last], np.int32)
    return int(settlement_ns(days, np.ones(2, np.bool_))[0]), int(settlement_ns(days)[1])


def settles_am(series: Collection[Series], am_roots: Collection[str]) -> NDArray[np.bool_]:
    """Which series settle at the open on standard monthlies."""
    return np.array([one.root in am_roots for one in series], np.bool_)


def minutes_to(settlement: NDArray[np.int64], ns: int) -> NDArray[np.int64]:
    """Whole minutes, truncated, from a time to each settlement; at most 0 means expired.

    Worked number of the Cboe methodology, edition 6.0: 2022-09-27 10:45:15 ET to 2022-10-21 09:30
    ET.

    >>> from datetime import datetime
    >>> times = ("2022-09-27T10:45:15-04:00", "2022-10-21T09:30:00-04:00")
    >>> at = [round(datetime.fromisoformat(text).timestamp()) * NS for text in times]
    >>> minutes_to(np.array([at[1]]), at[0]).item()
    34484
    """
    return (settlement - np.int64(ns)) // MINUTE


@lru_cache(maxsize=1024)
def sessions_to_standard_monthly(session: date) -> int | None:
    """Sessions from one session to the next standard monthly expiry, 0 on its own day.

    None at the end of the calendar.

    >>> days = date(2026, 7, 10), date(2026, 7, 20)
    >>> sessions_to_standard_monthly(days[0]), sessions_to_standard_monthly(days[1])
    (5, 24)
    """
    days = hours().day
    ahead = days[np.searchsorted(days, day_number(session)) :][:30]
    found = np.flatnonzero(is_standard_monthly(ahead))
    return int(found[0]) if found.size else None
