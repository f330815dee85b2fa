"""What the vols of the standard books have earned over 20 sessions: two closes compared.

Vols are those at 30 days at both closes, so that it is the mark of a book that is kept at 30 days;
what prices moved in between is not kept, and no part of it.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from analytics.arrays import Floats
from analytics.trade import Weighting, name_vegas, vol_legs
from streams.detection.history.instant import Instant
from streams.detection.history.members import members
from streams.detection.history.panels import Panels

SESSIONS: Final = 20
LEAST: Final = 0.5
"""Share of the names of the later close that the earlier one has to have."""


MonthLegs = Mapping[Weighting, Mapping[str, float]]
"""Vol points of index vega as decimals."""


class _Vols(NamedTuple):
    """Of the names that both closes have."""

    weights: Floats
    before: Floats
    after: Floats


def month_legs(before: Instant | None, now: Instant) -> MonthLegs | str:
    """By weighting `total`, `index` and `singles`; or why there is nothing."""
    if before is None:
        return f"no close {SESSIONS} sessions before it"
    if before.basis != now.basis:
        return f"the close {SESSIONS} sessions before it is of another kind of vols"
    vols = _vols(before, now)
    start, end = before.index_level, now.index_level
    if vols is None or start is None or end is None:
        return f"vols of the index, or of half of its names, lack {SESSIONS} sessions before it"
    return {kind: _legs(kind, (start, end), vols) for kind in Weighting}


def _legs(kind: Weighting, index: tuple[float, float], vols: _Vols) -> dict[str, float]:
    vegas = name_vegas(kind, 1.0, index[0], vols.weights, vols.before)
    legs = vol_legs(index, vegas, (vols.before, vols.after))
    total = legs.of_index + legs.singles
    return {"total": total, "index": legs.of_index, "singles": legs.singles}


def _vols(before: Instant, now: Instant) -> _Vols | None:
    if now.constituents is None or before.constituents is None:
        return _of_the_basket(before, now)
    found = members(before, now, Panels())
    if found is None or len(found.symbols) < LEAST * len(now.constituents.symbols):
        return None
    if now.basis == "atm":
        return _Vols(found.weights, found.before, found.after)
    return _Vols(found.weights, np.sqrt(found.before), np.sqrt(found.after))


def _of_the_basket(before: Instant, now: Instant) -> _Vols | None:
    """Published levels have no names: the basket is one."""
    start, end = before.basket_level, now.basket_level
    if start is None or end is None:
        return None
    return _Vols(np.ones(1), np.array([start]), np.array([end]))
