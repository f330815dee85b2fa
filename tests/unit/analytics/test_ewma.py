"""Exponentially weighted statistics against their recursions."""

import numpy as np
import pandas as pd
import pytest

from analytics.ewma import TRADING_MINUTES, ew_sum, ewma_variance, ewma_z, tick_variance


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


def test_variance_is_seeded_with_the_first_square() -> None:
    r = np.random.default_rng(1).normal(0, 0.01, 300)
    want = r[0] ** 2
    for value in r[1:]:
        want = 0.94 * want + 0.06 * value**2
    assert ewma_variance(r)[-1] == pytest.approx(252 * want, rel=1e-12)


def test_irregular_ticks() -> None:
    one = tick_variance(1e-6, 0.001, 1.0, half_life=30.0)
    assert one == pytest.approx(1e-6)  # a return of exactly its size changes nothing
    half = tick_variance(4e-6, 0.0, 30.0, half_life=30.0)
    assert half == pytest.approx(2e-6)
    assert tick_variance(1e-6, 0.5, 0.0, half_life=30.0) == 1e-6
    assert TRADING_MINUTES == 252 * 390


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
