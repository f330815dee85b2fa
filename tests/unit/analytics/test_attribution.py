"""Parts of a change add up to it, and pure moves land in one part."""

import math

import numpy as np
import pytest

from analytics.correlation import BasketSums, basket_sums, implied_correlation
from analytics.dispersion import dispersion
from tests.support.oracles.attribution import (
    attribute_correlation,
    attribute_dispersion,
    attribute_index_vol,
    attribute_log_index_vol,
)
from tests.support.oracles.correlation import index_vol_at

RNG = np.random.default_rng(21)
WEIGHTS = RNG.dirichlet(np.ones(20))


@pytest.mark.parametrize("seed", range(20))
def test_parts_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vols = rng.uniform(0.1, 0.9, (2, 20))
    sums = (basket_sums(WEIGHTS, vols[0]), basket_sums(WEIGHTS, vols[1]))
    index = (float(rng.uniform(0.1, 0.5)), float(rng.uniform(0.1, 0.5)))
    rho = [implied_correlation(s, WEIGHTS, v) for s, v in zip(index, vols, strict=True)]
    assert sum(attribute_index_vol(index, sums)) == pytest.approx(index[1] - index[0], abs=1e-13)
    assert sum(attribute_correlation(index, sums)) == pytest.approx(rho[1] - rho[0], abs=1e-12)
    basket = (0.6, float(rng.uniform(0.5, 0.9)))
    change = dispersion(basket[1] ** 2, index[1]) - dispersion(basket[0] ** 2, index[0])
    assert sum(attribute_dispersion(index, basket)) == pytest.approx(change, abs=1e-13)
    assert sum(attribute_log_index_vol(index, basket)) == pytest.approx(
        math.log(index[1] / index[0]), abs=1e-13
    )


def test_pure_correlation_move() -> None:
    vols = RNG.uniform(0.2, 0.5, 20)
    sums = basket_sums(WEIGHTS, vols)
    index = (index_vol_at(0.2, WEIGHTS, vols), index_vol_at(0.5, WEIGHTS, vols))
    parts = attribute_index_vol(index, (sums, sums))
    assert parts.average_vol == parts.concentration == 0
    assert parts.correlation == pytest.approx(index[1] - index[0])


def test_small_moves_match_the_differential() -> None:
    vols = RNG.uniform(0.2, 0.5, 20)
    a = basket_sums(WEIGHTS, vols)
    b = BasketSums(a.vol + 1e-6, a.diagonal)
    rho, index = 0.3, index_vol_at(0.3, WEIGHTS, vols)
    moved = math.sqrt(rho * (b.vol**2 - b.diagonal) + b.diagonal)
    assert attribute_index_vol((index, moved), (a, b)).average_vol == pytest.approx(
        2 * rho * a.vol * 1e-6 / (2 * index), rel=1e-4
    )


def test_no_parts_without_values() -> None:
    one_name = BasketSums(0.3, 0.09)
    assert all(map(math.isnan, attribute_index_vol((0.2, 0.3), (one_name, one_name))))
    assert all(map(math.isnan, attribute_dispersion((0.5, 0.2), (0.4, 0.4))))
    assert all(map(math.isnan, attribute_log_index_vol((0.0, 0.2), (0.4, 0.4))))
