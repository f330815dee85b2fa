"""Realised figures: the identities hold to machine precision."""

import math

import numpy as np
import pytest

from analytics.dispersion import basket_vol
from analytics.realized import (
    basket_gap,
    basket_returns,
    realized_correlation,
    realized_dispersion,
    realized_variance,
)
from tests.support.oracles.realized import cross_sectional_dispersion

RNG = np.random.default_rng(11)
WEIGHTS = RNG.dirichlet(np.ones(30))
RETURNS = RNG.normal(0.001, 0.02, (1638, 30)) + RNG.normal(0, 0.01, (1638, 1))


def test_identity_of_each_period() -> None:
    mean = basket_returns(RETURNS, WEIGHTS)
    apart = cross_sectional_dispersion(RETURNS, WEIGHTS)
    assert np.square(RETURNS) @ WEIGHTS == pytest.approx(mean**2 + apart**2, abs=1e-17, rel=1e-12)


def test_identity_over_time() -> None:
    names, basket = (
        realized_variance(RETURNS),
        float(realized_variance(basket_returns(RETURNS, WEIGHTS))),
    )
    streamed = realized_dispersion(basket, WEIGHTS, names)
    direct = math.sqrt(252 * float(np.mean(cross_sectional_dispersion(RETURNS, WEIGHTS) ** 2)))
    assert streamed == pytest.approx(direct, rel=1e-12)
    assert basket_vol(WEIGHTS, names) ** 2 == pytest.approx(basket + streamed**2, rel=1e-12)


def test_example_of_one_period() -> None:
    apart = cross_sectional_dispersion([[0.02, -0.01, 0.005, -0.03]], [0.4, 0.3, 0.2, 0.1])
    assert 100 * apart[0] == pytest.approx(1.6613, abs=5e-5)
    assert 100 * apart[0] * math.sqrt(252) == pytest.approx(26.37, abs=5e-3)


def test_correlation_is_the_weighted_mean_of_pairwise_correlations() -> None:
    second = RETURNS.T @ RETURNS / len(RETURNS)
    vols = np.sqrt(np.diag(second))
    pairs = np.outer(WEIGHTS * vols, WEIGHTS * vols)
    off = ~np.eye(30, dtype=bool)
    direct = float((pairs * second / np.outer(vols, vols))[off].sum() / pairs[off].sum())
    index = float(realized_variance(basket_returns(RETURNS, WEIGHTS)))
    assert realized_correlation(index, WEIGHTS, realized_variance(RETURNS)) == pytest.approx(
        direct, rel=1e-10
    )


def test_equal_vols() -> None:
    """With equal vols and many small names rho = s_I^2 / (s_I^2 + D^2): 16 and 24 give 0.308."""
    n = 200_000
    rho = realized_correlation(0.16**2, np.ones(n), np.full(n, 0.16**2 + 0.24**2))
    assert rho == pytest.approx(0.308, abs=5e-4)


def test_the_gap_is_a_difference_of_vols() -> None:
    assert basket_gap(0.04, 0.09) == pytest.approx(-0.1)
    assert realized_dispersion(0.09, WEIGHTS, np.full(30, 0.04)) == 0.0
