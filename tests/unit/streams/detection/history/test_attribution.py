"""Attribution of the move between two readings, on the names valid at both."""

import math
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from analytics.correlation import implied_correlation
from analytics.dispersion import basket_vol, dispersion
from streams.detection.history.attribution import (
    UNCLASSIFIED,
    Attribution,
    Split,
    attribution_between,
    largest_contributions,
)
from streams.detection.history.instant import Instant, instant_of
from streams.detection.history.panels import Panels
from streams.market import Basket, Constituent
from streams.reading import Constituents, Reading
from streams.records import NS
from tests.support.readings import MONDAY, NAMES, WEIGHTS, eastern, toy

SECTORS = ("Energy", "Technology", "Utilities", "")
BASKET = Basket(
    "toy",
    tuple(
        Constituent(name, weight, SECTORS[at % 4])
        for at, (name, weight) in enumerate(zip(NAMES, WEIGHTS, strict=True))
    ),
)
AT = eastern(MONDAY, "10:00:00")


def instants(start: Reading, end: Reading) -> tuple[Instant, Instant]:
    before, after = (
        instant_of(reading, round(reading.ts_event.timestamp()) * NS) for reading in (start, end)
    )
    return before, after


def attribution(start: Reading, end: Reading, basket: Basket) -> Attribution:
    return attribution_between(*instants(start, end), basket)


def largest(start: Reading, end: Reading, number: int) -> dict[str, float]:
    return largest_contributions(*instants(start, end), Panels(), None, number)


def move(later: dict[str, Any] | None = None, **fields: Any) -> tuple[Reading, Reading]:
    start = toy(AT, 0.16, 0.32, 0.2, **fields)
    return start, toy(AT + timedelta(minutes=5), 0.22, 0.34, 0.45, **fields, **(later or {}))


def adds_up(split: Split | None) -> Split:
    assert split is not None
    assert split.common + sum(split.names.values()) == pytest.approx(split.change, abs=1e-12)
    assert split.common + sum(split.sectors.values()) == pytest.approx(split.change, abs=1e-12)
    return split


def test_parts_of_all_three_changes_add_up() -> None:
    start, end = move()
    parts = attribution(start, end, BASKET)
    assert adds_up(parts.index_vol).change == pytest.approx(0.06)
    assert adds_up(parts.implied_correlation).change == pytest.approx(0.25, abs=1e-12)
    assert end.dispersion is not None
    assert start.dispersion is not None
    assert adds_up(parts.dispersion).change == pytest.approx(end.dispersion - start.dispersion)
    assert parts.correlation_share == pytest.approx(
        1 - math.log(0.34 / 0.32) / math.log(0.22 / 0.16)
    )
    assert parts.index_vol is not None
    assert set(parts.index_vol.sectors) == {"Energy", "Technology", "Utilities", UNCLASSIFIED}
    assert set(parts.index_vol.names) == set(NAMES)


def test_names_that_come_or_go_are_no_part_of_any_change() -> None:
    start, _ = move()
    end = toy(AT + timedelta(minutes=5), 0.22, 0.34, 0.45, dropped=("N11", "N03"))
    parts = attribution(start, end, BASKET)
    split = adds_up(parts.dispersion)
    assert set(split.names) == set(NAMES) - {"N11", "N03"}
    assert start.constituents is not None
    assert end.constituents is not None
    there = [start.constituents.symbols.index(name) for name in end.constituents.symbols]
    weights = end.constituents.weights
    variances = (
        np.array(start.constituents.variances, np.float64)[there],
        np.array(end.constituents.variances, np.float64),
    )
    vols = (
        np.array(start.constituents.atm_vols, np.float64)[there],
        np.array(end.constituents.atm_vols, np.float64),
    )
    levels = [
        dispersion(basket_vol(weights, column) ** 2, vol)
        for column, vol in zip(variances, (0.16, 0.22), strict=True)
    ]
    assert split.change == pytest.approx(levels[1] - levels[0], abs=1e-12)
    rho = adds_up(parts.implied_correlation)
    index = (start.index_atm_vol or 0.0, end.index_atm_vol or 0.0)
    levels = [
        implied_correlation(vol, weights, column) for column, vol in zip(vols, index, strict=True)
    ]
    assert rho.change == pytest.approx(levels[1] - levels[0], abs=1e-12)


def test_correlation_is_split_over_the_largest_names_only() -> None:
    names = tuple(f"X{at:02d}" for at in range(60))
    weights = tuple(60.0 - at for at in range(60))
    basket = Basket("wide", tuple(map(Constituent, names, weights)))

    def reading(level: float) -> Reading:
        columns = Constituents(names, weights, (level**2,) * 60, (level,) * 60)
        return msgspec.structs.replace(
            toy(AT, 0.16 * level / 0.3, 0.32, 0.2), index_atm_vol=0.5 * level, constituents=columns
        )

    parts = attribution(reading(0.3), reading(0.4), basket)
    assert set(adds_up(parts.implied_correlation).names) == set(names[:50])
    assert set(adds_up(parts.dispersion).names) == set(names)


def test_readings_with_atm_vols_alone() -> None:
    start, end = (
        msgspec.structs.replace(one, basis="atm", index_vol=None, basket_vol=None, dispersion=None)
        for one in move()
    )
    parts = attribution(start, end, BASKET)
    assert end.index_atm_vol is not None
    assert start.index_atm_vol is not None
    assert adds_up(parts.index_vol).change == pytest.approx(end.index_atm_vol - start.index_atm_vol)
    assert adds_up(parts.implied_correlation).change == pytest.approx(0.25, abs=1e-12)
    assert parts.dispersion is None
    assert parts.correlation_share is not None


def test_what_is_unknown_has_no_parts() -> None:
    start, end = move()
    assert attribution(start, msgspec.structs.replace(end, constituents=None), BASKET) == (
        None,
        None,
        None,
        None,
    )
    lost = attribution(start, msgspec.structs.replace(end, index_vol=None), BASKET)
    assert (lost.index_vol, lost.dispersion, lost.correlation_share) == (None, None, None)
    assert lost.implied_correlation is not None
    floored = attribution(start, msgspec.structs.replace(end, index_vol=0.5), BASKET)
    assert floored.dispersion is None
    still = attribution(start, msgspec.structs.replace(end, index_vol=start.index_vol), BASKET)
    assert still.correlation_share is None


@pytest.mark.parametrize("basis", [{}, {"basis": "atm"}])
def test_the_largest_contributions_are_those_of_the_split(basis: dict[str, Any]) -> None:
    start, end = move(**basis)
    split = attribution(start, end, BASKET).index_vol
    assert split is not None
    by_size = sorted(split.names.items(), key=lambda item: -abs(item[1]))
    found = largest(start, end, 3)
    assert list(found.values()) == pytest.approx([part for _, part in by_size[:3]])
    assert all(split.names[name] == pytest.approx(part) for name, part in found.items())
    assert len(largest(start, end, 100)) == len(NAMES)


def test_nothing_contributes_to_a_move_that_is_not_known() -> None:
    start, end = move()
    assert largest(start, msgspec.structs.replace(end, index_vol=None), 3) == {}
    assert largest(start, msgspec.structs.replace(end, constituents=None), 3) == {}
    assert largest(start, msgspec.structs.replace(end, basis="atm"), 3) == {}
