"""Which expiries are standard or weekly, when they settle, and how long that is."""

import csv
from datetime import date, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from config.settings import Settings
from streams.calendar import expiries
from streams.calendar.expiries import settlement_ns, settles_am
from streams.calendar.sessions import date_of, day_number
from streams.market import AM_ROOTS, IndexSpec, Market
from streams.records import NS, Series
from tests.support.evaluation import evaluation_data
from tests.support.trading_days import sessions_in


def days(*texts: str) -> NDArray[np.int32]:
    return np.array([day_number(date.fromisoformat(text)) for text in texts], np.int32)


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * NS


def test_standard_monthlies_move_before_a_holiday_and_keep_their_old_saturday() -> None:
    listed = days(
        "2026-07-17", "2026-06-18", "2026-06-19", "2008-03-20", "2013-10-19", "2014-06-21"
    )
    others = days("2026-07-16", "2026-06-12", "2026-06-17", "2013-10-20", "2026-07-24")
    assert expiries.is_standard_monthly(listed).all()
    assert not expiries.is_standard_monthly(others).any()


def test_friday_weeklies_move_before_a_holiday() -> None:
    listed = days(
        "2026-07-24", "2026-07-02", "2026-07-17", "2026-06-18", "2014-06-28", "2025-11-28"
    )
    others = days("2026-07-01", "2026-07-20", "2026-06-17", "2026-07-23")
    assert expiries.is_friday_weekly(listed).all()
    assert not expiries.is_friday_weekly(others).any()


@pytest.mark.parametrize(
    ("expiry", "evening", "morning"),
    [
        ("2026-07-17", "2026-07-17T16:00-04:00", "2026-07-17T09:30-04:00"),
        (
            "2026-07-24",
            "2026-07-24T16:00-04:00",
            "2026-07-24T16:00-04:00",
        ),  # no monthly: AM roots settle in the evening too
        ("2025-11-28", "2025-11-28T13:00-05:00", "2025-11-28T13:00-05:00"),  # half day
        ("2026-06-19", "2026-06-18T16:00-04:00", "2026-06-18T09:30-04:00"),  # holiday
        ("2013-10-19", "2013-10-18T16:00-04:00", "2013-10-18T09:30-04:00"),  # Saturday
        ("2011-01-22", "2011-01-21T16:00-05:00", "2011-01-21T09:30-05:00"),
    ],
)
def test_settlement(expiry: str, evening: str, morning: str) -> None:
    assert expiries.settlement_ns(days(expiry)).tolist() == [ns(evening)]
    assert expiries.settlement_ns(days(expiry), np.array([True])).tolist() == [ns(morning)]


def test_morning_and_evening_series_of_one_day_are_told_apart() -> None:
    am = expiries.settles_am((Series("SPX", "SPX"), Series("SPX", "SPXW")), ("SPX",))
    settled = expiries.settlement_ns(days("2026-07-17", "2026-07-17"), am)
    assert settled.tolist() == [ns("2026-07-17T09:30-04:00"), ns("2026-07-17T16:00-04:00")]


def test_minutes_are_whole_and_truncated() -> None:
    settlement = np.array(
        [ns("2022-10-21T09:30-04:00"), ns("2022-10-28T16:00-04:00"), ns("2022-09-27T10:45-04:00")]
    )
    assert expiries.minutes_to(settlement, ns("2022-09-27T10:45:15-04:00")).tolist() == [
        34_484,
        44_954,
        -1,
    ]


def test_absurd_expiries_do_not_raise() -> None:
    absurd = np.array(
        [np.iinfo(np.int32).min, -1, 0, 7304, 32_872, 32_873, np.iinfo(np.int32).max], np.int32
    )
    assert not expiries.is_standard_monthly(absurd[[0, 1, 2, -2, -1]]).any()
    assert not expiries.is_friday_weekly(absurd[[0, 1, 2, -2, -1]]).any()
    settled = expiries.settlement_ns(absurd, np.ones(absurd.size, np.bool_))
    assert (np.diff(settled) > 0).all()


@pytest.mark.evaluation
def test_standard_monthlies_of_two_decades_are_those_of_the_calendar_file() -> None:
    with (evaluation_data() / "calendars" / "opex_dates.csv").open() as file:
        rows = list(csv.DictReader(file))
    listed = [date.fromisoformat(row["monthly_opex"]) for row in rows]
    days = np.array([day_number(day) for day in sessions_in(listed[0], listed[-1])], np.int32)
    assert len(rows) >= 260
    assert [date_of(day) for day in days[expiries.is_standard_monthly(days)].tolist()] == listed


def test_am_roots_of_the_usual_indices_are_known() -> None:
    """The monthly and the weekly of one third Friday are six and a half hours apart.

    They are so by default settings too.
    """
    morning = {"SPX", "NDX", "RUT", "DJX"}
    every = sorted(morning | {"SPXW", "NDXP", "RUTW", "OEX", "XEO", "SPY"})
    am = settles_am([Series(root, root) for root in every], Market((IndexSpec("NDX"),)).am_roots)
    assert {root for root, one in zip(every, am.tolist(), strict=True) if one} == morning
    friday = np.full(len(every), day_number(date(2026, 7, 17)), np.int32)
    hours = (settlement_ns(friday) - settlement_ns(friday, am)) / (3600 * NS)
    assert hours.tolist() == [6.5 if root in morning else 0.0 for root in every]
    assert set(Settings().market.am_roots) == set(AM_ROOTS)
