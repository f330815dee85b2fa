"""A close quoted again: the same market at ratio 1, the asked-for one elsewhere."""

from datetime import date
from pathlib import Path

import numpy as np

from analytics.black76 import price
from streams.calendar.sessions import close_ns, day_number
from streams.market import Rates
from streams.records import Quotes, Series, take_quotes
from streams.sources.closing_surface import ClosingSurface, closing_surface
from streams.sources.registry import open_quotes
from streams.sources.scenario_source import last_close
from streams.sources.source import SourceUniverse

SAMPLE = Path(__file__).parents[4] / "samples" / "option_closes_2026-07-10.parquet"
DAY = date(2026, 7, 10)
NOW = close_ns(DAY)
EXPIRY = day_number(date(2026, 8, 21))
RATE = 0.04
YEARS = 60_465 / 525_600
"""Whole minutes from 16:15 on 07-10 to 16:00 on 08-21, over a year's."""


def synthetic(vol: float = 0.2) -> Quotes:
    strike = np.repeat(np.arange(60.0, 141.0, 5.0), 2)
    call = np.tile([True, False], len(strike) // 2)
    mid = np.exp(-RATE * YEARS) * price(100.0, strike, YEARS, vol, call)
    n = len(strike)
    bid = np.where((strike == 60.0) & ~call, 0.0, 0.9 * mid)
    stamp = np.full(n, NOW)
    expiry = np.full(n, EXPIRY, np.int32)
    return Quotes(
        (Series("X", "X"),),
        np.zeros(n, np.int32),
        expiry,
        strike,
        call,
        bid,
        1.1 * mid,
        stamp,
        stamp,
    )


def surface(close: Quotes) -> ClosingSurface:
    return closing_surface(close, Rates(constant=RATE), ())


def test_ratio_one_gives_the_close_back() -> None:
    close = synthetic()
    again = surface(close).quotes(NOW, np.ones(1), 1.0, 10.0)
    priced = close.bid > 0
    assert int(priced.sum()) == len(close.bid) - 1
    order = np.lexsort((close.call, close.strike))
    np.testing.assert_allclose(again.bid, close.bid[order], rtol=1e-9, atol=1e-12)
    assert again.refresh_seconds == 10.0
    assert set(again.ts_event.tolist()) == {NOW}


def test_flat_smile_moves_to_the_asked_vol_and_forward() -> None:
    again = surface(synthetic()).quotes(NOW, np.array([1.5]), 0.96, 10.0)
    expected = np.exp(-RATE * YEARS) * price(96.0, again.strike, YEARS, 0.3, again.call)
    live = again.bid > 0
    np.testing.assert_allclose((0.5 * (again.bid + again.ask))[live], expected[live], rtol=1e-9)
    np.testing.assert_allclose(again.ask[live] / again.bid[live], 1.1 / 0.9, rtol=1e-9)
    assert int((~live).sum()) == 1
    assert float(again.ask[~live][0]) > 0


def test_a_strip_without_a_forward_is_left_out() -> None:
    close = synthetic()
    one_sided = close._replace(bid=np.where(close.call, 0.0, close.bid))
    assert len(surface(one_sided).quotes(NOW, np.ones(1), 1.0, 10.0).bid) == 0


def test_repeated_and_broken_contracts_count_once_or_never() -> None:
    close = synthetic()
    broken = close._replace(ask=np.where(np.arange(len(close.ask)) == 3, np.nan, close.ask))
    assert len(surface(broken).strike) == len(close.strike) - 1
    doubled = take_quotes(close, np.tile(np.arange(len(close.bid)), 2))
    assert len(surface(doubled).strike) == len(close.strike)


def test_sample_close_is_reproduced() -> None:
    close = last_close([open_quotes(SAMPLE)], SourceUniverse(frozenset({"SPY"}), frozenset()))
    assert close is not None
    again = closing_surface(close, Rates(constant=0.0364), ()).quotes(NOW, np.ones(1), 1.0, 10.0)
    found, closes = _by_contract(again), _by_contract(close)
    forward = 755.0  # near enough to tell the wings
    wings = [key for key, (bid, _) in found.items() if bid > 0 and (key[1] > forward) == key[2]]
    assert len(wings) > 1500
    gaps = np.array([abs(sum(found[key]) - sum(closes[key])) / sum(closes[key]) for key in wings])
    assert float(np.median(gaps)) < 1e-9
    assert float(np.mean(gaps < 1e-6)) > 0.95


def _by_contract(quotes: Quotes) -> dict[tuple[int, float, bool], tuple[float, float]]:
    columns = (quotes.expiry, quotes.strike, quotes.call, quotes.bid, quotes.ask)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return {(expiry, strike, call): (bid, ask) for expiry, strike, call, bid, ask in rows}


def test_empty_close() -> None:
    close = synthetic()
    empty = take_quotes(close, np.arange(0))._replace(series=())
    assert len(surface(empty).quotes(NOW, np.ones(0), 1.0, 10.0).bid) == 0


def test_a_side_without_quote_is_made_where_the_money_may_go() -> None:
    close = synthetic()
    itm_put = (close.strike == 110.0) & ~close.call
    keep = np.flatnonzero(~itm_put)
    lacking = take_quotes(close, keep)
    again = surface(lacking).quotes(NOW, np.ones(1), 1.0, 10.0)
    assert len(again.bid) == len(close.bid)
    made = (again.strike == 110.0) & ~again.call
    np.testing.assert_allclose(
        0.5 * (again.bid + again.ask)[made], close.bid[itm_put] / 0.9, rtol=1e-9
    )
    call = (close.strike == 110.0) & close.call
    np.testing.assert_allclose(
        (again.ask - again.bid)[made], (close.ask - close.bid)[call], rtol=1e-9
    )
