"""Changes on the common set of names."""

import math
from typing import Any

import pytest

from streams.basket_columns import basket_columns
from streams.detection.alerts.evidence import contributors
from streams.detection.history.change import change
from streams.detection.history.instant import Instant, instant_of
from streams.detection.history.members import common_names, members
from streams.detection.history.panels import Panels
from streams.detection.rule_context import RuleContext
from streams.market import Basket, Constituent, Gates
from tests.support.readings import FRIDAY, MONDAY, closing, eastern, toy


def at(
    index_vol: float, basket_vol: float, rho: float, wall: str = "10:00:00", /, **fields: Any
) -> Instant:
    reading = toy(eastern(MONDAY, wall), index_vol, basket_vol, rho, **fields)
    return instant_of(reading, int(reading.ts_event.timestamp()) * 10**9)


def test_equal_sets_give_the_raw_change() -> None:
    start, end = at(0.15, 0.44, 0.10), at(0.20, 0.48, 0.18, "10:30:00")
    found = change(start, end, Panels())
    assert found is not None
    assert found.names == 12
    assert found.index_move == pytest.approx(0.05, abs=1e-15)
    assert found.basket_from == pytest.approx(start.basket_vol, abs=1e-15)
    assert found.basket_to == pytest.approx(end.basket_vol, abs=1e-15)
    assert found.correlation_from == pytest.approx(0.10, abs=1e-12)
    assert found.correlation_to == pytest.approx(0.18, abs=1e-12)
    assert found.correlation_share == pytest.approx(
        1 - math.log(0.48 / 0.44) / math.log(0.20 / 0.15), abs=1e-12
    )
    assert found.variance_ratio == pytest.approx((0.20 / 0.48) ** 2, abs=1e-12)


def test_a_name_that_drops_out_is_no_move() -> None:
    start, end = at(0.15, 0.44, 0.10), at(0.15, 0.44, 0.10, "10:30:00", dropped=("N11", "N00"))
    assert start.basket_vol is not None
    assert end.basket_vol is not None
    assert abs(end.basket_vol - start.basket_vol) > 0.001, "the raw figures do jump"
    found = change(start, end, Panels())
    assert found is not None
    assert found.names == 10
    assert found.basket_move == pytest.approx(0.0, abs=1e-15)


def test_a_name_that_comes_back_is_no_move_either() -> None:
    start, end = at(0.15, 0.44, 0.10, dropped=("N05",)), at(0.15, 0.44, 0.10, "10:30:00")
    found = change(start, end, Panels())
    assert found is not None
    assert found.basket_move == pytest.approx(0.0, abs=1e-15)


def test_correlation_is_taken_on_the_core_of_the_basket() -> None:
    names = [f"N{at:02d}" for at in range(12)]
    core = frozenset(names[2:])
    start, end = at(0.15, 0.44, 0.10), at(0.20, 0.48, 0.18, "10:30:00")
    whole, part = change(start, end, Panels()), change(start, end, Panels(), core)
    assert whole is not None
    assert part is not None
    assert part.basket_to == whole.basket_to
    assert part.correlation_to != pytest.approx(whole.correlation_to, abs=1e-6)
    basket = Basket("big", tuple(Constituent(f"S{at:03d}", 1.0) for at in range(60)))
    assert basket_columns(basket).largest_symbols == tuple(f"S{at:03d}" for at in range(50))


def test_the_atm_pair_stands_in_and_is_never_mixed() -> None:
    start = at(0.15, 0.44, 0.10, basis="atm", index_vol=None, basket_vol=None)
    end = at(0.20, 0.48, 0.18, "10:30:00", basis="atm", index_vol=None, basket_vol=None)
    found = change(start, end, Panels())
    assert found is not None
    assert found.index_to == end.index_atm_vol
    assert found.basket_to == pytest.approx(end.basket_atm_vol, abs=1e-15)
    assert change(at(0.15, 0.44, 0.10), end, Panels()) is None


def test_a_missing_level_gives_no_change() -> None:
    start = at(0.15, 0.44, 0.10)
    assert change(start, at(0.15, 0.44, 0.10, "10:30:00", basket_vol=None), Panels()) is None
    assert change(start, at(0.15, 0.44, 0.10, "10:30:00", index_vol=None), Panels()) is None


def test_levels_without_names_are_compared_as_they_are() -> None:
    start, end = at(0.15, 0.44, 0.10, constituents=None), at(0.20, 0.48, 0.18, "10:30:00")
    found = change(start, end, Panels())
    assert found is not None
    assert found.names == 0
    assert found.correlation_move == pytest.approx(0.08)
    assert common_names(start, end, Panels()) is None
    assert members(start, end, Panels()) is None


def test_a_small_index_move_has_no_share() -> None:
    found = change(at(0.2000, 0.44, 0.10), at(0.2019, 0.45, 0.10, "10:30:00"), Panels())
    assert found is not None
    assert found.correlation_share is None


@pytest.mark.parametrize("basis", ["quotes", "atm"])
def test_contributors_sum_to_the_move(basis: str) -> None:
    friday, monday = (
        closing(FRIDAY, 0.15, 0.44, 0.10, basis=basis),
        toy(eastern(MONDAY, "11:00:00"), 0.2, 0.5, 0.2, basis=basis),
    )
    start, end = (
        instant_of(reading, int(reading.ts_event.timestamp()) * 10**9)
        for reading in (friday, monday)
    )
    context = RuleContext(reading=monday, now=end, gates=Gates())
    found = context.change(start)
    assert found is not None
    parts = contributors(found, context)
    assert [part.symbol for part in parts] == ["N11", "N10", "N09", "N08", "N07", "other"]
    assert sum(part.contribution for part in parts) == pytest.approx(found.basket_move, abs=1e-15)
    assert sum(part.share or 0.0 for part in parts) == pytest.approx(1.0, abs=1e-12)


def test_cached_columns_change_nothing() -> None:
    panels, end = Panels(keep=1), at(0.20, 0.48, 0.18, "10:30:00")
    starts = [at(0.15, 0.44, 0.10, f"10:0{minute}:00") for minute in range(5)]
    assert [change(start, end, panels) for start in starts * 2] == [
        change(start, end, Panels()) for start in starts * 2
    ]
