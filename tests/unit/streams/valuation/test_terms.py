"""Near and next term, on dates of the methodology and of real calendars."""

from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pytest

from streams.calendar.expiries import is_standard_monthly
from streams.calendar.sessions import close_ns, date_of, day_number, open_ns
from streams.records import Series
from streams.valuation.contract_key import segment
from streams.valuation.listings import Expiry, Listings
from streams.valuation.terms import Terms, bracketing, standard_monthlies

NS = 1_000_000_000


def expiries(underlying: str, *strips: tuple[str, Iterable[date]]) -> tuple[Expiry, ...]:
    series = [Series(underlying, root) for root, _ in strips]
    listings = Listings(("SPX",))
    listings.add(
        (segment(code, day_number(day)) for code, (_, days) in enumerate(strips) for day in days),
        series,
    )
    return listings.of(underlying)


def chosen(terms: Terms) -> tuple[date | None, date | None, str]:
    near, following = (
        None if one is None else date_of(one.day) for one in (terms.near, terms.next)
    )
    return near, following, terms.reason


def daily(first: date, last: date) -> list[date]:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if day.weekday() < 5]


@pytest.mark.parametrize(
    ("session", "near", "following"),
    [
        (date(2026, 7, 10), date(2026, 8, 7), date(2026, 8, 14)),
        (date(2026, 7, 9), date(2026, 8, 7), date(2026, 8, 14)),
    ],
)
def test_fridays_either_side_of_thirty_days(session: date, near: date, following: date) -> None:
    listed = expiries("SPY", ("SPY", daily(session, date(2026, 9, 30))))
    assert chosen(bracketing(listed, 30, close_ns(session))) == (near, following, "")


def test_no_term_beyond_thirty_days() -> None:
    listed = expiries("SPY", ("SPY", daily(date(2026, 7, 8), date(2026, 8, 7))))
    assert chosen(bracketing(listed, 30, close_ns(date(2026, 7, 8)))) == (
        None,
        None,
        "no_next_term",
    )
    assert chosen(bracketing((), 30, close_ns(date(2026, 7, 8)))) == (None, None, "no_near_term")


def test_good_friday_is_stood_for_by_the_day_before() -> None:
    now = open_ns(date(2022, 3, 23)) + 41 * 60 * NS
    listed = expiries(
        "SPX",
        ("SPXW", daily(date(2022, 3, 23), date(2022, 6, 1))),
        ("SPX", [date(2022, 4, 14), date(2022, 5, 20)]),
    )
    terms = bracketing(listed, 30, now)
    assert chosen(terms) == (date(2022, 4, 14), date(2022, 4, 22), "")
    assert terms.near is not None
    assert (terms.near.root, terms.near.morning) == ("SPX", True)


def test_long_tenors_use_monthlies_only() -> None:
    listed = expiries("SPY", ("SPY", daily(date(2026, 7, 10), date(2026, 12, 31))))
    assert chosen(bracketing(listed, 91, close_ns(date(2026, 7, 10)))) == (
        date(2026, 9, 18),
        date(2026, 10, 16),
        "",
    )


def test_thirty_days_are_not_made_of_terms_too_near_or_too_far() -> None:
    session = date(2026, 7, 10)
    near_by = expiries("SPY", ("SPY", [date(2026, 7, 17), date(2026, 8, 14)]))
    assert chosen(bracketing(near_by, 30, close_ns(session))) == (None, None, "not_bracketed")
    assert chosen(bracketing(near_by, 30, close_ns(session) - 15 * 60 * NS))[2] == ""
    far_off = expiries("SPY", ("SPY", [date(2026, 7, 24), date(2026, 9, 11)]))
    assert chosen(bracketing(far_off, 30, close_ns(session)))[2] == "not_bracketed"


def test_an_expired_term_is_no_near_term() -> None:
    listed = expiries("SPY", ("SPY", [date(2026, 7, 10), date(2026, 7, 24)]))
    at_four = close_ns(date(2026, 7, 10)) - 15 * 60 * NS
    assert chosen(bracketing(listed, 9, at_four - 61 * NS))[0] == date(2026, 7, 10)
    assert chosen(bracketing(listed, 9, at_four))[2] == "no_near_term"


def test_a_choice_holds_to_its_until_and_not_a_nanosecond_longer() -> None:
    listed = expiries("SPY", ("SPY", daily(date(2026, 7, 8), date(2026, 9, 30))))
    now = open_ns(date(2026, 7, 8)) + NS
    for _ in range(12):
        terms = bracketing(listed, 30, now)
        assert terms.until >= now
        assert bracketing(listed, 30, terms.until)._replace(until=0) == terms._replace(until=0)
        now = terms.until + 1
    assert chosen(bracketing(listed, 30, open_ns(date(2026, 7, 8)))) != chosen(
        bracketing(listed, 30, close_ns(date(2026, 7, 8)))
    )


MONTHLY = [date(2026, 7, 17), date(2026, 8, 21), date(2026, 9, 18), date(2026, 10, 16)]


def dspx(
    listed: list[date], today: date, *, strict: bool = False
) -> tuple[date | None, date | None, str, bool]:
    terms = standard_monthlies(expiries("AAPL", ("AAPL", listed)), day_number(today), strict=strict)
    return (*chosen(terms), terms.fallback)


def test_monthlies_ten_to_thirty_and_beyond() -> None:
    assert dspx([*MONTHLY, date(2026, 7, 24)], date(2026, 7, 1)) == (
        date(2026, 7, 17),
        date(2026, 8, 21),
        "",
        False,
    )
    assert dspx(MONTHLY, date(2026, 7, 7)) == (date(2026, 7, 17), date(2026, 8, 21), "", False)


def test_without_a_monthly_the_friday_closest_to_thirty_days() -> None:
    weeklies = [date(2026, 7, 24), date(2026, 7, 31), date(2026, 8, 7), date(2026, 8, 14)]
    assert dspx([*MONTHLY, *weeklies], date(2026, 7, 10)) == (
        date(2026, 8, 7),
        date(2026, 8, 21),
        "",
        False,
    )
    assert dspx([date(2026, 7, 17), date(2026, 8, 14)], date(2026, 7, 1)) == (
        date(2026, 7, 17),
        date(2026, 8, 14),
        "",
        False,
    )


def test_the_nearest_monthly_stands_in_unless_strict() -> None:
    assert dspx(MONTHLY, date(2026, 7, 10)) == (date(2026, 7, 17), date(2026, 8, 21), "", True)
    assert dspx(MONTHLY, date(2026, 7, 10), strict=True) == (None, None, "no_near_term", False)
    assert dspx(MONTHLY, date(2026, 7, 15), strict=True) == (None, None, "no_near_term", False)


@pytest.mark.parametrize("day", [15, 16, 17, 20, 21])
def test_names_with_monthlies_only_have_a_term_around_a_monthly_expiry(day: int) -> None:
    today = date(2026, 7, day)
    assert dspx(MONTHLY, today) == (date(2026, 8, 21), date(2026, 8, 21), "", False)
    weekly = [*MONTHLY, date(2026, 8, 7)]
    assert dspx(weekly, today)[:2] == (date(2026, 8, 7), date(2026, 8, 21))


@pytest.mark.parametrize(
    ("listed", "alone"),
    [
        ([19], None),
        ([20], 20),
        ([20, 27], 27),
        ([13, 20], 20),
        ([33, 40], 33),
        ([40], 40),
        ([41], None),
    ],
)
def test_the_friday_closest_to_thirty_days_stands_alone(
    listed: list[int], alone: int | None
) -> None:
    friday = date(2026, 10, 30)
    today = friday - timedelta(days=listed[0])
    near, following, _, fallback = dspx([today + timedelta(days=days) for days in listed], today)
    expected = None if alone is None else today + timedelta(days=alone)
    assert (near, following, fallback) == (expected, expected, False)


def test_no_session_of_a_year_leaves_a_name_with_monthlies_without_terms() -> None:
    days = np.arange(day_number(date(2026, 1, 1)), day_number(date(2027, 5, 1)), dtype=np.int32)
    monthlies = [date_of(day) for day in days[is_standard_monthly(days)].tolist()]
    for day in range(day_number(date(2026, 1, 2)), day_number(date(2026, 12, 31))):
        assert dspx(monthlies, date_of(day))[2] == "", date_of(day)


def test_a_near_term_alone_is_not_enough() -> None:
    assert dspx(MONTHLY[:1], date(2026, 7, 1)) == (None, None, "no_next_term", False)
    assert dspx([*MONTHLY[:1], date(2026, 12, 18)], date(2026, 7, 1))[2] == "no_next_term"
