"""Gates: clock, coverage, range, spike."""

from datetime import date

import pytest

from streams.detection.gates import (
    Pair,
    SpikeHold,
    covered,
    data_gate,
    elapsed_share,
    phase,
    relative_width,
    rho_out_of_range,
)
from streams.market import Gates
from streams.records import NS
from tests.support.readings import FRIDAY, MONDAY, eastern, published, toy

HALF_DAY = date(2025, 11, 28)
GATES = Gates()


@pytest.mark.parametrize(
    ("session", "wall", "expected"),
    [
        (MONDAY, "09:44:59", "before"),
        (MONDAY, "09:45:00", "open"),
        (MONDAY, "16:00:00", "open"),
        (MONDAY, "16:00:01", "after"),
        (HALF_DAY, "13:00:00", "open"),
        (HALF_DAY, "13:00:01", "after"),
    ],
)
def test_the_clock(session: date, wall: str, expected: str) -> None:
    assert phase(int(eastern(session, wall).timestamp()) * NS, session) == expected


def test_the_elapsed_share_of_a_session() -> None:
    assert elapsed_share(int(eastern(MONDAY, "12:45:00").timestamp()) * NS, MONDAY) == 0.5
    assert elapsed_share(int(eastern(MONDAY, "16:15:00").timestamp()) * NS, MONDAY) == 1.0


@pytest.mark.parametrize(
    ("coverage", "names", "rho", "expected"),
    [
        (0.90, 0.50, 0.3, ""),
        (0.899, 0.50, 0.3, "coverage"),
        (0.90, 0.499, 0.3, "coverage"),
        (None, 0.9, 0.3, "coverage"),
        (0.95, 0.9, -0.101, "range"),
        (0.95, 0.9, 1.301, "range"),
        (0.95, 0.9, 1.23, ""),
        (0.95, 0.9, None, ""),
    ],
)
def test_the_data_gates(
    coverage: float | None, names: float, rho: float | None, expected: str
) -> None:
    reading = toy(
        eastern(MONDAY, "10:00:00"),
        0.15,
        0.44,
        0.1,
        coverage=coverage,
        coverage_names=names,
        implied_correlation=rho,
    )
    assert data_gate(reading, GATES) == expected


@pytest.mark.parametrize(
    ("strips", "atm", "closed"),
    [
        (0.95, 0.95, []),
        (0.74, 0.97, ["both", "model_free"]),
        (0.95, 0.85, ["atm", "both"]),
        (0.74, None, ["atm", "both", "model_free"]),
    ],
)
def test_each_pair_of_vols_has_its_own_coverage(
    strips: float, atm: float | None, closed: list[str]
) -> None:
    reading = toy(
        eastern(MONDAY, "10:00:00"),
        0.15,
        0.44,
        0.1,
        coverage=strips,
        coverage_atm=atm,
        coverage_atm_names=atm,
    )
    pairs: list[Pair] = ["atm", "both", "model_free"]
    assert [pair for pair in pairs if data_gate(reading, GATES, pair)] == closed


def test_published_levels_have_no_coverage_to_fail() -> None:
    assert covered(published(FRIDAY, 15.0, 40.0, 37.0, 8.0), GATES)


def test_correlation_outside_its_bounds_is_doubted() -> None:
    at = eastern(MONDAY, "10:00:00")
    assert [
        rho_out_of_range(toy(at, 0.15, 0.44, 0.1, implied_correlation=rho))
        for rho in (-0.01, 0.0, 1.0, 1.01)
    ] == [
        True,
        False,
        False,
        True,
    ]


def test_the_width_is_relative_and_only_of_quotes() -> None:
    at = eastern(MONDAY, "10:00:00")
    assert relative_width(toy(at, 0.20, 0.44, 0.1, quality_width=0.01)) == pytest.approx(0.05)
    assert relative_width(toy(at, 0.20, 0.44, 0.1, basis="atm")) is None


def judge(values: list[tuple[int, float | None]]) -> list[str]:
    hold = SpikeHold()
    return [hold.admit(second * NS, value, GATES) for second, value in values]


def test_a_bad_print_is_held_and_rejected() -> None:
    assert judge([(1, 0.30), (2, 0.30), (3, 0.60), (4, 0.61), (5, 0.31), (6, 0.30)]) == [
        "accepted",
        "accepted",
        "held",
        "held",
        "reverted",
        "accepted",
    ]


def test_a_move_that_stands_is_accepted_after_a_minute() -> None:
    verdicts = judge([(1, 0.30), *((second, 0.50) for second in range(2, 64)), (64, 0.51)])
    assert verdicts == ["accepted", *["held"] * 60, "accepted", "accepted", "accepted"]


def test_a_slow_move_is_no_spike() -> None:
    assert set(judge([(second, 0.30 + 0.002 * second) for second in range(120)])) == {"accepted"}


def test_silence_and_missing_values_end_a_hold() -> None:
    assert judge([(1, 0.30), (2, 0.60), (600, 0.60)]) == ["accepted", "held", "accepted"]
    assert judge([(1, 0.30), (2, 0.60), (3, None), (70, None)]) == [
        "accepted",
        "held",
        "held",
        "accepted",
    ]
