"""Rules of the index vol, each by its text.

They are near and next term of every tenor, settlement, and what is refused.
"""

from datetime import date, timedelta

import numpy as np
import pytest

from streams.calendar.sessions import close_ns, date_of, day_number, open_ns
from streams.market import IndexSpec, Market
from streams.records import NS, Series
from streams.valuation.contract_key import segment
from streams.valuation.listings import Expiry, Listings
from streams.valuation.terms import bracketing
from tests.support.option_chains import Chain
from tests.support.valued_surfaces import surfaces_of

SESSION = date(2026, 7, 10)
TENORS = (9, 30, 91, 182, 365)
CLOSE = close_ns(SESSION)
MINUTE = 60 * NS


def weekdays(first: date, last: date) -> list[date]:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [day for day in days if day.weekday() < 5]


def spx(*, weeklies: bool = True) -> tuple[Expiry, ...]:
    """Daily PM expiries for two months and AM monthlies for eighteen, holidays as listed."""
    monthlies = ["2026-07-17", "2026-08-21", "2026-09-18", "2026-10-16", "2026-11-20",
                 "2026-12-18", "2027-01-15", "2027-02-19", "2027-03-19", "2027-04-16",
                 "2027-05-21", "2027-06-17", "2027-07-16", "2027-08-20"]  # fmt: skip
    listings = Listings(("SPX",))
    series = [Series("SPX", "SPX"), Series("SPX", "SPXW")]
    days = [date.fromisoformat(day) for day in monthlies]
    listings.add([segment(0, day_number(day)) for day in days], series)
    listings.add(
        [segment(1, day_number(day)) for day in [*weekdays(SESSION, date(2026, 9, 30)), *days]]
        if weeklies
        else [],
        series,
    )
    return listings.of("SPX")


@pytest.mark.parametrize(
    ("tenor", "near", "following"),
    [
        (9, ("2026-07-17", "SPX"), ("2026-07-24", "SPXW")),
        (30, ("2026-08-07", "SPXW"), ("2026-08-14", "SPXW")),
        (91, ("2026-09-18", "SPX"), ("2026-10-16", "SPX")),
        (182, ("2026-12-18", "SPX"), ("2027-01-15", "SPX")),
        (365, ("2027-06-17", "SPX"), ("2027-07-16", "SPX")),
    ],
)
def test_near_is_the_last_candidate_within_the_tenor_and_next_the_first_beyond(
    tenor: int, near: tuple[str, str], following: tuple[str, str]
) -> None:
    """At 9 and 30 days there are Friday weeklies and the AM monthly, its PM namesake left out.

    Beyond there are AM monthlies alone.
    """
    terms = bracketing(spx(), tenor, CLOSE)
    assert terms.near is not None
    assert terms.next is not None
    assert [(date_of(one.day).isoformat(), one.root) for one in (terms.near, terms.next)] == [
        near,
        following,
    ]
    assert (
        (terms.near.settles - CLOSE) // MINUTE
        <= tenor * 1440
        < (terms.next.settles - CLOSE) // MINUTE
    )


@pytest.mark.parametrize("tenor", TENORS)
def test_no_value_where_the_tenor_is_not_bracketed(tenor: int) -> None:
    expiries = spx()
    terms = bracketing(expiries, tenor, CLOSE)
    assert terms.near is not None
    assert terms.next is not None
    until, since = expiries.index(terms.near), expiries.index(terms.next)
    assert bracketing(expiries[: until + 1], tenor, CLOSE).reason == "no_next_term"
    assert bracketing(expiries[since:], tenor, CLOSE).reason == "no_near_term"


def test_monthlies_alone_serve_the_short_tenors_too() -> None:
    assert bracketing(spx(weeklies=False), 9, CLOSE).reason == ""
    assert bracketing(spx(weeklies=False), 30, CLOSE).reason == "not_bracketed", (
        "six days and a half is nearer than seven"
    )
    assert bracketing(spx(weeklies=False), 30, open_ns(SESSION)).reason == "", (
        "seven days to the open of 17 July"
    )


def test_am_settlement_is_the_open_and_pm_settlement_the_close() -> None:
    by_root = {
        one.root: one for one in spx() if date_of(one.day) in {date(2026, 7, 17), date(2026, 7, 24)}
    }
    assert by_root["SPX"].settles == open_ns(date(2026, 7, 17))
    assert by_root["SPXW"].settles == close_ns(date(2026, 7, 24)) - 15 * MINUTE


def test_an_expiry_exactly_at_the_tenor_is_the_near_term() -> None:
    expiries = spx()
    at = open_ns(date(2026, 9, 18)) - 91 * 1440 * MINUTE
    terms = bracketing(expiries, 91, at)
    assert terms.near is not None
    assert date_of(terms.near.day) == date(2026, 9, 18)
    earlier = bracketing(expiries, 91, at - MINUTE).next
    assert earlier is not None
    assert date_of(earlier.day) == date(2026, 9, 18), "one minute earlier it lies beyond"
    assert bracketing(expiries, 91, at - MINUTE + NS) == terms, (
        "minutes are whole: 91 days and 59 s are 91 days"
    )


def test_a_flat_vol_is_the_index_vol_of_every_tenor() -> None:
    am = [date_of(one.day) for one in spx() if one.root == "SPX"]
    fridays = [
        day for day in weekdays(SESSION, date(2026, 9, 30)) if day.weekday() == 4 and day not in am
    ]
    chains = [
        Chain("SPX", am, root="SPX", forward=400.0),
        Chain("SPX", fridays, root="SPXW", forward=400.0),
    ]
    market = Market((IndexSpec("SPX", tenors=TENORS),))
    (points,) = surfaces_of(market, chains, open_ns(date(2026, 7, 8)) + 30 * MINUTE)
    assert points.tenor_days.tolist() == list(TENORS)
    assert set(points.reason) == {""}
    # Chains end at 0.6 and 1.4 of the forward: what the strip lacks of a year's tails is known and
    # not small.
    assert np.sqrt(points.variance[:3]) == pytest.approx(0.2, abs=0.003)
    assert np.sqrt(points.variance[3:]) == pytest.approx(0.19, abs=0.011)
    # They are priced to the close also where the index counts to the open: a quarter of a day in
    # nine.
    assert points.atm_vol == pytest.approx(0.2, abs=0.004)
    assert points.atm_vol[1:] == pytest.approx(0.2, abs=5e-4)
    assert (points.bid_variance < points.variance).all()
    assert (points.variance < points.ask_variance).all()
