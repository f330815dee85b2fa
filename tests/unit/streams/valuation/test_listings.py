"""Which series stands for a date."""

from datetime import date

import pytest

from streams.calendar.sessions import day_number
from streams.records import Series
from streams.valuation.contract_key import segment
from streams.valuation.listings import Listings

THIRD_FRIDAY, FRIDAY, MONDAY = date(2026, 7, 17), date(2026, 7, 24), date(2026, 7, 27)


def listed(series: list[Series], *strips: tuple[int, date]) -> Listings:
    listings = Listings(("SPX",))
    listings.add((segment(code, day_number(day)) for code, day in strips), series)
    return listings


def test_expiries_ascend_and_know_their_kind() -> None:
    listings = listed([Series("SPY", "SPY")], (0, MONDAY), (0, FRIDAY), (0, THIRD_FRIDAY))
    expiries = listings.of("SPY")
    assert [one.day for one in expiries] == [
        day_number(day) for day in (THIRD_FRIDAY, FRIDAY, MONDAY)
    ]
    assert [one.standard for one in expiries] == [True, False, False]
    assert [one.friday for one in expiries] == [True, True, False]
    assert not any(one.morning for one in expiries)


def test_on_the_monthly_date_the_am_series_stands_alone() -> None:
    spx = [Series("SPX", "SPX"), Series("SPX", "SPXW")]
    both = listed(spx, (0, THIRD_FRIDAY), (1, THIRD_FRIDAY), (1, FRIDAY)).of("SPX")
    assert [(one.root, one.morning) for one in both] == [("SPX", True), ("SPXW", False)]
    assert [one.root for one in listed(spx, (1, THIRD_FRIDAY), (1, FRIDAY)).of("SPX")] == ["SPXW"]
    assert [one.day for one in listed(spx, (1, THIRD_FRIDAY), (1, FRIDAY)).of("SPX")] == [
        day_number(FRIDAY)
    ]


@pytest.mark.parametrize(
    ("underlying", "root", "adjusted"),
    [
        ("AAPL", "AAPL", "AAPL1"),
        ("AAPL", "AAPL", "AAPL7"),
        ("AAPL", "AAPL", "AAPL12"),
        ("BRK.B", "BRKB", "BRKB1"),
        ("BRK.B", "BRK.B", "BRK.B2"),
        ("SPX", "SPXW", "2SPX"),
    ],
)
def test_an_adjusted_series_is_never_used(underlying: str, root: str, adjusted: str) -> None:
    series = [Series(underlying, adjusted), Series(underlying, root)]
    both = listed(series, (0, FRIDAY), (1, FRIDAY), (0, MONDAY)).of(underlying)
    assert [(one.day, one.root) for one in both] == [(day_number(FRIDAY), root)]
    alone = listed(series, (0, FRIDAY))
    assert alone.of(underlying) == ()
    assert alone.has_adjusted_alone(underlying)
    assert not listed(series, (0, FRIDAY), (1, MONDAY)).has_adjusted_alone(underlying)
    assert not Listings(()).has_adjusted_alone(underlying)


def test_what_is_added_later_counts() -> None:
    series = [Series("SPY", "SPY")]
    listings = listed(series, (0, FRIDAY))
    assert len(listings.of("SPY")) == 1
    assert listings.add([segment(0, day_number(MONDAY))], series) == {"SPY"}
    assert len(listings.of("SPY")) == 2
    assert listings.add([], series) == set()
    assert listings.of("QQQ") == ()
