"""Constant maturity: nothing is extrapolated, an expiry at the tenor needs no partner."""

import numpy as np
import pytest

from analytics.tenor import MINUTES_PER_DAY, interpolate_variance, interpolate_vol

DAY = MINUTES_PER_DAY


def test_flat_term_structure_stays_flat() -> None:
    assert interpolate_variance(0.04, 10_000, 0.04, 90_000, np.array([9, 30, 60])) == pytest.approx(
        np.full(3, 0.04)
    )


def test_total_variance_is_linear() -> None:
    value = interpolate_variance(0.09, 20 * DAY, 0.04, 40 * DAY, 30)
    assert value == pytest.approx((0.09 * 20 + 0.04 * 40) / 2 / 30)


@pytest.mark.parametrize(
    ("near", "following"),
    [
        (31 * DAY, 40 * DAY),
        (10 * DAY, 29 * DAY),
        (40 * DAY, 10 * DAY),
        (0, 40 * DAY),
        (-DAY, 40 * DAY),
    ],
)
def test_not_bracketed(near: int, following: int) -> None:
    assert np.isnan(interpolate_variance(0.04, near, 0.04, following, 30))


def test_expiry_at_the_tenor_stands_alone() -> None:
    assert interpolate_variance(0.04, 30 * DAY, np.nan, 60 * DAY, 30) == 0.04
    assert interpolate_variance(np.nan, 10 * DAY, 0.05, 30 * DAY, 30) == 0.05
    assert interpolate_variance(0.04, 30 * DAY, np.nan, 30 * DAY, 30) == 0.04


def test_unknown_terms_are_unknown() -> None:
    assert np.isnan(interpolate_variance(np.nan, 10 * DAY, 0.05, 40 * DAY, 30))
    assert np.isnan(interpolate_vol(0.2, 10 * DAY, np.nan, 40 * DAY, 30))


def test_columns_broadcast() -> None:
    value = interpolate_vol(np.array([0.2, 0.3]), 10 * DAY, np.array([0.2, 0.3]), 40 * DAY, 30)
    assert value == pytest.approx([0.2, 0.3])
