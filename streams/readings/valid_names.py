"""The names of a basket that count in a reading: valid, fresh or carried, in each pair of vols."""

from itertools import compress
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.catalogue.vocabulary import DOUBTFUL_NAMES, STRIP_DOUBTS
from streams.readings.coverage import Coverage, Mask
from streams.readings.lacking_names import LackingNames, lacking_names
from streams.readings.name_points import NamePoints
from streams.readings.pair_names import PairNames, pair_names
from streams.readings.session_state import SessionState
from streams.valuation.ex_dates import FLAG

DOUBTED_WEIGHT: Final = 0.10
"""Share of the valid weight with a doubted strip above which the basket is not believed."""


class ValidNames(NamedTuple):
    """Which names count at a second.

    Arrays are over the n names of the basket, NaN where a name does not count.
    """

    strips: PairNames
    """For the model-free pair; of a source of ATM vols the same as `atm`."""
    atm: PairNames
    """For the ATM pair and correlation."""
    variance: NDArray[np.float64]
    atm_vol: NDArray[np.float64]
    flags: set[str]
    doubted: dict[str, str]
    """Names with a strip that is not believed → why."""
    dividends: dict[str, str]
    """Names with a large dividend inside a strip → its size."""
    refresh_seconds: float
    lacking: LackingNames

    @property
    def coverage(self) -> Coverage:
        """Of the pair that the basis has."""
        return self.strips.coverage

    @property
    def either(self) -> Mask:
        """Names that count in one pair at least."""
        return self.strips.valid | self.atm.valid


def names_at(state: SessionState, tenor: int, boundary: int) -> ValidNames:
    """Valid and fresh names at second `boundary` (ns) of the state's session.

    A name is valid for the model-free pair by its variance, for the ATM pair by its ATM vol. Names
    of the other basis do not count, for the two are never mixed, nor do names that arrive from two
    sources.
    """
    points = state.points[tenor]
    counts = ~state.origins.split[:-1] & (points.atm_only == state.atm_only)
    atm = pair_names(state, points, counts, boundary, atm=True)
    strips = atm if state.atm_only else pair_names(state, points, counts, boundary, atm=False)
    either = strips.valid | atm.valid
    flags = state.flags.union(points.flags[either])
    dividends = _dividends(state, np.where(either, points.flags, 0), flags)
    doubted = _doubted(state, strips.valid, np.where(strips.valid, points.flags, 0), flags)
    if strips.carried.any() or atm.carried.any():
        flags.add("carried")
    return ValidNames(
        strips=strips,
        atm=atm,
        variance=np.where(strips.valid, points.variance, np.nan),
        atm_vol=np.where(atm.valid, points.atm_vol, np.nan),
        flags=flags,
        doubted=doubted,
        dividends=dividends,
        refresh_seconds=_refresh(points, strips, atm),
        lacking=lacking_names(state, points, strips, atm, boundary),
    )


def _doubted(
    state: SessionState, valid: NDArray[np.bool_], codes: NDArray[np.int64], flags: set[str]
) -> dict[str, str]:
    """Names by the doubts about their strips, which leave the flags.

    `doubtful_names` stands among the flags where more than a tenth of the valid weight is doubted.
    """
    kinds = [flag for flag in STRIP_DOUBTS if flag in flags]
    if not kinds:
        return {}
    flags.difference_update(kinds)
    having = {kind: state.flags.having(codes, kind) for kind in kinds}
    doubted = np.logical_or.reduce(list(having.values()))
    weights = state.basket.weights
    if weights[doubted].sum() > DOUBTED_WEIGHT * weights[valid].sum():
        flags.add(DOUBTFUL_NAMES)
    found = {
        state.basket.symbols[at]: ",".join(kind for kind in kinds if having[kind][at])
        for at in np.flatnonzero(doubted).tolist()
    }
    return dict(sorted(found.items()))


def _refresh(points: NamePoints, strips: PairNames, atm: PairNames) -> float:
    return max(
        float(refresh[valid].max(initial=0.0))
        for refresh, valid in (
            (points.variance_refresh, strips.valid),
            (points.atm_refresh, atm.valid),
        )
    )


def _dividends(state: SessionState, codes: NDArray[np.int64], flags: set[str]) -> dict[str, str]:
    """Names by size of their dividend; the sizes among the flags become the one flag `dividend`."""
    sizes = sorted(flag for flag in flags if flag.startswith(f"{FLAG}:"))
    if not sizes:
        return {}
    flags.difference_update(sizes)
    flags.add(FLAG)
    found = {
        symbol: size.partition(":")[2]
        for size in sizes
        for symbol in compress(state.basket.symbols, state.flags.having(codes, size).tolist())
    }
    return dict(sorted(found.items()))
