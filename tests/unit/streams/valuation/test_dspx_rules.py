"""Rules of the basket vol and of dispersion.

Each test is named by the text it proves (DSPX methodology, November 2024).
"""

from datetime import date, timedelta

import numpy as np
import pytest

from analytics.dispersion import basket_vol
from streams.calendar.sessions import date_of, day_number
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.records import Series
from streams.valuation.contract_key import segment
from streams.valuation.listings import Listings
from streams.valuation.terms import Terms, standard_monthlies
from tests.support.cross_section_run import VOLS, Run
from tests.support.option_chains import Chain, quotes_of
from tests.support.points_frames import quoted, second
from tests.support.valued_surfaces import SESSION, TEN, TERMS, surfaces_of

JULY, AUGUST, SEPTEMBER = date(2026, 7, 17), date(2026, 8, 21), date(2026, 9, 18)


def terms(listed: list[date], days_before: int, of: date, *, strict: bool = False) -> Terms:
    listings = Listings(())
    listings.add([segment(0, day_number(day)) for day in listed], [Series("AAPL", "AAPL")])
    return standard_monthlies(listings.of("AAPL"), day_number(of) - days_before, strict=strict)


def dates(chosen: Terms) -> tuple[date | None, date | None]:
    near, following = (
        None if one is None else date_of(one.day) for one in (chosen.near, chosen.next)
    )
    return near, following


@pytest.mark.parametrize(("days", "near"), [(31, None), (30, JULY), (10, JULY), (9, None)])
def test_the_near_term_is_the_standard_expiry_with_10_to_30_days(
    days: int, near: date | None
) -> None:
    assert dates(terms([JULY, AUGUST, SEPTEMBER], days, JULY, strict=True))[0] == near


@pytest.mark.parametrize(
    ("days", "following"), [(30, None), (31, AUGUST), (120, AUGUST), (121, None)]
)
def test_the_next_term_is_the_standard_expiry_with_more_than_30_and_up_to_120_days(
    days: int, following: date | None
) -> None:
    near = AUGUST - timedelta(days=days) + timedelta(days=20)
    fridays = [
        near + timedelta(days=shift)
        for shift in range(7)
        if (near + timedelta(days=shift)).weekday() == 4
    ]
    assert dates(terms([*fridays, AUGUST], days, AUGUST, strict=True))[1] == following


def test_without_one_the_eligible_friday_weekly_closest_to_30_days() -> None:
    weeklies = [date(2026, 7, 24), date(2026, 7, 31), date(2026, 8, 7), date(2026, 8, 14)]
    assert dates(terms([JULY, AUGUST, *weeklies], 7, JULY, strict=True)) == (
        date(2026, 8, 7),
        AUGUST,
    )
    assert dates(terms([JULY, *weeklies], 16, JULY, strict=True)) == (JULY, date(2026, 8, 7)), (
        "each term falls back on its own"
    )


def test_if_still_none_the_constituent_is_dropped() -> None:
    assert terms([JULY, AUGUST], 7, JULY, strict=True).reason == "no_near_term"
    assert terms([JULY], 16, JULY, strict=True).reason == "no_next_term"


def test_our_one_step_more_is_flagged_and_can_be_turned_off() -> None:
    ours = terms([JULY, AUGUST], 7, JULY)
    assert (dates(ours), ours.fallback) == ((JULY, AUGUST), True)
    assert terms([JULY, AUGUST], 3, JULY).fallback
    later = terms([JULY, AUGUST], 2, JULY)
    assert (dates(later), later.fallback) == ((AUGUST, AUGUST), False), "at least three days"


def market(*symbols: str) -> Market:
    return Market(
        (IndexSpec("SPY", Basket("x", tuple(Constituent(symbol, 1.0) for symbol in symbols))),)
    )


@pytest.mark.parametrize(("otm", "reason"), [(3, ""), (2, "near:too few out-of-the-money quotes")])
def test_a_valid_variance_needs_three_valid_calls_and_three_valid_puts_out_of_the_money(
    otm: int, reason: str
) -> None:
    chain = Chain("AAPL", TERMS, vol=2.0, forward=100.5, step=0.5 / otm * 80)
    per_side = [int((chain.strikes() < 100.5).sum()) - 1, int((chain.strikes() > 100.5).sum())]
    assert min(per_side) == otm
    (points,) = surfaces_of(market("AAPL"), [Chain("SPY", TERMS), chain])
    assert dict(zip(points.symbol, points.reason, strict=True))["AAPL"] == reason


def test_american_mids_go_into_the_strip_as_they_are() -> None:
    """No de-Americanisation, no smoothing.

    The same quotes give the same value, whatever was there a second ago.
    """
    chains = [Chain("SPY", TERMS), Chain("AAPL", TERMS, vol=0.3)]
    assert quotes_of(chains, TEN).bid.max() > 0
    first, again = (surfaces_of(market("AAPL"), chains)[0].variance for _ in range(2))
    assert np.array_equal(first, again)
    run = Run()
    run.feed(quoted(second(60), VOLS))
    (jumped,) = run.feed(quoted(second(61), {**VOLS, "C": 0.8}))
    (alone,) = Run().feed(quoted(second(61), {**VOLS, "C": 0.8}))
    assert jumped.basket_vol == alone.basket_vol


def test_each_share_class_is_a_constituent_of_its_own() -> None:
    chains = [
        Chain("SPY", TERMS),
        Chain("GOOG", TERMS, vol=0.30, forward=180.0),
        Chain("GOOGL", TERMS, vol=0.31, forward=178.0),
    ]
    (points,) = surfaces_of(market("GOOG", "GOOGL"), chains)
    vols = dict(zip(points.symbol, np.sqrt(points.variance), strict=True))
    assert set(vols) == {"GOOG", "GOOGL", "SPY"}
    assert vols["GOOGL"] - vols["GOOG"] == pytest.approx(0.01, abs=0.001)
    (reading,) = Run({"GOOG": 3.0, "GOOGL": 2.0, "A": 1.0}).feed(
        quoted(second(60), {"IDX": 0.18, "GOOG": 0.3, "GOOGL": 0.31, "A": 0.4})
    )
    assert reading.names == 3
    assert reading.basket_vol == pytest.approx(np.sqrt((3 * 0.09 + 2 * 0.0961 + 0.16) / 6))


def test_a_missing_variance_is_the_latest_valid_one_of_the_same_day() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS))
    reading = run.feed(quoted(second(3600), {**VOLS, "C": None}))[-1]
    assert reading.basket_vol == pytest.approx(0.299374, abs=1e-6)
    assert "carried" in reading.flags
    (reading,) = run.feed(quoted(second(3601), {**VOLS, "C": 0.5}))
    assert reading.flags == (), "valid again is used at once"
    assert reading.basket_vol == pytest.approx(
        basket_vol([0.4, 0.25, 0.2, 0.15], np.square([0.3, 0.25, 0.5, 0.2]))
    )


def test_the_variance_of_the_prior_close_is_not_carried() -> None:
    """A step of the published rule that we leave out: a new session starts from its own quotes."""
    run = Run()
    run.feed(quoted(second(60), VOLS))
    monday = date(2026, 7, 13)
    reading = run.feed(quoted(second(60, monday), {**VOLS, "C": None}))[-1]
    assert (reading.session, reading.names) == (monday, 3)
    assert reading.basket_vol == pytest.approx(
        basket_vol([0.4, 0.25, 0.15], np.square([0.3, 0.25, 0.2]))
    )
    assert "carried" not in reading.flags


def test_a_constituent_without_any_is_dropped_and_the_weights_renormalised() -> None:
    (reading,) = Run().feed(quoted(second(60), {**VOLS, "C": None}))
    assert reading.basket_vol == pytest.approx(
        basket_vol([0.4, 0.25, 0.15], np.square([0.3, 0.25, 0.2]))
    )


def test_dispersion_is_the_floored_root_of_the_difference_of_variances() -> None:
    (reading,) = Run().feed(quoted(second(60), VOLS))
    assert reading.dispersion == pytest.approx(0.239217, abs=1e-6)
    (floored,) = Run().feed(quoted(second(60), {**VOLS, "IDX": 0.31}))
    assert (floored.dispersion, "dispersion_floor" in floored.flags) == (0.0, True)


def test_no_dispersion_while_the_index_is_suspended() -> None:
    (reading,) = Run().feed(quoted(second(60), {**VOLS, "IDX": None}))
    assert reading.dispersion is None
    assert reading.reasons["dispersion"] == "too_few"


def test_session_of_the_examples_has_both_monthlies() -> None:
    assert {SESSION + timedelta(days=16), SESSION + timedelta(days=44)} <= set(TERMS)
