"""Mean and variance one observation at a time, without the cancellation of a sum of squares."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats


class Moments(NamedTuple):
    """Running count, mean and sum of squared deviations.

    They are arrays of one shape, one series an element.
    """

    n: Floats
    mean: Floats
    deviations: Floats
    """M2 = SUM (x - mean)^2."""

    @property
    def variance(self) -> Floats:
        """Sample variance M2 / (n - 1); NaN with fewer than two observations."""
        enough = self.n > 1
        return np.where(enough, self.deviations / np.where(enough, self.n - 1, 1), np.nan)


def no_moments(shape: tuple[int, ...] = ()) -> Moments:
    """Moments before the first observation.

    Source: Welford, 1962; methodology 5.

    >>> no_moments().n.item()
    0.0
    """
    return Moments(np.zeros(shape), np.zeros(shape), np.zeros(shape))


def observe(moments: Moments, x: ArrayLike) -> Moments:
    """Moments after one more observation of every series; a NaN leaves its series as it is.

    Source: Welford, "Note on a method for calculating corrected sums of squares and products",
    1962.

    >>> m = observe(observe(no_moments(), 1.0), 3.0)
    >>> float(m.mean), float(m.variance)
    (2.0, 2.0)
    """
    values = np.asarray(x, dtype=np.float64)
    one = Moments(
        np.where(np.isnan(values), 0.0, 1.0), np.nan_to_num(values), np.zeros(values.shape)
    )
    return merge(moments, one)


def merge(a: Moments, b: Moments) -> Moments:
    """Moments of the observations of both.

    Source: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm", 1979.

    >>> m = merge(observe(no_moments(), 1.0), observe(no_moments(), 3.0))
    >>> float(m.n), float(m.mean), float(m.variance)
    (2.0, 2.0, 2.0)
    """
    count = a.n + b.n
    share = b.n / np.maximum(count, 1)
    apart = np.where(a.n > 0, b.mean - a.mean, 0.0)
    mean = np.where(a.n > 0, a.mean + apart * share, b.mean)
    return Moments(
        np.asarray(count),
        mean,
        np.asarray(a.deviations + b.deviations + apart * apart * a.n * share),
    )
