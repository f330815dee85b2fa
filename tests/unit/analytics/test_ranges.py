"""Range estimators on bars of known shape, and on a simulated walk of known vol."""

import math

import numpy as np
import pytest

from analytics.ranges import close_to_close, garman_klass, parkinson, rogers_satchell, yang_zhang


def test_one_bar_by_hand() -> None:
    high, low, close, open_ = 1.02, 0.99, 1.01, 1.0
    span, body = math.log(high / low), math.log(close / open_)
    assert parkinson([high], [low], 1) == pytest.approx(span**2 / (4 * math.log(2)))
    assert garman_klass([open_], [high], [low], [close], 1) == pytest.approx(
        0.5 * span**2 - (2 * math.log(2) - 1) * body**2
    )
    by_hand = math.log(high / close) * math.log(high / open_) + math.log(low / close) * math.log(
        low / open_
    )
    assert rogers_satchell([open_], [high], [low], [close], 1) == pytest.approx(by_hand)


def test_a_trend_without_noise_has_no_rogers_satchell_variance() -> None:
    open_, close = np.array([100.0, 101.0]), np.array([101.0, 102.0])
    assert rogers_satchell(open_, close, open_, close) == pytest.approx(0.0, abs=1e-15)
    assert parkinson(close, open_) > 0


def test_all_estimators_see_the_same_vol() -> None:
    steps = np.random.default_rng(5).normal(0, 0.2 / math.sqrt(252 * 400), (1500, 400))
    path = np.cumsum(steps.ravel()).reshape(steps.shape)
    start = np.concatenate([[0.0], path[:-1, -1]])
    bars = np.exp(
        [
            start,
            np.maximum(path.max(axis=1), start),
            np.minimum(path.min(axis=1), start),
            path[:, -1],
        ]
    )
    estimates = [
        close_to_close(bars[3]),
        parkinson(bars[1], bars[2]),
        garman_klass(*bars),
        rogers_satchell(*bars),
        yang_zhang(*bars),
    ]
    assert np.sqrt(estimates) == pytest.approx(np.full(5, 0.2), abs=0.012)


def test_too_few_bars() -> None:
    assert math.isnan(yang_zhang([1.0, 1.0], [1.1, 1.1], [0.9, 0.9], [1.0, 1.0]))
    assert math.isnan(close_to_close([1.0, 1.1]))
