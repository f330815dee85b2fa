"""Implied correlation: exact cases, missing names, one name."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from analytics.atm import delta_vols
from analytics.correlation import (
    SKEW_DELTAS,
    basket_sums,
    correlation_bounds,
    implied_correlation,
    implied_correlation_skew,
    weighted_percentile,
)
from tests.support.option_boards import board_of, smile_table
from tests.support.oracles.correlation import index_vol_at

WEIGHTS, VOLS = np.array([0.40, 0.25, 0.20, 0.15]), np.array([0.30, 0.25, 0.40, 0.20])


def test_two_names() -> None:
    assert implied_correlation(math.sqrt(0.03), [0.5, 0.5], [0.2, 0.2]) == pytest.approx(
        0.5, abs=1e-14
    )


def test_pair_sum_form() -> None:
    pairs = 2 * sum(
        WEIGHTS[i] * WEIGHTS[j] * VOLS[i] * VOLS[j] for i in range(4) for j in range(i + 1, 4)
    )
    diagonal = float(np.sum((WEIGHTS * VOLS) ** 2))
    assert implied_correlation(0.18, WEIGHTS, VOLS) == pytest.approx(
        (0.18**2 - diagonal) / pairs, abs=1e-14
    )


def test_index_vol_inverts() -> None:
    for rho in (-0.05, 0.0, 0.4, 1.0, 1.2):
        assert implied_correlation(
            index_vol_at(rho, WEIGHTS, VOLS), WEIGHTS, VOLS
        ) == pytest.approx(rho, abs=1e-13)
    assert math.isnan(index_vol_at(-5, WEIGHTS, VOLS))


def test_raw_value_is_not_clipped() -> None:
    assert implied_correlation(0.5, WEIGHTS, VOLS) > 1
    assert implied_correlation(0.05, WEIGHTS, VOLS) < 0


def test_weights_are_renormalised_over_known_vols() -> None:
    with_gap = implied_correlation(0.18, np.append(WEIGHTS, 0.5), np.append(VOLS, np.nan))
    assert with_gap == pytest.approx(implied_correlation(0.18, 3 * WEIGHTS, VOLS), abs=1e-14)
    assert basket_sums(np.append(WEIGHTS, 0.0), np.append(VOLS, 9.0)) == basket_sums(WEIGHTS, VOLS)


@pytest.mark.parametrize(
    ("index", "vols"),
    [
        (0.2, [0.3]),
        (0.2, [0.3, math.nan]),
        (0.2, []),
        (0.2, [math.nan] * 3),
        (math.nan, [0.3, 0.2]),
        (0.2, [0.0, 0.0]),
    ],
)
def test_no_value(index: float, vols: list[float]) -> None:
    assert math.isnan(implied_correlation(index, [0.7, 0.2, 0.1][: len(vols)], vols))


@pytest.mark.parametrize("index", [0.18, 0.25, 0.30])
def test_bounds_enclose_the_value_of_the_full_basket_and_of_what_is_left(index: float) -> None:
    missing = VOLS.copy()
    missing[1] = np.nan
    lower, upper = correlation_bounds(index, WEIGHTS, missing)
    assert lower < implied_correlation(index, WEIGHTS, VOLS) < upper
    filled = [
        implied_correlation(index, WEIGHTS, np.where(np.isnan(missing), vol, missing))
        for vol in (0.20, 0.40)
    ]
    both = [*filled, implied_correlation(index, WEIGHTS, missing)]
    assert (lower, upper) == (min(both), max(both))


def test_bounds_hold_for_any_vol_of_a_name_that_is_carried() -> None:
    carried = np.array([False, True, False, False])
    value = implied_correlation(0.25, WEIGHTS, VOLS)
    lower, upper = correlation_bounds(0.25, WEIGHTS, VOLS, carried)
    assert lower < value < upper
    for vol in (0.20, 0.25, 0.33, 0.40):
        other = implied_correlation(0.25, WEIGHTS, np.where(carried, vol, VOLS))
        assert lower <= other <= upper
    lower, upper = correlation_bounds(0.25, WEIGHTS, VOLS, np.ones(4, np.bool_))
    assert lower < value < upper
    assert correlation_bounds(0.25, WEIGHTS, VOLS, np.zeros(4, np.bool_)) == (value, value)


def test_bounds_without_any_or_with_every_name() -> None:
    assert all(map(math.isnan, correlation_bounds(0.18, WEIGHTS, np.full(4, np.nan))))
    assert (
        correlation_bounds(0.18, WEIGHTS, VOLS) == (implied_correlation(0.18, WEIGHTS, VOLS),) * 2
    )


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.05, 0.1), (0.1, 0.1), (0.11, 0.2), (0.3, 0.2), (0.95, 0.3), (1.0, 0.3), (0.0, 0.1)],
)
def test_weighted_percentile(share: float, value: float) -> None:
    assert weighted_percentile([0.3, 0.1, 0.2], [0.7, 0.1, 0.2], share) == value


def test_weighted_percentile_without_weight() -> None:
    assert math.isnan(weighted_percentile([0.3], [0.0], 0.5))


def test_skew_from_quotes_to_correlation_at_each_delta() -> None:
    """An index and four names quoted by one correlation at every strike.

    They give it back at each delta of the skew.
    """
    weights, levels, rho, years = (
        np.array([0.4, 0.25, 0.2, 0.15]),
        np.array([0.30, 0.25, 0.40, 0.20]),
        0.35,
        0.25,
    )
    strikes, deltas = np.arange(40, 200, 1.0), list(SKEW_DELTAS)

    def at_deltas(vol: float) -> NDArray[np.float64]:
        board = board_of([smile_table(strikes, 100.0, years, vol, 0.0001)], [years])
        vols, status = delta_vols(board, np.array([100.0]), deltas)
        assert not status.any()
        return np.asarray(vols[0])

    names = np.array([at_deltas(level) for level in levels.tolist()])
    index = at_deltas(index_vol_at(rho, weights, levels))
    assert implied_correlation_skew(index, weights, names) == pytest.approx([rho] * 4, abs=2e-4)
    puts_dearer = implied_correlation_skew(index * [1.0, 1.0, 1.05, 1.1], weights, names)
    assert (np.diff(puts_dearer[1:]) > 0).all(), "the put side, delta 0.90, reads highest"
    assert np.isnan(implied_correlation_skew([np.nan, 0.2, 0.2, 0.2], weights, names)[0])


def test_skew_needs_as_many_columns_as_deltas() -> None:
    with pytest.raises(ValueError, match="zip"):
        implied_correlation_skew([0.2, 0.2], [1.0, 1.0], [[0.2], [0.3]])
