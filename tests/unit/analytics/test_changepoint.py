"""The chart against its recursion, in one piece and in two."""

import numpy as np
import pytest

from analytics.changepoint import cusum

Z = np.concatenate(
    [np.random.default_rng(6).normal(0, 1, 200), np.random.default_rng(7).normal(-1, 1, 60)]
)


def test_cusum_matches_its_recursion() -> None:
    up = down = 0.0
    want = []
    for z in Z.tolist():
        up, down = max(0.0, up + z - 0.5), max(0.0, down - z - 0.5)
        want.append((up, down))
    chart = cusum(Z)
    assert np.column_stack(chart) == pytest.approx(np.array(want), abs=1e-12)
    assert chart.down[-1] > 5 > chart.up[-1]


def test_cusum_continues_from_a_state() -> None:
    whole, first = cusum(Z), cusum(Z[:100])
    rest = cusum(Z[100:], start=(float(first.up[-1]), float(first.down[-1])))
    assert rest.up == pytest.approx(whole.up[100:], abs=1e-12)
    assert rest.down == pytest.approx(whole.down[100:], abs=1e-12)


def test_empty_streams() -> None:
    assert [len(part) for part in cusum([])] == [0] * 2
