"""The books over 20 sessions, by hand."""

import math

import pytest

from analytics.trade import Weighting
from streams.detection.history.instant import Instant
from streams.reading import Constituents
from streams.report.month_book import month_legs
from tests.support.readings import FRIDAY


def close(index: float, vols: dict[str, float], ts: int, *, atm: bool = False) -> Instant:
    """Of names that weigh alike."""
    names = tuple(vols)
    held = tuple(vols.values())
    return Instant(
        ts=ts,
        session=FRIDAY,
        basis="atm" if atm else "quotes",
        index_vol=None if atm else index,
        index_atm_vol=index,
        constituents=Constituents(
            names,
            tuple(1.0 for _ in names),
            tuple(None if atm else vol**2 for vol in held),
            held,
        ),
    )


@pytest.mark.parametrize("atm", [False, True])
def test_the_vols_that_both_closes_have(atm: bool) -> None:  # noqa: FBT001 - a parameter
    before = close(0.15, {"A": 0.30, "B": 0.50, "GONE": 0.9}, 1, atm=atm)
    now = close(0.20, {"A": 0.34, "B": 0.52, "NEW": 0.1}, 2, atm=atm)
    found = month_legs(before, now)
    assert not isinstance(found, str)
    vega = found[Weighting.VEGA]
    assert vega["index"] == pytest.approx(-0.05)
    assert vega["singles"] == pytest.approx((0.04 + 0.02) / 2)
    assert vega["total"] == pytest.approx(-0.02)
    # Without theta: the names' vegas x, alike, cost x (0.30 + 0.50) = 0.15.
    theta = 0.15 / 0.80
    assert found[Weighting.THETA]["singles"] == pytest.approx(theta * 0.06)
    gamma = (1 / 0.15) / (1 / 0.30 + 1 / 0.50)
    assert found[Weighting.GAMMA]["singles"] == pytest.approx(gamma * 0.06)
    assert all(math.isfinite(one) for legs in found.values() for one in legs.values())


def test_why_there_is_nothing() -> None:
    now = close(0.20, {"A": 0.3, "B": 0.4, "C": 0.5}, 2)
    assert month_legs(None, now) == "no close 20 sessions before it"
    other = close(0.20, {"A": 0.3, "B": 0.4, "C": 0.5}, 1, atm=True)
    assert "another kind" in str(month_legs(other, now))
    few = close(0.20, {"A": 0.3}, 1)
    assert "half of its names" in str(month_legs(few, now))
