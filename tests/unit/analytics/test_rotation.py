"""Rotation formulas: their edges, and the worked numbers of the methodology on real bars."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from analytics.rotation import (
    autocorrelation,
    best_less_worst,
    group_returns,
    relative_strength,
    sector_dispersion,
)
from tests.support.evaluation import evaluation_data
from tests.support.oracles.realized import cross_sectional_dispersion

NAN = math.nan
SECTORS = ("XLB", "XLC", "XLE", "XLF", "XLI", "XLK", "XLP", "XLRE", "XLU", "XLV", "XLY")
LEADERS = ("AAPL", "AMZN", "GOOG", "META", "MSFT", "NVDA", "TSLA")


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    """Last bar of each day: (dates, symbols)."""
    bars = pd.read_parquet(
        evaluation_data() / "intraday" / "bars_5min.parquet", columns=["ts", "symbol", "close"]
    )
    bars["day"] = pd.to_datetime(bars["ts"]).dt.date
    return bars.sort_values("ts").pivot_table(
        index="day", columns="symbol", values="close", aggfunc="last"
    )


def moves(
    closes: pd.DataFrame, first: str, last: str, symbols: tuple[str, ...]
) -> NDArray[np.float64]:
    """Simple returns between the closes of two days."""
    days = [date.fromisoformat(first), date.fromisoformat(last)]
    before, after = closes.reindex(index=days, columns=list(symbols)).to_numpy(np.float64)
    return np.asarray(after / before - 1, np.float64)


@pytest.mark.evaluation
def test_defensives_fell_behind_in_october_2025(closes: pd.DataFrame) -> None:
    names = moves(closes, "2025-10-03", "2025-10-31", ("WMT", "COST", "SPY"))
    assert names.round(4).tolist() == [-0.0086, -0.0041, 0.0191]
    assert relative_strength(names[:2], names[2]).round(4).tolist() == [-0.0272, -0.0228]


@pytest.mark.evaluation
def test_sectors_on_the_sell_off_of_2025_10_10(closes: pd.DataFrame) -> None:
    sectors = moves(closes, "2025-10-09", "2025-10-10", SECTORS)
    assert (100 * sectors).round(2).tolist() == [
        -2.05,
        -1.84,
        -2.89,
        -2.14,
        -2.19,
        -4.07,
        0.10,
        -1.09,
        -0.42,
        -1.47,
        -2.76,
    ]
    assert round(100 * float(sector_dispersion(sectors, np.ones(11))), 3) == 1.113
    assert round(100 * best_less_worst(sectors), 2) == 4.17


@pytest.mark.evaluation
def test_the_seven_leaders_to_the_end_of_october_2025(closes: pd.DataFrame) -> None:
    leaders = moves(closes, "2025-10-03", "2025-10-31", LEADERS)
    assert 100 * best_less_worst(leaders) == pytest.approx(23.09, abs=0.01)


def test_sector_dispersion_is_the_cross_sectional_one_of_all_known_sectors() -> None:
    returns = np.random.default_rng(3).normal(0, 0.01, (5, 4))
    weights = [4.0, 3.0, 2.0, 1.0]
    np.testing.assert_allclose(
        sector_dispersion(returns, weights),
        cross_sectional_dispersion(returns, weights),
        atol=1e-15,
    )
    gone = np.where([False, False, True, False], np.nan, returns)
    without = cross_sectional_dispersion(returns[:, [0, 1, 3]], [4.0, 3.0, 1.0])
    np.testing.assert_allclose(sector_dispersion(gone, weights, least=0.8), without, atol=1e-15)
    assert np.isnan(sector_dispersion(gone, weights, least=0.81)).all()


def test_groups_need_their_share_of_weight() -> None:
    members = np.array([[3.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    returns = [[0.01, NAN, 0.02], [NAN, 0.01, NAN]]
    np.testing.assert_array_equal(
        group_returns(returns, members, least=0.7), [[0.01, 0.02], [NAN, NAN]]
    )
    np.testing.assert_array_equal(group_returns(returns, members), [[0.01, 0.02], [0.01, NAN]])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([0.01, 0.01, 0.01], 1.0),
        ([1.0, 0.0, 1.0], 0.0),
        ([0.0, 0.0, 0.0], NAN),
        ([0.01, NAN, 0.01, 0.01], NAN),
        ([0.01, -0.01], NAN),
        ([2.0, -1.0, 0.0, 1.0, -1.0], (-2.0 - 1.0) / math.sqrt(3.0 * 6.0)),
    ],
)
def test_autocorrelation(changes: list[float], expected: float) -> None:
    assert autocorrelation(changes) == pytest.approx(expected, nan_ok=True)


def test_of_too_few_nothing_is_said() -> None:
    assert math.isnan(best_less_worst([0.1, NAN]))
    assert np.isnan(sector_dispersion([0.1, NAN], [1.0, 1.0]))
    assert np.isnan(relative_strength([0.1], -1.0)).all()
