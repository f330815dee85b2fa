"""Basket vol and implied correlation of groups of names."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.finite import finite


class GroupLevels(NamedTuple):
    """Of g groups, NaN where a group has no name or, for correlation, only one."""

    basket_vol: Floats
    """sqrt(SUM w v / SUM w) over the group's names."""
    implied_correlation: Floats
    """(s_I^2 - B) / (A^2 - B) over the group's names: at which they alone give the index's vol."""


# Garbage gives NaN.
@np.errstate(all="ignore")
def group_levels(
    members: ArrayLike, weights: ArrayLike, variances: ArrayLike, vols: ArrayLike, index_vol: float
) -> GroupLevels:
    """Levels of g groups from n names; a name without a value (NaN) drops out of that level.

    Args:
        members: (n, g), 1 where a name belongs to a group and 0 elsewhere.
        weights: n weights in any unit.
        variances: n model-free variances.
        vols: n at-the-money vols.
        index_vol: at-the-money vol of the index.

    Source: methodology 2 and 3.1, on the names of a group with their weights renormalised.

    >>> levels = group_levels([[1], [1]], [1, 1], [0.04, 0.09], [0.2, 0.2], 0.18)
    >>> float(levels.basket_vol[0].round(6)), float(levels.implied_correlation[0].round(6))
    (0.254951, 0.62)
    """
    groups, w = (np.asarray(one, dtype=np.float64) for one in (members, weights))
    v, s = (np.asarray(one, dtype=np.float64) for one in (variances, vols))
    strips, atm = np.isfinite(v), np.isfinite(s)
    level = np.sqrt((w[strips] * v[strips]) @ groups[strips] / (w[strips] @ groups[strips]))
    groups, w, s = groups[atm], w[atm], s[atm]
    total = w @ groups
    mean = (w * s) @ groups / total
    diagonal = (w * s) ** 2 @ groups / total**2
    single = groups.sum(axis=0) < 2
    rho = (index_vol**2 - diagonal) / (mean**2 - diagonal)
    return GroupLevels(finite(level), finite(np.where(single, np.nan, rho)))
