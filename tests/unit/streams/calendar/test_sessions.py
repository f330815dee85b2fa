"""The calendar: hours, half days, holidays, and times that make no sense."""

from datetime import UTC, date, datetime, time

import numpy as np
import pytest

from streams.calendar import sessions
from streams.records import NS


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * NS


@pytest.mark.parametrize(
    ("day", "opens", "equity", "closes"),
    [
        (
            "2026-07-10",
            "2026-07-10T09:30-04:00",
            "2026-07-10T16:00-04:00",
            "2026-07-10T16:15-04:00",
        ),
        (
            "2026-01-05",
            "2026-01-05T09:30-05:00",
            "2026-01-05T16:00-05:00",
            "2026-01-05T16:15-05:00",
        ),
        (
            "2025-11-28",
            "2025-11-28T09:30-05:00",
            "2025-11-28T13:00-05:00",
            "2025-11-28T13:15-05:00",
        ),
        (
            "2015-12-24",
            "2015-12-24T09:30-05:00",
            "2015-12-24T13:00-05:00",
            "2015-12-24T13:15-05:00",
        ),
    ],
)
def test_hours_follow_daylight_saving_and_half_days(
    day: str, opens: str, equity: str, closes: str
) -> None:
    session = date.fromisoformat(day)
    assert sessions.open_ns(session) == ns(opens)
    assert sessions.equity_close_ns(session) == ns(equity)
    assert sessions.close_ns(session) == ns(closes)
    assert sessions.evaluation_window(session) == (ns(opens) + 15 * 60 * NS, ns(equity))


def test_a_time_belongs_to_the_session_of_its_new_york_date() -> None:
    friday = date(2026, 7, 10)
    assert sessions.session_of(ns("2026-07-10T00:00-04:00")) == friday
    assert sessions.session_of(ns("2026-07-10T23:59:59-04:00")) == friday
    assert sessions.session_of(ns("2026-07-09T23:59:59-04:00")) == date(2026, 7, 9)
    assert sessions.session_of(ns("2026-07-11T12:00-04:00")) is None
    assert sessions.session_of(ns("2026-07-03T12:00-04:00")) is None  # Independence Day observed


def test_arrays_say_the_same_as_single_times() -> None:
    times = np.array([ns("2026-07-10T00:00-04:00") + hour * 3600 * NS for hour in range(-50, 100)])
    days = sessions.session_days(times)
    single = [sessions.session_of(int(one)) for one in times]
    assert [None if day < 0 else sessions.date_of(int(day)) for day in days] == single
    assert None in single


def test_trading_hours_end_with_the_option_close() -> None:
    close = sessions.close_ns(date(2025, 11, 28))
    inside = sessions.trading_hours(
        np.array([close - 7 * 3600 * NS, close, close + 1, ns("2025-11-29T10:00-05:00"), -(2**63)])
    )
    assert inside.tolist() == [True, True, False, False, False]


def test_session_arithmetic() -> None:
    assert sessions.is_session(date(2026, 7, 2))
    assert not sessions.is_session(date(2026, 7, 3))
    assert sessions.previous_session(date(2026, 7, 6)) == date(2026, 7, 2)
    assert sessions.next_session(date(2026, 7, 2)) == date(2026, 7, 6)
    assert sessions.shift_session(date(2026, 7, 5), 0) == date(2026, 7, 2)
    assert sessions.shift_session(date(2026, 7, 6), 0) == date(2026, 7, 6)
    assert sessions.shift_session(date(2026, 7, 2), 2) == date(2026, 7, 7)
    assert sessions.shift_session(date(2026, 7, 4), -1) == date(2026, 7, 1)


def test_september_2001_and_the_storm_were_no_sessions() -> None:
    assert sessions.next_session(date(2001, 9, 10)) == date(2001, 9, 17)
    assert sessions.session_of(ns("2012-10-29T12:00-04:00")) is None


@pytest.mark.parametrize("day", [date.min, date.max, date(1969, 12, 31), date(2060, 1, 5)])
def test_absurd_dates_have_no_session_and_do_not_raise(day: date) -> None:
    assert not sessions.is_session(day)
    assert sessions.open_ns(day) < sessions.equity_close_ns(day) < sessions.close_ns(day)
    assert abs(sessions.close_ns(day)) < 2**63
    assert sessions.is_session(sessions.shift_session(day, 0))
    assert sessions.is_session(sessions.shift_session(day, 10**9))
    assert sessions.date_of(sessions.day_number(day)) == day


@pytest.mark.parametrize("time_ns", [-(2**63), -1, 0, 2**63 - 1, 10**40])
def test_absurd_times_have_no_session_and_do_not_raise(time_ns: int) -> None:
    assert sessions.session_of(time_ns) is None
    clamped = min(max(time_ns, -(2**63)), 2**63 - 1)
    assert sessions.session_days(np.array([clamped])).tolist() == [-1]


def test_wall_times_of_any_date() -> None:
    noon = sessions.wall_ns(date(2026, 7, 11), time(12))
    assert datetime.fromtimestamp(noon // NS, UTC) == datetime(2026, 7, 11, 16, tzinfo=UTC)
    assert sessions.date_of(10**9) == date.max
