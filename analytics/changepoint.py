"""Change-point charts: running statistics of a standardised series.

They are to be compared with a threshold.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.ewma import ew_sum


class TwoSided(NamedTuple):
    """A statistic of t observations against a rise and against a fall, both >= 0."""

    up: Floats
    down: Floats


def cusum(z: ArrayLike, k: float = 0.5, start: tuple[float, float] = (0.0, 0.0)) -> TwoSided:
    """S+ = max(0, S+ + z - k) and S- = max(0, S- - z - k) after each of t standardised values.

    Alarm above 4 or 5.

    `start` are the statistics before the first value. By reflection: a walk that is held at zero is
    the free walk less its running minimum.

    Source: Montgomery, "Introduction to statistical quality control".

    >>> chart = cusum([1.0, 2.0, -3.0])
    >>> chart.up.tolist(), chart.down.tolist()
    ([0.5, 2.0, 0.0], [0.0, 0.0, 2.5])
    """
    values = np.asarray(z, dtype=np.float64)
    return TwoSided(_reflected(values - k, start[0]), _reflected(-values - k, start[1]))


class EwmaChart(NamedTuple):
    """Smoothed values of t observations and the limit each may reach."""

    value: Floats
    limit: Floats


def ewma_chart(z: ArrayLike, smoothing: float = 0.2, width: float = 3.0) -> EwmaChart:
    """Smoothed t standardised values, from 0, and the limit of each.

    The limit is width sqrt(lam / (2 - lam) (1 - (1 - lam)^2t)). Alarm where |value| > limit.

    Source: methodology 8.1.

    >>> chart = ewma_chart([1.0, 1.0])
    >>> chart.value.round(4).tolist(), chart.limit.round(4).tolist()
    ([0.2, 0.36], [0.6, 0.7684])
    """
    values = np.asarray(z, dtype=np.float64)
    age = np.arange(1, len(values) + 1)
    limit = width * np.sqrt(smoothing / (2 - smoothing) * (1 - (1 - smoothing) ** (2 * age)))
    return EwmaChart(ew_sum(smoothing * values, 1 - smoothing), limit)


def page_hinkley(x: ArrayLike, delta: float = 0.005, alpha: float = 0.9999) -> TwoSided:
    """Fading sums of x - mean -/+ delta less their extreme, after each of t unit-scale values.

    Alarm above 50 from the 30th on.

    Source: Page, "Continuous inspection schemes", 1954; the recursion and defaults of river 0.26.1,
    without its reset.

    >>> page_hinkley([0.0, 1.0]).up.round(6).tolist()
    [0.0, 0.495]
    """
    values = np.asarray(x, dtype=np.float64)
    deviation = values - np.cumsum(values) / np.arange(1, len(values) + 1)
    rising, falling = ew_sum(deviation - delta, alpha), ew_sum(deviation + delta, alpha)
    return TwoSided(
        rising - np.minimum.accumulate(rising), np.maximum.accumulate(falling) - falling
    )


def _reflected(step: Floats, start: float) -> Floats:
    free = np.cumsum(step)
    return np.maximum(start + free, free - np.minimum.accumulate(free)) if len(free) else free
