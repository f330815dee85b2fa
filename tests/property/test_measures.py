"""Properties of the measures.

What must not matter does not, identities hold, and garbage gives NaN and nothing else.
"""

import math
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analytics import dispersion, realized, trade
from analytics.arrays import Floats
from analytics.correlation import BasketSums, implied_correlation, weighted_percentile
from analytics.name_attribution import (
    correlation_by_name,
    dispersion_by_name,
    index_atm_vol_by_name,
    index_vol_by_name,
)
from analytics.rates import continuous_rate, curve_rate
from analytics.strip import StripValues, value_strips
from analytics.tenor import interpolate_variance, interpolate_vol
from streams.readings.grid_window import session_window
from streams.readings.realized_grid import BAR_NS, RealizedGrid
from streams.readings.session_hours import hours_on
from streams.records import NS
from tests.support.option_boards import board_of, smile_table
from tests.support.option_chains import Chain, quotes_of, taken
from tests.support.oracles.attribution import (
    attribute_correlation,
    attribute_dispersion,
    attribute_index_vol,
    attribute_log_index_vol,
)
from tests.support.oracles.correlation import index_vol_at
from tests.support.oracles.tick_grid import grid_returns, tick_grid
from tests.support.points_frames import prices
from tests.support.valued_surfaces import NEAR, NEXT, TEN, booked

seeds = st.integers(0, 2**32 - 1)
garbage = st.floats(width=64, allow_nan=False, allow_infinity=False)
few = settings(deadline=None, max_examples=60)
BY_NAME = (index_vol_by_name, dispersion_by_name, correlation_by_name, index_atm_vol_by_name)


@few
@given(seeds)
def test_the_order_of_the_names_only_orders_the_parts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    weights, order, unit = rng.dirichlet(np.ones(n)), rng.permutation(n), 10 ** rng.uniform(-6, 12)
    before, after, index = (
        rng.uniform(0.3, 0.9, n),
        rng.uniform(0.3, 0.9, n),
        tuple(rng.uniform(0.1, 0.2, 2).tolist()),
    )
    for split in BY_NAME:
        ours = split(index, weights, (before, after))
        theirs = split(index, unit * weights[order], (before[order], after[order]))
        assert np.allclose(
            [ours.common, *ours.names[order]], [theirs.common, *theirs.names], rtol=1e-9, atol=1e-9
        )
    returns = rng.normal(0, 0.01, (30, n))
    shuffled = realized.realized_basket(returns[:, order], unit * weights[order])
    assert np.allclose(
        realized.realized_basket(returns, weights), shuffled, rtol=1e-9, equal_nan=True
    )
    for weighting in trade.Weighting:
        vegas = trade.name_vegas(weighting, 1e5, 0.2, weights, before)
        assert np.allclose(
            vegas[order],
            trade.name_vegas(weighting, 1e5, 0.2, unit * weights[order], before[order]),
        )


@few
@given(seeds)
def test_parts_sum_to_the_change(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    weights, before, after = (
        rng.dirichlet(np.ones(n)),
        rng.uniform(0.25, 1.2, n),
        rng.uniform(0.25, 1.2, n),
    )
    low, high = (float(vol) for vol in rng.uniform(0.08, 0.25, 2))
    spread = [
        dispersion.dispersion(float(weights @ column**2), vol)
        for column, vol in ((before, low), (after, high))
    ]
    rho = [
        implied_correlation(vol, weights, column) for column, vol in ((before, low), (after, high))
    ]
    width = min(
        float(weights @ column) ** 2 - float(weights**2 @ column**2) for column in (before, after)
    )
    assert (
        abs(index_vol_by_name((low, high), weights, (before**2, after**2)).change - (high - low))
        < 1e-12
    )
    assert (
        abs(
            dispersion_by_name((low, high), weights, (before**2, after**2)).change
            - (spread[1] - spread[0])
        )
        < 1e-12
    )
    assert abs(
        index_atm_vol_by_name((low, high), weights, (before, after)).change - (high - low)
    ) < 1e-12 / min(1, width)
    assert abs(
        correlation_by_name((low, high), weights, (before, after)).change - (rho[1] - rho[0])
    ) < 1e-12 / min(1, width)


@few
@given(seeds)
def test_realised_identity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 30))
    basket = realized.realized_basket(
        rng.normal(0, 0.02, (50, n)) + rng.normal(0, 0.02, (50, 1)), rng.dirichlet(np.ones(n))
    )
    assert math.isclose(
        basket.basket_vol**2, basket.portfolio_vol**2 + basket.dispersion**2, rel_tol=1e-12
    )


@few
@given(seeds, st.floats(0.0, 1.0))
def test_equal_vols_with_a_known_correlation_give_it_back(seed: int, rho: float) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.ones(50))
    vols = np.full(50, 0.31)
    assert abs(implied_correlation(index_vol_at(rho, weights, vols), weights, vols) - rho) < 1e-12


@few
@given(seeds, st.integers(1, 3))
def test_a_quote_said_twice_is_said_once(seed: int, times: int) -> None:
    rng = np.random.default_rng(seed)
    quotes = quotes_of([Chain("A", (NEAR, NEXT), forward=10.0)], TEN)
    again = np.concatenate(
        [np.arange(quotes.strike.size), rng.integers(0, quotes.strike.size, 20 * times)]
    )
    once, twice = booked(quotes), booked(taken(quotes, rng.permutation(again)))
    assert np.array_equal(once.keys, twice.keys)
    for column in ("bid", "ask", "ts"):
        assert np.array_equal(
            getattr(once, column)[once.slots], getattr(twice, column)[twice.slots]
        )


@few
@given(seeds, st.integers(1, 10))
def test_wings_beyond_two_zero_bids_do_not_matter(seed: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    table = smile_table(np.arange(60, 145, 5.0), float(rng.uniform(90, 110)), 0.1, 0.4, 0.01)
    table[:, 1:] = np.maximum(table[:, 1:], 0.0)
    high = [
        [145 + 5 * at, 0.0 if at < 2 else 0.5, 0.6, math.nan, math.nan] for at in range(2 + extra)
    ]
    low = [[55 - at, math.nan, math.nan, 0.0 if at < 2 else 0.5, 0.6] for at in range(2 + extra)]
    short, long = (
        board_of([np.concatenate([table, high[:cut], low[:cut]])], [0.1]) for cut in (2, None)
    )
    ours, theirs = value_strips(short), value_strips(long)
    for column in StripValues._fields:
        assert np.array_equal(getattr(ours, column), getattr(theirs, column), equal_nan=True), (
            column
        )


@settings(deadline=None, max_examples=25)
@given(seeds, st.integers(0, 900))
def test_streamed_ticks_give_the_returns_of_the_batch(seed: int, restart: int) -> None:
    rng = np.random.default_rng(seed)
    hours, names, count = hours_on(date(2026, 7, 8)), ("A", "B", "C"), 900
    who, ts = rng.integers(0, 3, count), np.sort(rng.integers(1, 390 * 60, count)) * NS + hours.open
    paid = rng.uniform(90, 110, count).round(2)
    grid = RealizedGrid(names)
    grid.begin(hours)
    for at in range(count):
        if at == restart:
            stored, grid = dict(grid.changed()), RealizedGrid(names)
            grid.restore(stored)
            grid.begin(hours)
        grid.apply(prices({names[who[at]]: float(paid[at])}, int(ts[at])))
    window = session_window(grid, hours.equity_close)
    batch = grid_returns(tick_grid(who, ts, paid, hours.open + np.arange(79) * BAR_NS, 3))
    assert window is not None
    assert np.array_equal(window.usable, batch.usable)
    assert np.array_equal(window.returns.T, batch.returns)


def plain_parts(
    split: Any, index: tuple[float, float], weights: Floats, before: Floats, after: Floats
) -> list[float]:
    parts = split(index, weights, (before, after))
    return [parts.common, *parts.names.tolist()]


def known(value: object) -> bool:
    """A finite number, or NaN, which says that there is none."""
    return not np.isinf(np.asarray(value, dtype=np.float64)).any()


@few
@given(arrays(np.float64, (4, 6), elements=garbage), arrays(np.float64, 6, elements=garbage))
def test_finite_garbage_never_raises_nor_turns_infinite(columns: Floats, plain: Floats) -> None:
    weights, before, after, other = columns
    a, b, c, d, e, f = plain.tolist()
    sums = (BasketSums(a, b), BasketSums(c, d))
    calls: list[Any] = [
        *(partial(plain_parts, split, (a, b), weights, before, after) for split in BY_NAME),
        *(partial(trade.name_vegas, kind, a, b, weights, before) for kind in trade.Weighting),
        lambda: trade.book_greeks(a, b, before, after, c),
        lambda: trade.correlation_strike(a, weights, before),
        lambda: trade.variance_trade((a, before), (b, after), weights),
        lambda: trade.variance_notional(a, b),
        lambda: trade.straddle_pnl((a, before), (b, after), weights),
        lambda: trade.correlation_swap_pnl(a, b, c),
        lambda: realized.realized_basket(columns, plain, a, before[:4]),
        lambda: attribute_correlation((e, f), sums),
        lambda: attribute_index_vol((e, f), sums),
        lambda: attribute_dispersion((a, b), (c, d)),
        lambda: attribute_log_index_vol((a, b), (c, d)),
        lambda: weighted_percentile(before, weights, 0.5),
        lambda: dispersion.dispersion(a, b),
        lambda: dispersion.variance_ratio(a, b),
        lambda: dispersion.vol_ratio(a, b),
        lambda: dispersion.vol_spread(a, b),
        lambda: dispersion.correlation_share(a, b, c, d),
        lambda: dispersion.adverse_share(a, b),
        lambda: realized.basket_gap(a, b),
        lambda: realized.realized_correlation(a, weights, before),
        lambda: realized.realized_dispersion(a, weights, before),
        lambda: interpolate_variance(before, abs(after), other, abs(weights), 30),
        lambda: interpolate_vol(before, abs(after), other, abs(weights), 30),
        lambda: continuous_rate(before),
        lambda: curve_rate(before, [30, 60, 91, 182, 273, 365], after),
    ]
    for at, call in enumerate(calls):
        assert known(call()), at
