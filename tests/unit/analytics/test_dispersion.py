"""Dispersion and what is read off the model-free pair."""

import math

import numpy as np
import pytest

from analytics.dispersion import (
    adverse_share,
    basket_vol,
    correlation_share,
    dispersion,
    variance_ratio,
    vol_ratio,
    vol_spread,
)


def test_missing_names_are_renormalised_away() -> None:
    assert basket_vol([0.4, 0.4, 0.2], [0.09, np.nan, 0.04]) == pytest.approx(
        math.sqrt((0.4 * 0.09 + 0.2 * 0.04) / 0.6)
    )
    assert basket_vol([2.0, 1.0], [0.09, 0.04]) == pytest.approx(
        basket_vol([200.0, 100.0], [0.09, 0.04])
    )


@pytest.mark.parametrize("variances", [[], [np.nan], [np.inf], [-0.1]])
def test_no_basket(variances: list[float]) -> None:
    assert math.isnan(basket_vol([1.0] * len(variances), variances))


def test_floor_at_zero() -> None:
    assert dispersion(0.04, 0.25) == 0.0
    assert math.isnan(dispersion(math.nan, 0.2))


def test_scalars_are_plain_floats_and_columns_stay_columns() -> None:
    for function in (dispersion, variance_ratio, vol_ratio, vol_spread):
        assert type(function(0.2, 0.3)) is float
        column = function(np.array([0.2, 0.3]), np.array([0.3, 0.2]))
        assert column.tolist() == [function(0.2, 0.3), function(0.3, 0.2)]


def test_variance_ratio_and_dispersion_agree() -> None:
    whole, index = 0.41, 0.16
    assert variance_ratio(index, whole) == pytest.approx(
        1 - (dispersion(whole**2, index) / whole) ** 2
    )
    assert math.isnan(variance_ratio(0.2, 0.0))
    assert math.isnan(vol_ratio(0.0, 0.3))


def test_correlation_share_of_pure_moves() -> None:
    assert correlation_share(0.2, 0.3, 0.4, 0.4) == pytest.approx(1.0)
    assert correlation_share(0.2, 0.3, 0.4, 0.6) == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(float(correlation_share(0.2, 0.2001, 0.4, 0.6)))
    assert math.isnan(float(correlation_share(0.0, 0.2, 0.4, 0.6)))


@pytest.mark.parametrize(
    ("index", "basket", "share"),
    [
        (0.02, 0.01, 1.0),
        (0.02, -0.02, 0.5),
        (-0.01, -0.02, 0.0),
        (0.0138, -0.0150, 0.479),
        (-0.1, 0.1, math.nan),
    ],
)
def test_adverse_share(index: float, basket: float, share: float) -> None:
    assert adverse_share(index, basket) == pytest.approx(share, abs=5e-4, nan_ok=True)
