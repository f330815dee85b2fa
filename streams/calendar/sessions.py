"""XNYS trading sessions: hours, half days and session arithmetic.

The calendar data is in `streams.calendar.exchange_days`. Days are `datetime.date` in scalar
functions and int32 day numbers (days since 1970-01-01) in arrays; times are int64 nanoseconds UTC.
The calendar is fixed, 1990 to 2059, so that no result depends on the day it was computed. Outside
it there are no sessions; no function raises on an absurd date or time.
"""

from bisect import bisect_left, bisect_right
from datetime import date, datetime, time
from functools import cache, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from streams.calendar.exchange_days import CLOSED, EARLY_CLOSES
from streams.records import NS

EASTERN = ZoneInfo("America/New_York")
FIRST_DAY = date(1990, 1, 1)
LAST_DAY = date(2059, 12, 31)
OPTION_CLOSE_DELAY = 15 * 60 * NS
"""Index options trade a quarter of an hour past the equity close."""

_EPOCH = date(1970, 1, 1).toordinal()
_MONDAY = date(1970, 1, 5).toordinal() - _EPOCH
_HOUR = 3600 * NS
_WALL_MIN, _WALL_MAX = date(1900, 1, 1), date(2199, 12, 31)


class Hours(NamedTuple):
    """Every session of the calendar, in order; arrays of length n."""

    day: NDArray[np.int32]
    midnight: NDArray[np.int64]
    """00:00 ET of the session's date."""
    next_midnight: NDArray[np.int64]
    open: NDArray[np.int64]
    equity_close: NDArray[np.int64]
    """16:00 ET, 13:00 on half days (14:00 on some before 1993)."""


@cache
def hours() -> Hours:
    """The whole calendar, built once a process (about 20 ms)."""
    weekdays = np.arange(day_number(FIRST_DAY), day_number(LAST_DAY) + 1, dtype=np.int32)
    weekdays = weekdays[(weekdays - _MONDAY) % 7 < 5]
    day = weekdays[~np.isin(weekdays, _days(CLOSED))]
    midnight = _midnights(day)
    close = np.full(day.size, 16 * _HOUR)
    for hour, days in EARLY_CLOSES.items():
        close[np.isin(day, _days(days))] = hour * _HOUR
    return Hours(
        day=day,
        midnight=midnight,
        next_midnight=midnight + 24 * _HOUR,
        open=midnight + 9 * _HOUR + _HOUR // 2,
        equity_close=midnight + close,
    )


def _days(dates: str) -> NDArray[np.int32]:
    return np.array(dates.split(), "datetime64[D]").astype(np.int32)


def _midnights(days: NDArray[np.int32]) -> NDArray[np.int64]:
    """00:00 ET of weekdays.

    New York sets its clocks on Sundays: a week from Monday on has one offset.
    """
    week, weekday = np.divmod(days.astype(np.int64) - _MONDAY, 7)
    mondays = [_MONDAY + 7 * at for at in range(int(week[0]), int(week[-1]) + 1)]
    starts = np.array([wall_ns(date_of(day), time(0)) for day in mondays], np.int64)
    midnights: NDArray[np.int64] = starts[week - week[0]] + weekday * (24 * _HOUR)
    return midnights


class _Lists(NamedTuple):
    """The same as plain integers.

    Bisecting a list is several times faster than a scalar search in an array.
    """

    day: list[int]
    midnight: list[int]
    next_midnight: list[int]


@cache
def _lists() -> _Lists:
    table = hours()
    return _Lists(table.day.tolist(), table.midnight.tolist(), table.next_midnight.tolist())


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH


def date_of(day: int) -> date:
    """Date of a day number, clamped to the years 1 to 9999.

    >>> date_of(20645).isoformat()
    '2026-07-11'
    """
    return date.fromordinal(min(max(int(day) + _EPOCH, 1), date.max.toordinal()))


def wall_ns(day: date, wall: time) -> int:
    """A New York wall time of a date, which need not be a session.

    Years are clamped to 1900 to 2199.
    """
    moment = datetime.combine(min(max(day, _WALL_MIN), _WALL_MAX), wall, EASTERN)
    return round(moment.timestamp()) * NS


def is_session(day: date) -> bool:
    """Whether the exchange trades on this date."""
    return _index(day) is not None


def previous_session(day: date) -> date:
    """The last session before a date (the calendar's first when there is none)."""
    return _session(bisect_left(_lists().day, day_number(day)) - 1)


def next_session(day: date) -> date:
    """The first session after a date (the calendar's last when there is none)."""
    return _session(bisect_right(_lists().day, day_number(day)))


def shift_session(day: date, sessions: int) -> date:
    """The session so many sessions after (before, when negative) the last one at or before `day`.

    It stops at the calendar's ends.
    """
    return _session(bisect_right(_lists().day, day_number(day)) - 1 + sessions)


def session_of(ns: int) -> date | None:
    """The session whose New York date contains a time; None on weekends and holidays."""
    lists = _lists()
    at = bisect_right(lists.midnight, ns) - 1
    return date_of(lists.day[at]) if at >= 0 and ns < lists.next_midnight[at] else None


def session_days(ns: NDArray[np.int64]) -> NDArray[np.int32]:
    """Day number of the session whose New York date contains each time; -1 where there is none."""
    table = hours()
    at = np.searchsorted(table.midnight, ns, side="right") - 1
    inside = (at >= 0) & (ns < table.next_midnight[at])
    return np.where(inside, table.day[at], np.int32(-1))


def trading_hours(ns: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which times lie on a session's New York date and not after its option close.

    Early quotes of the day count.
    """
    if ns.size and in_trading_hours(int(ns.min()), int(ns.max())):
        # Rows that arrive together are nearly always of one session.
        return np.ones(ns.size, np.bool_)
    table = hours()
    rows = np.searchsorted(table.midnight, ns, side="right") - 1
    return (rows >= 0) & (ns <= table.equity_close[rows] + OPTION_CLOSE_DELAY)


def in_trading_hours(first: int, last: int) -> bool:
    """Whether both times, and so all between them, lie within the hours of one session.

    Hours are as `trading_hours` has them.
    """
    at = bisect_right(_lists().midnight, first) - 1
    return at >= 0 and last <= int(hours().equity_close[at]) + OPTION_CLOSE_DELAY


@lru_cache(maxsize=1024)
def open_ns(day: date) -> int:
    """The session's open, 09:30 ET (also of a date that is no session)."""
    at = _index(day)
    return wall_ns(day, time(9, 30)) if at is None else int(hours().open[at])


@lru_cache(maxsize=1024)
def equity_close_ns(day: date) -> int:
    """The session's equity close: 16:00 ET, 13:00 on half days.

    It is 16:00 of a date that is no session.
    """
    at = _index(day)
    return wall_ns(day, time(16)) if at is None else int(hours().equity_close[at])


def close_ns(day: date) -> int:
    """The session's option close, a quarter of an hour after the equity close.

    It is 16:15 ET, 13:15 on half days.
    """
    return equity_close_ns(day) + OPTION_CLOSE_DELAY


def evaluation_window(day: date) -> tuple[int, int]:
    """When published indices of the basket are calculated: 09:45 ET to the equity close.

    Source: "DSPX methodology, November 2024".
    """
    return open_ns(day) + 15 * 60 * NS, equity_close_ns(day)


def _index(day: date) -> int | None:
    days = _lists().day
    number = day_number(day)
    at = bisect_left(days, number)
    return at if at < len(days) and days[at] == number else None


def _session(at: int) -> date:
    days = _lists().day
    return date_of(days[min(max(at, 0), len(days) - 1)])
