"""Running moments against the batch formulas."""

import numpy as np
import pytest

from analytics.moments import merge, no_moments, observe

X = np.random.default_rng(9).normal(1e6, 1, (500, 3))


def test_one_at_a_time() -> None:
    state = no_moments((3,))
    for row in X:
        state = observe(state, row)
    assert state.mean == pytest.approx(X.mean(axis=0), rel=1e-14)
    assert state.variance == pytest.approx(X.var(axis=0, ddof=1), rel=1e-9)


def test_merge_is_the_whole() -> None:
    parts = []
    for half in (X[:123], X[123:]):
        state = no_moments((3,))
        for row in half:
            state = observe(state, row)
        parts.append(state)
    whole = merge(*parts)
    assert whole.n.tolist() == [500] * 3
    assert whole.variance == pytest.approx(X.var(axis=0, ddof=1), rel=1e-9)


def test_missing_values_leave_their_series() -> None:
    state = observe(observe(observe(no_moments((2,)), [1.0, np.nan]), [3.0, 5.0]), [np.nan, 7.0])
    assert state.n.tolist() == [2.0, 2.0]
    assert state.mean.tolist() == [2.0, 6.0]


def test_variance_needs_two() -> None:
    assert np.isnan(no_moments().variance)
    assert np.isnan(observe(no_moments(), 4.0).variance)
    assert merge(no_moments(), no_moments()).n == 0
