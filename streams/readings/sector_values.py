"""The sectors of a basket: basket vol and implied correlation of each, and their changes."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from analytics.arrays import Bools, Floats
from analytics.sectors import GroupLevels, group_levels
from streams.market import Basket, Gates
from streams.reading import Sector
from streams.readings.vols_at import VolsAt

BACK = 20
"""Sessions of the longer change."""


class _WithValue(NamedTuple):
    """Names with a value: of variances and of ATM vols."""

    strips: Bools
    atm: Bools


class SectorValues:
    """k sectors of n names."""

    def __init__(self, basket: Basket, gates: Gates) -> None:
        names = basket.constituents
        self._gates = gates
        self._sectors = tuple(sorted({name.sector for name in names} - {""}))
        self._members: Floats = np.array(
            [[name.sector == sector for sector in self._sectors] for name in names], np.float64
        ).reshape(len(names), len(self._sectors))

    def at(self, now: VolsAt, weights: Floats, closes: Sequence[VolsAt]) -> tuple[Sector, ...]:
        """One record a sector, in the order of their names; none without sectors.

        `closes` are those before this session, the latest first. A change is taken on the names
        with a value at both ends. A value without enough of the sector's weight or names is None.
        """
        if not self._sectors:
            return ()
        known = _known(now)
        levels = self._levels(now, weights, known)
        enough = self._enough(weights, known)
        changes = [self._change(now, weights, start) for start in _starts(closes)]
        weight = weights @ self._members
        shares = [(weights * mask) @ self._members / weight for mask in known]
        counts = [mask.astype(np.float64) @ self._members for mask in known]
        return tuple(
            Sector(
                sector=name,
                weight=float(weight[at] / weights.sum()),
                names=int(counts[0][at]),
                names_atm=int(counts[1][at]),
                coverage=float(shares[0][at]),
                coverage_atm=float(shares[1][at]),
                basket_vol=_at(levels.basket_vol, enough.strips, at),
                implied_correlation=_at(levels.implied_correlation, enough.atm, at),
                basket_vol_change=changes[0][0][at],
                basket_vol_change_20d=changes[1][0][at],
                implied_correlation_change=changes[0][1][at],
                implied_correlation_change_20d=changes[1][1][at],
            )
            for at, name in enumerate(self._sectors)
        )

    def _levels(self, vols: VolsAt, weights: Floats, known: _WithValue) -> GroupLevels:
        return group_levels(
            self._members,
            weights,
            np.where(known.strips, vols.variance[:-1], np.nan),
            np.where(known.atm, vols.atm_vol[:-1], np.nan),
            float(vols.atm_vol[-1]),
        )

    def _enough(self, weights: Floats, known: _WithValue) -> _WithValue:
        """Sectors that stand on enough of their names."""
        weight, count = weights @ self._members, self._members.sum(axis=0)
        return _WithValue(
            *(
                ((weights * mask) @ self._members >= self._gates.basket_coverage_valid * weight)
                & (mask @ self._members >= self._gates.basket_names * count)
                for mask in known
            )
        )

    def _change(
        self, now: VolsAt, weights: Floats, start: VolsAt | None
    ) -> tuple[list[float | None], list[float | None]]:
        if start is None:
            nothing: list[float | None] = [None] * len(self._sectors)
            return nothing, nothing
        both = _WithValue(
            *(one & other for one, other in zip(_known(now), _known(start), strict=True))
        )
        enough = self._enough(weights, both)
        before, after = (self._levels(vols, weights, both) for vols in (start, now))
        rises = [last - first for first, last in zip(before, after, strict=True)]
        places = range(len(self._sectors))
        return (
            [_at(rises[0], enough.strips, at) for at in places],
            [_at(rises[1], enough.atm, at) for at in places],
        )


def _starts(closes: Sequence[VolsAt]) -> tuple[VolsAt | None, VolsAt | None]:
    """The prior close, and the close of 20 sessions ago."""
    return closes[0] if closes else None, closes[BACK - 1] if len(closes) >= BACK else None


def _known(vols: VolsAt) -> _WithValue:
    return _WithValue(np.isfinite(vols.variance[:-1]), np.isfinite(vols.atm_vol[:-1]))


def _at(values: Floats, enough: Bools, at: int) -> float | None:
    value = float(values[at])
    return value if enough[at] and math.isfinite(value) else None
