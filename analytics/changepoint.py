"""The CUSUM chart of a standardised series, to be compared with a threshold."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats


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


def _reflected(step: Floats, start: float) -> Floats:
    free = np.cumsum(step)
    return np.maximum(start + free, free - np.minimum.accumulate(free)) if len(free) else free
