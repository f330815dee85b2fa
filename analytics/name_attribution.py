"""What moved a figure, name by name.

Finite changes of a basket figure are split over its names and sectors without remainder. Every
split is of the form change = common + SUM of names. Each coefficient is taken at the middle of the
move, so that a product of two factors leaves no remainder. Both ends use one set of names and one
set of weights. NaN throughout where a figure is unknown.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats
from analytics.correlation import basket_sums, cross_term

Pair = tuple[float, float]
"""Before and after."""
Columns = tuple[ArrayLike, ArrayLike]
"""The n values of the names, before and after."""


class NameParts(NamedTuple):
    """A change = `common` + the sum of `names`."""

    common: float
    """What no name did: correlation for an index vol, the index for dispersion and correlation."""
    names: Floats
    """n parts."""

    @property
    def change(self) -> float:
        """The whole."""
        return math.fsum((self.common, *self.names.tolist()))


# An end without a value makes every part NaN.
@np.errstate(all="ignore")
def index_vol_by_name(index_vol: Pair, weights: ArrayLike, variances: Columns) -> NameParts:
    """Change of model-free index vol over the variances v of n names, and correlation in common.

    Correlation is the variance ratio q. From V_I^2 = q SUM w v: a name has q w dv / (V_I0 + V_I1),
    correlation SUM w v dq / (V_I0 + V_I1), q and SUM w v at mid-move.

    Source: methodology 7.3, on finite changes.

    >>> parts = index_vol_by_name((0.16, 0.20), [0.5, 0.5], ([0.09, 0.0625], [0.09, 0.09]))
    >>> round(parts.common, 6), parts.names.round(6).tolist(), round(parts.change, 12)
    (0.025101, [0.0, 0.014899], 0.04)
    """
    w, before, after = _columns(weights, variances)
    level = (float(w @ before), float(w @ after))
    ratio = [_ratio(vol * vol, whole) for vol, whole in zip(index_vol, level, strict=True)]
    double = _positive(index_vol[0] + index_vol[1])
    common = 0.5 * (level[0] + level[1]) * (ratio[1] - ratio[0]) / double
    return _parts(common, 0.5 * (ratio[0] + ratio[1]) * w * (after - before) / double)


@np.errstate(all="ignore")  # as above
def dispersion_by_name(index_vol: Pair, weights: ArrayLike, variances: Columns) -> NameParts:
    """Change of dispersion over the variances v of n names, and index vol in common.

    From D^2 = SUM w v - V_I^2: a name has w dv / (D_0 + D_1), the index -d(V_I^2) / (D_0 + D_1).
    Where the floor at zero holds on either side there is no such identity: NaN.

    Source: methodology 7.3, on finite changes.

    >>> parts = dispersion_by_name((0.16, 0.20), [0.5, 0.5], ([0.09, 0.0625], [0.09, 0.09]))
    >>> round(parts.common, 6), parts.names.round(6).tolist()
    (-0.032095, [0.0, 0.030647])
    """
    w, before, after = _columns(weights, variances)
    square = [
        float(w @ column) - vol * vol
        for column, vol in zip((before, after), index_vol, strict=True)
    ]
    if not (square[0] >= 0 and square[1] >= 0):
        return _parts(math.nan, w * math.nan)
    double = _positive(math.sqrt(square[0]) + math.sqrt(square[1]))
    return _parts(-_rise_of_square(index_vol) / double, w * (after - before) / double)


@np.errstate(all="ignore")  # as above
def correlation_by_name(index_vol: Pair, weights: ArrayLike, vols: Columns) -> NameParts:
    """Change of implied correlation over the 50-delta vols s of n names.

    The index's 50-delta vol is in common.

    From s_I^2 = rho (A^2 - B) + B: with rho, A and the width A^2 - B at mid-move a name has
    -(2 rho A w ds + (1 - rho) w^2 d(s^2)) / width, the index d(s_I^2) / width.

    Source: methodology 7.3, on finite changes.

    >>> parts = correlation_by_name((0.16, 0.20), [0.5, 0.5], ([0.3, 0.25], [0.3, 0.3]))
    >>> round(parts.common, 6), parts.names.round(6).tolist()
    (0.349091, [-0.0, -0.126202])
    """
    rho, width, names = _atm_terms(index_vol, weights, vols)
    middle = _positive(0.5 * (width[0] + width[1]))
    return _parts(
        _rise_of_square(index_vol) / middle if not math.isnan(rho[0] + rho[1]) else math.nan,
        -names / middle,
    )


@np.errstate(all="ignore")  # as above
def index_atm_vol_by_name(index_vol: Pair, weights: ArrayLike, vols: Columns) -> NameParts:
    """Change of the index's 50-delta vol over those of n names, and implied correlation in common.

    The identity of `correlation_by_name`, solved for the index: correlation has width
    d(rho) / (s_I0 + s_I1).

    Source: methodology 7.3, on finite changes.

    >>> parts = index_atm_vol_by_name((0.16, 0.20), [0.5, 0.5], ([0.3, 0.25], [0.3, 0.3]))
    >>> round(parts.common, 6), round(parts.change, 12)
    (0.025539, 0.04)
    """
    rho, width, names = _atm_terms(index_vol, weights, vols)
    double = _positive(index_vol[0] + index_vol[1])
    return _parts(0.5 * (width[0] + width[1]) * (rho[1] - rho[0]) / double, names / double)


def by_group(parts: Floats, groups: Iterable[str]) -> dict[str, float]:
    """Sums of the parts of the names in each group (sector), in the order of the groups' names.

    Source: sums of methodology 7.3.

    >>> by_group(np.array([0.01, 0.02, -0.01]), ["Energy", "Utilities", "Energy"])
    {'Energy': 0.0, 'Utilities': 0.02}
    """
    members: dict[str, list[float]] = {}
    for group, part in zip(groups, parts.tolist(), strict=True):
        members.setdefault(group, []).append(part)
    return {group: math.fsum(members[group]) for group in sorted(members)}


def _atm_terms(
    index_vol: Pair, weights: ArrayLike, vols: Columns
) -> tuple[list[float], list[float], Floats]:
    """Correlations and widths A^2 - B of both ends, and what each name adds to s_I^2.

    The names add it at the middle correlation.
    """
    w, before, after = _columns(weights, vols)
    sums = [
        basket_sums(w, column) if np.isfinite(column).all() else basket_sums([], [])
        for column in (before, after)
    ]
    width = [cross_term(total) for total in sums]
    rho = [
        _ratio(vol * vol - total.diagonal, wide)
        for vol, total, wide in zip(index_vol, sums, width, strict=True)
    ]
    middle, average = 0.5 * (rho[0] + rho[1]), 0.5 * (sums[0].vol + sums[1].vol)
    return (
        rho,
        width,
        2 * middle * average * w * (after - before) + (1 - middle) * w * w * (after**2 - before**2),
    )


def _columns(weights: ArrayLike, values: Columns) -> tuple[Floats, Floats, Floats]:
    w, before, after = (np.asarray(column, dtype=np.float64) for column in (weights, *values))
    # Scaled first: the sum of enormous weights stays finite.
    share = w / w.max(initial=0.0)
    return share / share.sum(), before, after


def _parts(common: float, names: Floats) -> NameParts:
    """All parts or none: one that is unknown takes the meaning from the others."""
    if math.isfinite(common) and np.isfinite(names).all():
        return NameParts(common, names)
    return NameParts(math.nan, np.full(names.shape, np.nan))


def _rise_of_square(pair: Pair) -> float:
    return pair[1] * pair[1] - pair[0] * pair[0]


def _positive(value: float) -> float:
    return value if value > 0 else math.nan


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan
