"""The door of the books: one outcome for every row."""

from datetime import date, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from streams.calendar.expiries import settles_am
from streams.calendar.sessions import day_number
from streams.catalogue.outcomes import Outcome
from streams.records import NS, Quotes, Series, Ticks
from streams.valuation.clock import Admission
from streams.valuation.screen import Contracted, screen_quotes, screen_ticks
from tests.support.frame_bytes import START

EXPIRY = day_number(date(2026, 7, 17))
WANTED = {"SPX", "AAPL"}


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * NS


def quote(
    *,
    bid: float = 1.0,
    ask: float = 1.2,
    strike: float = 100.0,
    expiry: int = EXPIRY,
    ts: int = START,
    series: Series | None = None,
) -> Quotes:
    return Quotes(
        series=(series or Series("SPX", "SPXW"),),
        series_code=np.zeros(1, np.int32),
        expiry=np.array([expiry], np.int32),
        strike=np.array([strike]),
        call=np.array([True]),
        bid=np.array([bid]),
        ask=np.array([ask]),
        ts_event=np.array([ts]),
        record_ts=np.array([ts]),
    )


def admission(late: NDArray[np.bool_], future: NDArray[np.bool_]) -> Admission:
    nothing = np.zeros(late.size, np.int64)
    return Admission(nothing, late, future, nothing)


def contracted(row: Quotes, am_roots: tuple[str, ...] = ()) -> Contracted:
    return Contracted(
        np.array([one.underlying in WANTED for one in row.series]), settles_am(row.series, am_roots)
    )


def outcome(
    row: Quotes, *, late: bool = False, future: bool = False, am_roots: tuple[str, ...] = ()
) -> Outcome:
    (code,) = screen_quotes(
        row, admission(np.array([late]), np.array([future])), contracted(row, am_roots)
    )
    return Outcome(code)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (quote(), Outcome.ACCEPTED),
        (quote(bid=0.0), Outcome.ACCEPTED),
        (quote(ask=0.0), Outcome.ACCEPTED),
        (quote(bid=0.0, ask=0.0), Outcome.ACCEPTED),
        (quote(bid=1.2), Outcome.ACCEPTED),
        (quote(bid=np.nan), Outcome.NON_FINITE),
        (quote(ask=np.inf), Outcome.NON_FINITE),
        (quote(bid=-np.inf, ask=np.inf), Outcome.NON_FINITE),
        (quote(strike=np.nan), Outcome.NON_FINITE),
        (quote(bid=-0.01), Outcome.NEGATIVE),
        (quote(ask=-1.0), Outcome.NEGATIVE),
        (quote(ask=1.1e9), Outcome.NEGATIVE),
        (quote(strike=0.0), Outcome.STRIKE),
        (quote(strike=-5.0), Outcome.STRIKE),
        (quote(strike=1e6), Outcome.STRIKE),
        (quote(bid=1.21), Outcome.CROSSED),
        (quote(series=Series("TSLA", "TSLA")), Outcome.UNKNOWN),
        (quote(series=Series("", "")), Outcome.UNKNOWN),
        (quote(ts=ns("2026-07-10T16:15:00-04:00")), Outcome.ACCEPTED),
        (quote(ts=ns("2026-07-10T16:15:00-04:00") + 1), Outcome.OUTSIDE_SESSION),
        (quote(ts=ns("2026-07-11T10:00:00-04:00")), Outcome.OUTSIDE_SESSION),
        (quote(ts=ns("2026-07-10T08:00:00-04:00")), Outcome.ACCEPTED),
        (quote(ts=-(2**63)), Outcome.TIME),
        (quote(ts=2**63 - 1), Outcome.TIME),
        (quote(ts=ns("2026-07-10T16:00:00-04:00") // 1000), Outcome.TIME),
        (quote(expiry=EXPIRY - 8), Outcome.EXPIRED),
        (quote(expiry=-(2**31)), Outcome.EXPIRED),
        (quote(expiry=EXPIRY - 7, ts=ns("2026-07-10T16:00:00-04:00") - 1), Outcome.ACCEPTED),
        (quote(expiry=EXPIRY - 7, ts=ns("2026-07-10T16:00:00-04:00")), Outcome.EXPIRED),
        (quote(expiry=2**31 - 1), Outcome.FAR_EXPIRY),
        (quote(expiry=EXPIRY + 3 * 365), Outcome.ACCEPTED),
    ],
)
def test_outcomes(row: Quotes, expected: Outcome) -> None:
    assert outcome(row) is expected


def test_the_clock_speaks_before_the_calendar_but_after_the_row_itself() -> None:
    assert outcome(quote(), late=True) is Outcome.LATE
    assert outcome(quote(), future=True) is Outcome.FUTURE
    assert outcome(quote(expiry=0), late=True) is Outcome.LATE
    assert outcome(quote(bid=-1.0), late=True) is Outcome.NEGATIVE
    assert outcome(quote(series=Series("TSLA", "TSLA")), future=True) is Outcome.UNKNOWN


def test_morning_roots_expire_at_the_open_of_a_standard_monthly() -> None:
    noon = ns("2026-07-17T12:00:00-04:00")
    spx, spxw = Series("SPX", "SPX"), Series("SPX", "SPXW")
    assert outcome(quote(ts=noon, series=spx), am_roots=("SPX",)) is Outcome.EXPIRED
    assert outcome(quote(ts=noon, series=spxw), am_roots=("SPX",)) is Outcome.ACCEPTED
    assert outcome(quote(ts=noon, series=spx)) is Outcome.ACCEPTED


def test_rows_are_judged_one_by_one() -> None:
    row = quote()
    many = row._replace(
        series=(Series("SPX", "SPX"), Series("TSLA", "TSLA"), Series("AAPL", "AAPL")),
        series_code=np.array([0, 1, 2, 2], np.int32),
        expiry=np.full(4, EXPIRY, np.int32),
        strike=np.full(4, 10.0),
        bid=np.array([1.0, np.nan, 1.0, 2.0]),
        ask=np.full(4, 1.5),
        ts_event=np.full(4, START),
    )
    never = np.zeros(4, np.bool_)
    assert screen_quotes(many, admission(never, never), contracted(many)).tolist() == [
        0,
        Outcome.NON_FINITE,
        0,
        Outcome.CROSSED,
    ]


@pytest.mark.parametrize(
    ("price", "symbol", "ts", "expected"),
    [
        (620.0, "SPY", START, Outcome.ACCEPTED),
        (620.0, "TSLA", START, Outcome.UNKNOWN),
        (np.nan, "SPY", START, Outcome.NON_FINITE),
        (np.inf, "SPY", START, Outcome.NON_FINITE),
        (0.0, "SPY", START, Outcome.NEGATIVE),
        (-1.0, "SPY", START, Outcome.NEGATIVE),
        (2e9, "SPY", START, Outcome.NEGATIVE),
        (620.0, "SPY", ns("2026-07-11T10:00:00-04:00"), Outcome.OUTSIDE_SESSION),
    ],
)
def test_ticks(price: float, symbol: str, ts: int, expected: Outcome) -> None:
    tick = Ticks(
        (symbol,),
        np.zeros(1, np.int32),
        np.array([price]),
        np.ones(1),
        np.array([ts]),
        np.array([ts]),
    )
    never = np.zeros(1, np.bool_)
    assert screen_ticks(tick, admission(never, never), {"SPY"}).tolist() == [expected]
    if expected is Outcome.ACCEPTED:
        assert screen_ticks(tick, admission(~never, never), {"SPY"}).tolist() == [Outcome.LATE]
        assert screen_ticks(tick, admission(never, ~never), {"SPY"}).tolist() == [Outcome.FUTURE]


def test_labels_are_those_of_the_metric() -> None:
    assert Outcome.NON_FINITE.label == "non_finite"
    assert Outcome(0).label == "accepted"
