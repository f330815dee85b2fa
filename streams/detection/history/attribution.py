"""What moved an index between two readings: its vol, its dispersion and its implied correlation.

The moves are split over names and sectors. Both ends are taken on the names valid at both readings,
with the weights of the later one, so that a name that comes or goes is no part of any change.
"""

import math
from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np

from analytics.correlation import implied_correlation
from analytics.dispersion import basket_vol, correlation_share, dispersion
from analytics.name_attribution import (
    NameParts,
    by_group,
    correlation_by_name,
    dispersion_by_name,
    index_atm_vol_by_name,
    index_vol_by_name,
)
from streams.basket_columns import core_of
from streams.detection.history.instant import Instant
from streams.detection.history.members import Members, common_names, members, members_of
from streams.detection.history.panels import Panel, Panels
from streams.market import Basket

UNCLASSIFIED = "unclassified"
"""The sector of a name whose basket file gives none."""


class Split(NamedTuple):
    """A change in decimals.

    `common` + the sum of `names` = `common` + the sum of `sectors` = `change`.
    """

    change: float
    """On the common set of names."""
    common: float
    """What no name did: correlation for an index vol, index vol for dispersion and correlation."""
    names: dict[str, float]
    sectors: dict[str, float]


class Attribution(NamedTuple):
    """The parts of three changes; None where either reading has no value to compare."""

    index_vol: Split | None
    """Of `index_vol`; of `index_atm_vol` where the readings have only ATM vols."""
    dispersion: Split | None
    implied_correlation: Split | None
    correlation_share: float | None
    """The part of a move of index vol that is correlation; None when index vol has hardly moved."""


def attribution_between(before: Instant, after: Instant, basket: Basket) -> Attribution:
    """Parts of the changes between two instants of one index, tenor and basis.

    `basket` gives sectors and the largest names.

    Source: methodology 7.3, on finite changes.
    """
    common = common_names(before, after, Panels())
    if common is None:
        return Attribution(None, None, None, None)
    core = core_of(basket, after.constituents)
    variances = None if after.basis == "atm" else _members(*common, "variances", None)
    vols = _members(*common, "atm_vols", core)
    sectors = {one.symbol: one.sector or UNCLASSIFIED for one in basket.constituents}
    index_vol = _index_vol(before, after, vols if after.basis == "atm" else variances, sectors)
    return Attribution(
        index_vol,
        _dispersion(before, after, variances, sectors),
        None if basket.partial else _correlation(before, after, vols, sectors),
        _share(before, after, vols if after.basis == "atm" else variances),
    )


def _members(
    before: Panel, after: Panel, column: str, core: AbstractSet[str] | None
) -> Members | None:
    return members_of(
        after.symbols, after.weights, getattr(before, column), getattr(after, column), core
    )


def largest_contributions(
    before: Instant, after: Instant, panels: Panels, core: AbstractSet[str] | None, number: int
) -> dict[str, float]:
    """The names that moved index vol most, by size, with their parts in decimals.

    They are those of `attribution_between`. It is empty where the move is unknown or the two
    instants are of different pairs of vols.
    """
    names = members(before, after, panels, core) if before.basis == after.basis else None
    parts = None if names is None else _index_vol_parts(before, after, names)
    if names is None or parts is None or not math.isfinite(parts.common):
        return {}
    largest = np.argsort(-np.abs(parts.names), kind="stable")[:number].tolist()
    return {names.symbols[at]: float(parts.names[at]) for at in largest}


def _index_vol_parts(before: Instant, after: Instant, names: Members) -> NameParts | None:
    levels = (before.index_level, after.index_level)
    if levels[0] is None or levels[1] is None:
        return None
    by_name = index_atm_vol_by_name if after.basis == "atm" else index_vol_by_name
    return by_name((levels[0], levels[1]), names.weights, (names.before, names.after))


def _index_vol(
    before: Instant, after: Instant, names: Members | None, sectors: dict[str, str]
) -> Split | None:
    parts = None if names is None else _index_vol_parts(before, after, names)
    if names is None or parts is None:
        return None
    assert before.index_level is not None
    assert after.index_level is not None
    return _split(after.index_level - before.index_level, parts, names, sectors)


def _dispersion(
    before: Instant, after: Instant, names: Members | None, sectors: dict[str, str]
) -> Split | None:
    if names is None or before.index_vol is None or after.index_vol is None:
        return None
    levels = [
        dispersion(basket_vol(names.weights, values) ** 2, vol)
        for values, vol in ((names.before, before.index_vol), (names.after, after.index_vol))
    ]
    parts = dispersion_by_name(
        (before.index_vol, after.index_vol), names.weights, (names.before, names.after)
    )
    return _split(levels[1] - levels[0], parts, names, sectors)


def _correlation(
    before: Instant, after: Instant, names: Members | None, sectors: dict[str, str]
) -> Split | None:
    if names is None or before.index_atm_vol is None or after.index_atm_vol is None:
        return None
    levels = [
        implied_correlation(vol, names.weights, values)
        for values, vol in (
            (names.before, before.index_atm_vol),
            (names.after, after.index_atm_vol),
        )
    ]
    parts = correlation_by_name(
        (before.index_atm_vol, after.index_atm_vol), names.weights, (names.before, names.after)
    )
    return _split(levels[1] - levels[0], parts, names, sectors)


def _share(before: Instant, after: Instant, names: Members | None) -> float | None:
    if names is None or before.index_level is None or after.index_level is None:
        return None
    if after.basis == "atm":
        low, high = (float(names.weights @ values) for values in (names.before, names.after))
    else:
        low, high = (basket_vol(names.weights, values) for values in (names.before, names.after))
    share = float(correlation_share(before.index_level, after.index_level, low, high))
    return share if math.isfinite(share) else None


def _split(
    change: float, parts: NameParts, names: Members, sectors: dict[str, str]
) -> Split | None:
    if not (math.isfinite(change) and math.isfinite(parts.common)):
        return None
    groups = by_group(parts.names, (sectors.get(symbol, UNCLASSIFIED) for symbol in names.symbols))
    return Split(
        change, parts.common, dict(zip(names.symbols, parts.names.tolist(), strict=True)), groups
    )
