"""Ranks with ties and gaps, robust scores with outliers."""

import math

import numpy as np
import pandas as pd
import pytest

from analytics.robust import robust_z
from analytics.rolling import percentile_rank, rolling_rank


@pytest.mark.parametrize(
    ("history", "x", "rank"),
    [
        ([1, 2, 3], 4, 1.0),
        ([1, 2, 3], 0, 0.25),
        ([], 5, 1.0),
        ([2, 2, 2], 2, 0.625),
        ([1, math.nan, 3], 2, 2 / 3),
        ([1, 2], math.nan, math.nan),
    ],
)
def test_percentile_rank(history: list[float], x: float, rank: float) -> None:
    assert percentile_rank(history, x) == pytest.approx(rank, nan_ok=True)


def test_rolling_rank_is_the_rank_in_each_window() -> None:
    x = np.round(np.random.default_rng(0).normal(size=300), 1)
    ours = rolling_rank(x, 50, 20)
    assert np.isnan(ours[:19]).all()
    assert ours[19:] == pytest.approx(
        pd.Series(x).rolling(50, min_periods=20).rank(pct=True).to_numpy()[19:]
    )
    assert ours[120] == percentile_rank(x[71:120], x[120])


def test_rolling_rank_with_gaps() -> None:
    ranks = rolling_rank([1.0, np.nan, 2.0, 3.0], window=3, minimum=2)
    assert ranks == pytest.approx([np.nan, np.nan, 1.0, 1.0], nan_ok=True)


def test_robust_scores_ignore_the_outlier() -> None:
    history = np.random.default_rng(1).normal(10, 2, 5001)
    history[0] = 1e9
    assert robust_z(history, 20.0) == pytest.approx(5, rel=0.05)


def test_no_spread_no_score() -> None:
    assert math.isnan(robust_z([1.0, 1.0, 1.0], 2.0))
    assert math.isnan(robust_z([], 2.0))
