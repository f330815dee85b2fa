"""Rates: the worked figure, the spline against an independent solution, its bounds."""

import numpy as np
import pytest

from analytics.rates import MATURITY_DAYS, continuous_rate, curve_rate, curve_yield

DAYS = list(MATURITY_DAYS.values())
YIELDS = np.array([0.0430, 0.0432, 0.0436, 0.0434, 0.0425, 0.0410])


def test_bond_equivalent_yield_of_the_methodology() -> None:
    assert continuous_rate(0.0433) == pytest.approx(0.042838, abs=5e-7)


def test_observed_maturities_keep_their_yield() -> None:
    assert curve_yield(DAYS, DAYS, YIELDS) == pytest.approx(YIELDS, abs=1e-15)


def test_natural_spline() -> None:
    """Against the spline written as a cubic per interval.

    Its sixteen conditions are solved at once.
    """
    x, y = np.array([0.0, 1.0, 2.5, 4.0]), np.array([0.01, 0.02, 0.035, 0.04])
    system, right = np.zeros((12, 12)), np.zeros(12)
    row = 0
    for i in range(3):
        for at in (x[i], x[i + 1]):
            system[row, 4 * i : 4 * i + 4], right[row] = (
                [1, at, at**2, at**3],
                y[i] if at == x[i] else y[i + 1],
            )
            row += 1
    for i in range(2):
        at = x[i + 1]
        for terms in ([0, 1, 2 * at, 3 * at**2], [0, 0, 2, 6 * at]):
            system[row, 4 * i : 4 * i + 4], system[row, 4 * i + 4 : 4 * i + 8] = (
                terms,
                [-v for v in terms],
            )
            row += 1
    system[10, :4], system[11, 8:] = [0, 0, 2, 6 * x[0]], [0, 0, 2, 6 * x[3]]
    cubic = np.linalg.solve(system, right).reshape(3, 4)
    for at, i in ((0.5, 0), (1.7, 1), (3.3, 2)):
        assert curve_yield(at, x, y) == pytest.approx(cubic[i] @ [1, at, at**2, at**3], abs=1e-14)


def test_between_two_maturities_the_yield_stays_between_theirs() -> None:
    peaked = np.array([0.01, 0.01, 0.05, 0.01, 0.01, 0.01])
    at = np.linspace(DAYS[0], DAYS[-1], 500)
    value = curve_yield(at, DAYS, peaked)
    assert value.min() == 0.01
    assert value.max() <= 0.05


def test_outside_the_curve_the_nearest_yield_holds() -> None:
    assert curve_yield([1, 800], DAYS, YIELDS).tolist() == [YIELDS[0], YIELDS[-1]]
    assert curve_rate(1, DAYS, YIELDS) == continuous_rate(YIELDS[0])


@pytest.mark.parametrize("days", [[30, 60, 91], [30, 60, 60, 91], [91, 60, 30, 10]])
def test_unusable_curves_are_errors(days: list[int]) -> None:
    with pytest.raises(ValueError, match="at least 4 ascending"):
        curve_yield(30, days, np.full(len(days), 0.04))
