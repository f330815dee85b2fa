"""The names of a basket without a value of their own, heaviest first: state, reason and age."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.reading import LackingName, NameState, missing_state
from streams.readings.name_points import NamePoints
from streams.readings.pair_names import PairNames
from streams.readings.session_state import SessionState
from streams.records import NS

SHOWN = 20
"""Names that a reading tells in full."""


class LackingNames(NamedTuple):
    """Names that are missing, refused or carried in either pair."""

    heaviest: tuple[LackingName, ...] = ()
    """The at most `SHOWN` heaviest."""
    ages: Mapping[str, float] = {}
    """Age in seconds of each that was quoted, in the basket's order."""


def lacking_names(
    state: SessionState, points: NamePoints, strips: PairNames, atm: PairNames, boundary: int
) -> LackingNames:
    """Names without a value of their own at second `boundary` (ns)."""
    places = np.flatnonzero(~strips.valid | strips.carried | ~atm.valid | atm.carried)
    if not places.size:
        return LackingNames()
    symbols, weights = state.basket.symbols, state.basket.weights
    ages, total = _ages(points, strips, atm, boundary), float(weights.sum())
    heaviest = places[np.argsort(-weights[places], kind="stable")[:SHOWN]].tolist()
    aged = places[np.isfinite(ages[places])].tolist()
    return LackingNames(
        tuple(
            _told(symbols[at], float(weights[at]) / total, strips, atm, float(ages[at]))
            for at in heaviest
        ),
        {symbols[at]: age for at, age in zip(aged, ages[aged].tolist(), strict=True)},
    )


def _ages(
    points: NamePoints, strips: PairNames, atm: PairNames, boundary: int
) -> NDArray[np.float64]:
    """Of the value that is carried, else of the newest quote; NaN without one."""
    since = np.where(
        strips.carried,
        np.where(points.atm_only, points.atm_ts, points.variance_ts),
        np.where(atm.carried, points.atm_ts, points.seen_ts),
    )
    return np.where(since > 0, (boundary - since) / NS, np.nan)


def _told(symbol: str, weight: float, strips: PairNames, atm: PairNames, age: float) -> LackingName:
    (strip, strip_reason), (vol, vol_reason) = _state(symbol, strips), _state(symbol, atm)
    return LackingName(
        symbol=symbol,
        weight=weight,
        strip=strip,
        strip_reason=strip_reason,
        atm=vol,
        atm_reason=vol_reason,
        age_seconds=None if np.isnan(age) else age,
    )


def _state(symbol: str, pair: PairNames) -> tuple[NameState, str]:
    if (why := pair.missing.get(symbol)) is not None:
        return missing_state(why), why
    why = pair.carried_why.get(symbol, "")
    return "carried" if why else "valid", why
