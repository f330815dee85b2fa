"""One price a session: the last in equity hours, a late level only where there is no other."""

from datetime import date

import numpy as np
import pytest

from streams.calendar.sessions import close_ns, equity_close_ns, open_ns
from streams.records import NS, Ticks
from streams.report.price_table import PriceTable
from streams.report.watch_list import Watched

FIRST, LAST = date(2026, 7, 9), date(2026, 7, 10)


def ticks(*rows: tuple[str, float, int]) -> Ticks:
    symbols = tuple(sorted({symbol for symbol, _, _ in rows}))
    ts = np.array([at for _, _, at in rows], np.int64)
    return Ticks(
        symbols,
        np.array([symbols.index(symbol) for symbol, _, _ in rows], np.int32),
        np.array([price for _, price, _ in rows]),
        np.zeros(len(rows)),
        ts,
        ts,
    )


def table(*rows: tuple[str, float, int], until: date = LAST) -> PriceTable:
    return PriceTable.of([ticks(*rows)], {symbol for symbol, _, _ in rows}, until)


def test_the_first_and_the_last_price_of_a_session_in_whatever_order_they_come() -> None:
    found = table(
        ("WMT", 101.0, equity_close_ns(LAST)),
        ("WMT", 99.0, open_ns(LAST)),
        ("WMT", 105.0, open_ns(LAST) + 3600 * NS),
        ("WMT", 98.0, equity_close_ns(FIRST)),
    )
    assert found.sessions == (FIRST, LAST)
    assert found.closes[:, 0].tolist() == [98.0, 101.0]
    assert found.since_open()[0] == pytest.approx(101 / 99 - 1)
    assert found.over(1)[0] == pytest.approx(101 / 98 - 1)


def test_prices_before_the_open_and_after_the_close_are_none_of_the_session() -> None:
    found = table(
        ("WMT", 90.0, open_ns(LAST) - NS),
        ("WMT", 100.0, open_ns(LAST) + NS),
        ("WMT", 120.0, close_ns(LAST) + NS),
    )
    assert found.closes.tolist() == [[100.0]]


def test_a_level_at_the_option_close_counts_where_there_is_no_other() -> None:
    late = table(("SPX", 6_000.0, close_ns(LAST)))
    assert late.closes.tolist() == [[6_000.0]]
    both = table(("SPX", 6_000.0, close_ns(LAST)), ("SPX", 5_990.0, equity_close_ns(LAST)))
    assert both.closes.tolist() == [[5_990.0]]


def test_sessions_after_the_report_and_the_oldest_are_left_out() -> None:
    rows = [("WMT", 100.0, equity_close_ns(day)) for day in (FIRST, LAST)]
    assert table(*rows, until=FIRST).sessions == (FIRST,)
    assert PriceTable.of([ticks(*rows)], {"WMT"}, LAST).latest(1).sessions == (LAST,)


def test_a_stand_in_has_its_turn_where_the_name_has_no_price() -> None:
    found = table(("GOOG", 281.0, equity_close_ns(LAST)))
    watched = Watched("GOOGL", instead=("GOOG",))
    assert found.column(watched) == 0
    assert found.column(Watched("AAPL")) is None


def test_no_price_at_all_is_an_empty_table() -> None:
    found = PriceTable.of([], {"WMT"}, LAST)
    assert found.sessions == ()
    assert np.isnan(found.over(1)).all()
    assert np.isnan(found.since_open()).all()
