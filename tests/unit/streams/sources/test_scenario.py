"""Paths of the scenarios."""

import math

import pytest

from streams.sources.scenario import SCENARIOS, Scenario


def test_ramp_is_linear_in_the_logarithm_and_then_holds() -> None:
    unwind = SCENARIOS["unwind_2018_02"]
    assert unwind.at(0) == (1.0, 1.0, 1.0)
    assert unwind.at(600).index_vol == pytest.approx(math.sqrt(2.156))
    assert unwind.at(300).spot == pytest.approx(0.96**0.25)
    assert unwind.at(1200) == unwind.at(1800) == pytest.approx((2.156, 1.208, 0.96))


def test_calm_only_swings() -> None:
    moves = [SCENARIOS["calm"].at(second) for second in SCENARIOS["calm"].seconds()]
    assert max(move.index_vol for move in moves) == pytest.approx(1.02, abs=1e-3)
    assert min(move.constituent_vol for move in moves) == pytest.approx(0.98, abs=1e-3)
    assert {move.spot for move in moves} == {1.0}


def test_refreshes_from_start_to_end() -> None:
    assert list(SCENARIOS["calm"].seconds())[::90] == [0, 900, 1800]
    assert len(SCENARIOS["calm"].every(1).seconds()) == 1801


@pytest.mark.parametrize(
    "wrong",
    [{"index_ratio": 0.0}, {"spot_move": -1.0}, {"refresh_seconds": 0}, {"refresh_seconds": 1801}],
)
def test_absurd_scenarios_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="scenario absurd"):
        Scenario("absurd", **wrong)  # type: ignore[arg-type]
