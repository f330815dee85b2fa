"""Boards from the book and values from boards."""

from datetime import date

import numpy as np
import pytest

from analytics.strip import value_strips
from streams.calendar.expiries import settlement_ns
from streams.calendar.sessions import day_number
from streams.market import Basket, Constituent, Curve, Dividend, IndexSpec, Market, Rates
from streams.records import NS
from streams.valuation.book import NEVER
from streams.valuation.contract_key import pack, segment
from streams.valuation.option_chains import ChainAssembler
from streams.valuation.out_of_order import QuoteColumns
from streams.valuation.risk_free import rate_on
from tests.support.option_chains import Chain, quotes_of, taken
from tests.support.valued_surfaces import NEAR, NEXT, SESSION, TEN, TERMS, booked, surfaces_of


def test_rows_are_strikes_with_call_and_put_side_by_side() -> None:
    quotes = quotes_of([Chain("A", (NEAR,), forward=10.0), Chain("B", (NEAR,), forward=20.0)], TEN)
    some = np.flatnonzero((quotes.series_code == 1) | ~quotes.call)[::-1]
    book = booked(taken(quotes, some))
    segments = np.array(
        [segment(1, day_number(NEAR)), segment(1, day_number(NEXT)), segment(0, day_number(NEAR))]
    )
    board, newest, *_ = ChainAssembler(book).assemble(
        segments, np.full(3, NEVER), np.full(3, 0.1), np.zeros(3)
    )
    assert board.offsets.tolist() == [0, 17, 17, 26]
    assert board.strike.tolist() == [*range(12, 29), *range(6, 15)]
    assert np.isnan(board.call_bid[17:]).all()
    assert not np.isnan(board.put_bid).any()
    assert newest.tolist() == [TEN, NEVER, TEN]
    put = (quotes.series_code == 1) & ~quotes.call
    assert board.put_ask[:17].tolist() == quotes.ask[put].tolist()


def test_stale_quotes_leave_the_board_and_take_empty_strikes_along() -> None:
    quotes = quotes_of([Chain("A", (NEAR,), forward=10.0)], TEN)
    old = (quotes.strike < 8) | ((quotes.strike == 9) & quotes.call)
    book = booked(quotes._replace(ts_event=np.where(old, TEN - 100, TEN)))
    boards, segments = ChainAssembler(book), np.array([segment(0, day_number(NEAR))])
    board, newest, *_ = boards.assemble(
        segments, np.array([TEN - 50]), np.array([0.1]), np.zeros(1)
    )
    assert board.strike.tolist() == [8, 9, 10, 11, 12, 13, 14]
    assert np.isnan(board.call_ask).tolist() == [False, True, False, False, False, False, False]
    none, never, *_ = boards.assemble(segments, np.array([TEN + 1]), np.array([0.1]), np.zeros(1))
    assert (none.offsets.tolist(), never.tolist(), newest.tolist()) == ([0, 0], [NEVER], [TEN])
    assert value_strips(none).reason.tolist() != [0]


def test_a_new_strike_appears_on_a_remembered_structure() -> None:
    quotes = quotes_of([Chain("A", (NEAR,), forward=10.0)], TEN)
    book = booked(taken(quotes, np.flatnonzero(quotes.strike != 10)))
    boards, segments = ChainAssembler(book), np.array([segment(0, day_number(NEAR))])
    assert (
        boards.assemble(segments, np.array([NEVER]), np.array([0.1]), np.zeros(1)).chain.strike.size
        == 8
    )
    key = pack(
        np.zeros(1, np.int64),
        np.array([day_number(NEAR)], np.int32),
        np.array([10.0]),
        np.array([True]),
    )
    book.apply(book.slots_of(key), QuoteColumns(np.array([TEN]), np.array([1.0]), np.array([2.0])))
    assert (
        boards.assemble(segments, np.array([NEVER]), np.array([0.1]), np.zeros(1)).chain.strike.size
        == 9
    )


def test_an_underlying_in_both_roles_is_valued_twice() -> None:
    few = Chain("SPY", TERMS, vol=1.2, forward=100.0, step=20.0)
    market = Market((IndexSpec("SPY"), IndexSpec("DIA", Basket("x", (Constituent("SPY", 1.0),)))))
    as_index, as_name = surfaces_of(market, [few, Chain("DIA", TERMS)])
    assert as_index.reason == ("",)
    assert dict(zip(as_name.symbol, as_name.reason, strict=True)) == {
        "DIA": "",
        "SPY": "near:too few out-of-the-money quotes",
    }


def test_tenors_are_rows_of_their_own() -> None:
    market = Market(
        (IndexSpec("SPY", Basket("x", (Constituent("AAPL", 1.0),)), tenors=(30, 9, 91)),)
    )
    (points,) = surfaces_of(
        market,
        [
            Chain("SPY", (date(2026, 7, 10), date(2026, 7, 17), *TERMS), vol=0.2),
            Chain("AAPL", TERMS, vol=0.3),
        ],
    )
    rows = list(zip(points.symbol, points.tenor_days.tolist(), points.reason, strict=True))
    assert rows == [
        ("AAPL", 9, "no_near_term"),
        ("AAPL", 30, ""),
        ("AAPL", 91, "no_next_term"),
        ("SPY", 9, ""),
        ("SPY", 30, ""),
        ("SPY", 91, "no_next_term"),
    ]
    assert points.atm_reason == points.reason


def test_value_of_a_name_does_not_depend_on_its_company() -> None:
    market = Market(
        (IndexSpec("SPY", Basket("x", (Constituent("AAPL", 1.0), Constituent("MSFT", 1.0)))),)
    )
    aapl = Chain("AAPL", TERMS, vol=0.31, forward=207.3)
    (alone,) = surfaces_of(market, [aapl])
    (together,) = surfaces_of(market, [Chain("SPY", TERMS), aapl, Chain("MSFT", TERMS, vol=0.5)])
    assert (alone.symbol[0], together.symbol[0]) == ("AAPL", "AAPL")
    assert alone.reason == ("", "no_near_term", "no_near_term")
    for name in ("variance", "bid_variance", "ask_variance", "atm_vol", "forward"):
        assert getattr(alone, name)[0] == getattr(together, name)[0], name


@pytest.mark.parametrize(
    ("rates", "flag"),
    [(Rates(dated={day_number(date(2026, 7, 1)): 0.05}), "rate_stale"), (Rates(constant=0.05), "")],
)
def test_rate_carried_too_long_is_flagged(rates: Rates, flag: str) -> None:
    (points,) = surfaces_of(Market((IndexSpec("SPY"),), rates=rates), [Chain("SPY", TERMS)])
    assert points.flags == (flag,)
    zero = surfaces_of(Market((IndexSpec("SPY"),)), [Chain("SPY", TERMS)])[0]
    assert points.variance[0] / zero.variance[0] == pytest.approx(np.exp(0.05 * 30 / 365), rel=1e-3)


def test_settlement_times_of_am_and_pm_series_are_their_own() -> None:
    spx = Chain("SPX", (date(2026, 7, 17),), root="SPX", vol=0.2)
    weekly = Chain("SPX", (NEAR, date(2026, 8, 7), date(2026, 8, 14)), root="SPXW", vol=0.2)
    market = Market((IndexSpec("SPX", tenors=(9,)),))
    nine_days_before = (
        int(settlement_ns(np.array([day_number(date(2026, 7, 17))], np.int32), np.array([True]))[0])
        - 9 * 86_400 * NS
    )
    reasons = [
        surfaces_of(market, [spx, weekly], nine_days_before - early)[0].reason
        for early in (0, 61 * NS)
    ]
    assert reasons == [("",), ("no_near_term",)]


def test_a_curve_gives_near_and_next_term_their_own_rate() -> None:
    steep = Curve((30, 60, 91, 182), (0.0, 0.0, 0.30, 0.30))
    market = Market(
        (IndexSpec("SPY", tenors=(91,)),), rates=Rates(curves={day_number(SESSION): steep})
    )
    monthly = Chain("SPY", (date(2026, 9, 18), date(2026, 10, 16)))
    curved = surfaces_of(market, [monthly])[0].variance[0]
    near, following = (date(2026, 9, 18) - SESSION).days, (date(2026, 10, 16) - SESSION).days
    rates = rate_on(market.rates, day_number(SESSION)).at(np.array([near, following]))
    flat = [
        surfaces_of(Market(market.indices, rates=Rates(constant=rate)), [monthly])[0].variance[0]
        for rate in rates.tolist()
    ]
    assert rates[0] < rates[1]
    assert flat[0] < curved < flat[1]


def test_a_large_dividend_before_the_next_expiry_is_flagged_on_the_point() -> None:
    paid = (
        Dividend("AAPL", day_number(date(2026, 8, 20)), 1.2),
        Dividend("MSFT", day_number(date(2026, 8, 24)), 1.2),
    )
    market = Market(
        (IndexSpec("SPY", Basket("x", (Constituent("AAPL", 1.0), Constituent("MSFT", 1.0)))),),
        dividends=paid,
    )
    (points,) = surfaces_of(
        market, [Chain("SPY", TERMS), Chain("AAPL", TERMS), Chain("MSFT", TERMS)]
    )
    assert dict(zip(points.symbol, points.flags, strict=True)) == {
        "SPY": "",
        "AAPL": "roll,dividend:1%",
        "MSFT": "roll",
    }
    assert points.reason == ("", "", "")
