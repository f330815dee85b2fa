"""The jump test: one large return is seen, its absence too; degenerate sessions."""

import math

import numpy as np
import pytest

from analytics.jumps import bipower_variation, jump_test, tripower_quarticity

QUIET = np.random.default_rng(2).normal(0, 0.001, 390)


def test_a_jump_is_seen() -> None:
    jumped = QUIET.copy()
    jumped[200] += 0.015
    quiet, loud = jump_test(QUIET), jump_test(jumped)
    assert quiet.z < 2.33
    assert loud.z > 3.09
    assert loud.share == pytest.approx(0.015**2 / loud.realized, abs=0.15)
    assert loud.bipower == pytest.approx(quiet.bipower, rel=0.15)


def test_estimators_of_noise() -> None:
    many = np.random.default_rng(4).normal(0, 0.01, 200_000)
    assert bipower_variation(many) == pytest.approx(200_000 * 1e-4, rel=0.01)
    assert tripower_quarticity(many) == pytest.approx((200_000 * 1e-4) ** 2, rel=0.03)


def test_session_without_movement() -> None:
    test = jump_test(np.zeros(10))
    assert test.realized == 0
    assert math.isnan(test.z)


def test_lonely_jump_has_no_bipower() -> None:
    test = jump_test([0.0, 0.0, 0.02, 0.0, 0.0])
    assert test.share == 1.0
    assert math.isfinite(test.z)


@pytest.mark.parametrize("returns", [[], [0.01, 0.01], [[0.01] * 3] * 3])
def test_too_few_returns(returns: list[float]) -> None:
    with pytest.raises(ValueError, match="at least 3"):
        jump_test(returns)
