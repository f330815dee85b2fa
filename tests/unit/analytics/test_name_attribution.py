"""Parts by name and by sector add up to the change, and a name that did not move has no part."""

import math

import numpy as np
import pytest

from analytics.arrays import Floats
from analytics.correlation import implied_correlation
from analytics.dispersion import basket_vol, dispersion
from analytics.name_attribution import (
    NameParts,
    by_group,
    correlation_by_name,
    dispersion_by_name,
    index_atm_vol_by_name,
    index_vol_by_name,
)

SECTORS = [f"sector {at % 7}" for at in range(50)]


def case(seed: int) -> tuple[tuple[float, float], Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    before, after = rng.uniform(0.2, 0.9, (2, 50))
    index = (float(rng.uniform(0.1, 0.2)), float(rng.uniform(0.1, 0.2)))
    return index, rng.dirichlet(np.ones(50)), before, after


@pytest.mark.parametrize("seed", range(20))
def test_parts_add_up_over_names_and_over_sectors(seed: int) -> None:
    index, weights, before, after = case(seed)
    variances = (before**2, after**2)
    spread = [
        dispersion(basket_vol(weights, column) ** 2, vol)
        for column, vol in zip(variances, index, strict=True)
    ]
    rho = [
        implied_correlation(vol, weights, column)
        for vol, column in zip(index, (before, after), strict=True)
    ]
    for parts, change in (
        (index_vol_by_name(index, weights, variances), index[1] - index[0]),
        (index_atm_vol_by_name(index, weights, (before, after)), index[1] - index[0]),
        (dispersion_by_name(index, weights, variances), spread[1] - spread[0]),
        (correlation_by_name(index, weights, (before, after)), rho[1] - rho[0]),
    ):
        assert parts.common + parts.names.sum() == pytest.approx(change, abs=1e-12)
        assert parts.common + sum(by_group(parts.names, SECTORS).values()) == pytest.approx(
            change, abs=1e-12
        )
        assert len(by_group(parts.names, SECTORS)) == 7


def test_only_the_name_that_moved_has_a_part() -> None:
    index, weights, before, _ = case(1)
    after = before.copy()
    after[7] += 0.05
    for parts in (
        index_vol_by_name(index, weights, (before**2, after**2)),
        dispersion_by_name(index, weights, (before**2, after**2)),
        correlation_by_name(index, weights, (before, after)),
        index_atm_vol_by_name(index, weights, (before, after)),
    ):
        assert np.flatnonzero(parts.names).tolist() == [7]
    assert correlation_by_name(index, weights, (before, after)).names[7] < 0, (
        "a rise of single-name vol alone lowers correlation"
    )


def test_index_and_correlation_move_alone() -> None:
    _, weights, before, _ = case(2)
    assert index_vol_by_name((0.15, 0.2), weights, (before**2, before**2)).common == pytest.approx(
        0.05, abs=1e-15
    )
    assert index_atm_vol_by_name((0.15, 0.2), weights, (before, before)).common == pytest.approx(
        0.05, abs=1e-14
    )


def test_no_part_without_the_figure() -> None:
    def unknown(parts: NameParts) -> bool:
        return math.isnan(parts.common) and bool(np.isnan(parts.names).all())

    index, weights, before, after = case(3)
    assert unknown(dispersion_by_name((0.1, 2.0), weights, (before**2, after**2))), (
        "the floor at zero holds"
    )
    assert unknown(index_vol_by_name((0.1, math.nan), weights, (before**2, after**2)))
    assert unknown(correlation_by_name((0.1, 0.2), [1.0], ([0.3], [0.4]))), (
        "one name has no correlation"
    )
    holes = np.where(np.arange(50) == 3, np.nan, after)
    for parts in (
        correlation_by_name(index, weights, (before, holes)),
        index_vol_by_name(index, weights, (before**2, holes)),
    ):
        assert unknown(parts)
