"""Previous-tick grids of one and five minutes, and what a basket realises on them.

They are over 1, 21 and 63 sessions.
"""

import math

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.realized import (
    basket_returns,
    realized_basket,
    realized_correlation,
    realized_variance,
)
from tests.support.evaluation import evaluation_data
from tests.support.oracles.realized import cross_sectional_dispersion
from tests.support.oracles.tick_grid import TickGrid, grid_returns, tick_grid

MINUTE = 60
SESSION = 390 * MINUTE
RHO, NAMES = 0.4, 8


def edges(minutes: int, sessions: int = 1) -> NDArray[np.int64]:
    """Ends of the bars of consecutive sessions.

    A night has no length, so its return is that of the first bar after it.
    """
    return np.arange(0, sessions * SESSION + 1, minutes * MINUTE)


def ticks(
    sessions: int, seed: int = 5, every: int = 12
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats]:
    """Names ticking at their own times, each `every` seconds on average, on correlated walks.

    Returns name, time, price and true vols.
    """
    rng = np.random.default_rng(seed)
    steps = sessions * SESSION // 4
    vols = rng.uniform(0.5, 1.5, NAMES) * 1e-4
    common, own = rng.normal(size=(steps, 1)), rng.normal(size=(steps, NAMES))
    walk = np.cumsum(vols * (math.sqrt(RHO) * common + math.sqrt(1 - RHO) * own), axis=0)
    seen = rng.random(walk.shape) < 4 / every
    step, name = np.nonzero(seen)
    return name, 4 * (step + 1), 100 * np.exp(walk[step, name]), vols


@pytest.mark.parametrize("sessions", [1, 21, 63])
@pytest.mark.parametrize("minutes", [1, 5])
def test_correlation_on_one_and_five_minutes(minutes: int, sessions: int) -> None:
    name, ts, price, _ = ticks(sessions)
    returns, usable = grid_returns(tick_grid(name, ts, price, edges(minutes, sessions), NAMES))
    assert usable.all()
    assert len(returns) == sessions * 390 // minutes - 1
    basket = realized_basket(returns, np.ones(NAMES), 252 * len(returns) / sessions)
    error = 3 / math.sqrt(len(returns))
    # One name in three has not ticked for 20 s when a bar ends. What is left of the Epps effect at
    # one minute is about a sixth.
    assert basket.correlation == pytest.approx(RHO, abs=error + (0.10 if minutes == 1 else 0.03))


def test_tick_by_tick_the_correlation_is_biased_to_zero() -> None:
    name, ts, price, _ = ticks(21)
    grids = [
        tick_grid(name, ts, price, np.arange(0, 21 * SESSION + 1, seconds), NAMES)
        for seconds in (4, 60, 300)
    ]
    found = [
        realized_basket(grid_returns(grid, least=0.0).returns[10:], np.ones(NAMES)).correlation
        for grid in grids
    ]
    assert found[0] < 0.5 * found[1] < 0.5 * found[2]


def test_a_name_without_ticks_is_refused_and_changes_nothing() -> None:
    name, ts, price, _ = ticks(1)
    plain = grid_returns(tick_grid(name, ts, price, edges(5), NAMES))
    silent = grid_returns(tick_grid(name, ts, price, edges(5), NAMES + 1))
    assert silent.usable.tolist() == [True] * NAMES + [False]
    assert np.array_equal(silent.returns[:, :NAMES], plain.returns)
    assert not silent.returns[:, NAMES].any()
    rare = name != 3
    rare |= ts % (20 * MINUTE) < MINUTE  # ticks in one bar out of four
    assert (
        grid_returns(tick_grid(name[rare], ts[rare], price[rare], edges(5), NAMES)).usable[3]
        == np.False_
    )


def test_bars_are_open_on_the_left_and_ties_go_to_the_later_row() -> None:
    grid = tick_grid(
        [0, 0, 0, 0, 0, 0],
        [0, 60, 60, 61, 120, 121],
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        [0, 60, 120],
        1,
    )
    assert grid.price[:, 0].tolist() == [3.0, 5.0]
    assert grid.ticked.all()


def test_unusable_ticks_are_passed_over() -> None:
    bad = [0.0, -1.0, math.nan, math.inf]
    grid = tick_grid(
        [0, 0, 0, 0, 0, 7, -1], [1, 2, 3, 4, 5, 6, 7], [*bad, 9.0, 1.0, 1.0], [0, 10], 1
    )
    assert grid.price.tolist() == [[9.0]]


def test_no_bars() -> None:
    empty: TickGrid = tick_grid([], [], [], [0], 2)
    result = grid_returns(empty)
    assert result.returns.shape[1] == 2
    single = grid_returns(tick_grid([0], [1], [5.0], [0, 1], 2))
    assert single.usable.tolist() == [True, False]


def test_index_and_gap_beside_the_synthetic_basket() -> None:
    rng = np.random.default_rng(4)
    returns, weights = rng.normal(0, 0.01, (100, 5)), rng.dirichlet(np.ones(5))
    synthetic = basket_returns(returns, weights)
    exact = realized_basket(returns, weights, 252, synthetic)
    assert exact.basket_gap == 0
    assert exact.correlation_index == exact.correlation
    tracked = realized_basket(returns, weights, 252, 1.1 * synthetic)
    assert tracked.basket_gap == pytest.approx(0.1 * exact.portfolio_vol)
    assert tracked.correlation == exact.correlation < tracked.correlation_index
    assert tracked.correlation_index == realized_correlation(
        float(realized_variance(1.1 * synthetic)), weights, realized_variance(returns)
    )
    assert math.isnan(realized_basket(returns, weights).basket_gap)


@pytest.mark.evaluation
@pytest.mark.parametrize(("file", "least"), [("bars_1min", 8), ("bars_5min", 45)])
def test_identity_on_real_bars(file: str, least: int) -> None:
    bars = pd.read_parquet(
        evaluation_data() / "intraday" / f"{file}.parquet", columns=["ts", "symbol", "close"]
    )
    bars = bars[(bars["ts"] >= "2025-10-01") & (bars["ts"] < "2025-11-01")]
    times, names = (
        pd.factorize(bars["ts"], sort=True)[0],
        pd.factorize(bars["symbol"], sort=True)[0],
    )
    grid = tick_grid(
        names, times, bars["close"].to_numpy(), np.arange(-1, times.max() + 1), names.max() + 1
    )
    returns, usable = grid_returns(grid)
    assert usable.sum() >= least
    returns = returns[:, usable]
    weights = np.random.default_rng(2).dirichlet(np.ones(returns.shape[1]))
    periods = 252 * len(returns) / 23
    basket = realized_basket(returns, weights, periods)
    assert basket.basket_vol**2 == pytest.approx(
        basket.portfolio_vol**2 + basket.dispersion**2, rel=1e-12
    )
    apart = periods * float(np.mean(cross_sectional_dispersion(returns, weights) ** 2))
    assert basket.dispersion**2 == pytest.approx(apart, rel=1e-12)


@pytest.mark.evaluation
@pytest.mark.parametrize("minutes", [1, 5])
def test_identity_on_every_trade_of_four_names(minutes: int) -> None:
    trades = pd.read_parquet(
        evaluation_data() / "equity_ticks" / "lean_trades_2013_10.parquet",
        columns=["ts", "symbol", "price"],
    )
    eastern = (
        trades["ts"].dt.tz_localize("America/New_York")
        if trades["ts"].dt.tz is None
        else trades["ts"].dt.tz_convert("America/New_York")
    )
    day = trades[eastern.dt.strftime("%Y-%m-%d") == "2013-10-08"]
    seconds = (
        (eastern[day.index] - pd.Timestamp("2013-10-08 09:30", tz="America/New_York"))
        .dt.total_seconds()
        .to_numpy()
    )
    symbols, found = pd.factorize(day["symbol"], sort=True)
    grid = tick_grid(symbols, seconds, day["price"].to_numpy(), edges(minutes), len(found))
    returns, usable = grid_returns(grid)
    index = list(found).index("SPY")
    assert usable.all()
    names = [at for at in range(len(found)) if at != index]
    basket = realized_basket(
        returns[:, names], np.ones(len(names)), 252 * len(returns), returns[:, index]
    )
    assert basket.basket_vol**2 == pytest.approx(
        basket.portfolio_vol**2 + basket.dispersion**2, rel=1e-12
    )
    assert 0 < basket.correlation < 1
    assert basket.basket_gap < 0, "an index of 500 names is calmer than three of them"
