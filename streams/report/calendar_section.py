"""What comes next: expiries and half days by rule, and the events of a file."""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec
import numpy as np

from streams.calendar.expiries import is_standard_monthly
from streams.calendar.sessions import (
    date_of,
    day_number,
    equity_close_ns,
    is_session,
    next_session,
    open_ns,
    previous_session,
)

NO_CALENDAR: Final = "no calendar: name one as report.calendar_file"
AHEAD: Final = 10
"""Sessions looked ahead."""
_FULL_DAY_NS: Final = int(6.5 * 3600 * 1e9)
_THIRTY_DAYS: Final = 30


class Event(msgspec.Struct, frozen=True, order=True):
    """Something with a date; kinds are `fomc`, `cpi`, `payrolls`, `earnings`, `expiry`, others."""

    day: date
    kind: str
    symbol: str = ""
    when: str = ""
    """`open`, `close` or a time, as the file says."""
    what: str = ""


def next_events(session: date, known: Iterable[Event]) -> tuple[Event, ...]:
    """Events of the next `AHEAD` sessions, in order; those by rule among them.

    >>> [(str(one.day), one.kind) for one in next_events(date(2026, 7, 10), ())]
    [('2026-07-17', 'expiry'), ('2026-07-22', 'vix_expiry')]
    """
    days = _days_ahead(session)
    found = [one for day in days for one in _by_rule(day)]
    return tuple(sorted([*found, *(one for one in known if session < one.day <= days[-1])]))


def sessions_to_next(session: date, known: Iterable[Event]) -> dict[str, int]:
    """Kind → sessions to its next event within `AHEAD`; one on a closed day falls on the next.

    >>> sessions_to_next(date(2026, 7, 10), [Event(date(2026, 7, 18), "cpi")])
    {'expiry': 5, 'cpi': 6, 'vix_expiry': 8}
    """
    days = _days_ahead(session)
    ahead: dict[str, int] = {}
    for one in next_events(session, known):
        ahead.setdefault(one.kind, 1 + bisect_left(days, one.day))
    return ahead


def _days_ahead(session: date) -> list[date]:
    days = [next_session(session)]
    while len(days) < AHEAD:
        days.append(next_session(days[-1]))
    return days


def _by_rule(day: date) -> Iterable[Event]:
    if _monthly(day):
        quarterly = day.month in {3, 6, 9, 12}
        what = "quarterly expiry of options and futures" if quarterly else "monthly option expiry"
        yield Event(day, "expiry", what=what)
    if day == vix_expiry_near(day):
        yield Event(day, "vix_expiry", what="VIX futures and options settle")
    if equity_close_ns(day) - open_ns(day) < _FULL_DAY_NS:
        yield Event(day, "half_day", what="the exchange closes at 13:00 New York")


def vix_expiry_near(day: date) -> date | None:
    """The VIX expiry that falls on this session: 30 days before a standard monthly, or None.

    Where that day is no session it is the one before. Source: Cboe, VIX futures specification.

    >>> vix_expiry_near(date(2026, 7, 22)), vix_expiry_near(date(2026, 7, 21))
    (datetime.date(2026, 7, 22), None)
    """
    for ahead in range(_THIRTY_DAYS, _THIRTY_DAYS + 5):
        monthly = date_of(day_number(day) + ahead)
        if _monthly(monthly):
            due = date_of(day_number(monthly) - _THIRTY_DAYS)
            at = previous_session(date_of(day_number(due) + 1))
            return day if at == day else None
    return None


def _monthly(day: date) -> bool:
    number = np.array([day_number(day)], np.int32)
    return is_session(day) and bool(is_standard_monthly(number)[0])
