"""Exponentially weighted statistics against their recursions."""

import numpy as np
import pandas as pd
import pytest

from analytics.ewma import ew_sum, ewma_z


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.94, 0.9999, 1.0])
@pytest.mark.parametrize("n", [0, 1, 2, 3, 100, 1000])
def test_sum_matches_the_recursion(decay: float, n: int) -> None:
    x = np.random.default_rng(n).normal(size=(n, 2))
    want, state = [], np.zeros(2)
    for row in x:
        state = decay * state + row
        want.append(state)
    assert ew_sum(x, decay) == pytest.approx(np.reshape(want, (n, 2)), abs=1e-11)


def test_argument_is_left_alone() -> None:
    x = np.ones(5)
    ew_sum(x, 0.5)
    assert x.tolist() == [1.0] * 5


def test_z_uses_the_state_before_the_value() -> None:
    x = np.random.default_rng(8).normal(5, 2, 400)
    window = pd.Series(x).ewm(halflife=20)
    want = (x[1:] - window.mean().to_numpy()[:-1]) / window.std().to_numpy()[:-1]
    assert ewma_z(x)[2:] == pytest.approx(want[1:], rel=1e-9)
    shocked = x.copy()
    shocked[-1] = 1e6
    assert ewma_z(shocked)[-1] > 1e5


def test_level_far_from_zero_does_not_cancel() -> None:
    x = np.random.default_rng(8).normal(0, 1, 200)
    assert ewma_z(x + 1e6)[5:] == pytest.approx(ewma_z(x)[5:], rel=1e-7)


def test_no_spread_no_score() -> None:
    assert np.isnan(ewma_z(np.full(10, 3.0))).all()
    assert np.isnan(ewma_z(np.array([1.0]))).all()
