"""`mechanical_rotation`: its six tests, and a rotation that builds, reverses and ends."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from streams.detection.alerts.alert_event import AlertEvent
from streams.detection.history.baseline import Baseline
from streams.detection.history.days import DayFacts
from streams.detection.history.instant import instant_of
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import POLICY
from streams.detection.rules.mechanical_rotation import (
    MechanicalRotation,
    MechanicalRotationNumbers,
)
from streams.detection.rules.mechanical_score import score_of
from streams.detection.rules.rule import Firing
from streams.detection.rules.verdict import Severity, Verdict
from streams.detection.scope import Scope
from streams.market import Gates
from streams.reading import Reading, Rotation
from streams.records import NS
from tests.support.readings import FRIDAY, MONDAY, Run, closing, eastern, path, toy

NUMBERS = MechanicalRotationNumbers()
RULE = MechanicalRotation(NUMBERS)
APART = Rotation(
    index_return=0.001,
    sector_dispersion=0.012,
    sector_dispersion_z=1.5,
    defensive_strength=0.04,
    autocorrelation=-0.3,
)
CALM, WIDE = (0.15, 0.40, 0.20), (0.15, 0.46, 0.10)
"""Index vol, basket vol, correlation: in the middle of the history, and a crowded trade."""


def history(sessions: int = 60) -> Baseline:
    facts = [
        DayFacts(
            ts=at,
            session=FRIDAY,
            basis="quotes",
            index_vol=0.15,
            basket_vol=0.37 + 0.001 * at,
            implied_correlation=0.15 + 0.001 * at,
        )
        for at in range(sessions)
    ]
    return Baseline(tuple(facts))


def context(
    levels: tuple[float, float, float] = WIDE,
    rotation: Rotation | None = APART,
    *,
    sessions: int = 60,
    **fields: Any,
) -> RuleContext:
    reading = toy(eastern(MONDAY, "11:00:00"), *levels, rotation=rotation)
    made = RuleContext(
        reading=reading,
        now=instant_of(reading, NS),
        gates=Gates(),
        baseline=history(sessions),
        elapsed=0.25,
    )
    return replace(made, **fields)


def test_five_of_six_tests_can_pass() -> None:
    found = RULE.evaluate(Scope.INTRADAY, context())
    assert (found.enter, found.severity, found.label, found.distance) == (
        True,
        "info",
        "rotation",
        0.0,
    )
    assert found.unknown == ("test_fundamentals_quiet",)
    assert found.values["mechanical_score"] == 5.0
    assert {name: value for name, value in found.values.items() if name.startswith("test_")} == {
        "test_vol_ratio_high": 1.0,
        "test_correlation_low": 1.0,
        "test_sectors_apart": 1.0,
        "test_fundamentals_quiet": None,
        "test_before_expiry": 1.0,
        "test_moves_revert": 1.0,
    }
    assert "Heuristic score 5 of 6" in RULE.summary(context(), None, Verdict())


@pytest.mark.parametrize(
    ("levels", "rotation", "score", "enters"),
    [
        (CALM, {}, 3, False),
        ((0.15, 0.46, 0.20), {}, 4, True),
        (WIDE, {"autocorrelation": 0.1, "sector_dispersion_z": 0.9}, 3, False),
        (WIDE, {"autocorrelation": None}, 4, True),
        (WIDE, {"autocorrelation": None, "sector_dispersion_z": None}, 3, False),
    ],
)
def test_four_are_needed_and_unknown_ones_do_not_count(
    levels: tuple[float, float, float],
    rotation: dict[str, float | None],
    score: int,
    enters: bool,  # noqa: FBT001 - a row of the table
) -> None:
    found = RULE.evaluate(
        Scope.INTRADAY, context(levels, msgspec.structs.replace(APART, **rotation))
    )
    assert (found.values["mechanical_score"], found.enter) == (score, enters)
    missing = [name for name in rotation if rotation[name] is None]
    assert len(found.unknown) == 1 + len(missing)


def test_with_fewer_than_four_known_tests_nothing_is_told() -> None:
    found = RULE.evaluate(Scope.INTRADAY, context(rotation=None))
    assert (found.enter, found.lacking, found.distance) == (False, True, None)
    assert not RULE.evaluate(Scope.INTRADAY, context()).lacking
    assert RULE.evaluate(Scope.INTRADAY, context(sessions=59)).values["test_vol_ratio_high"] is None
    assert not RULE.evaluate(Scope.INTRADAY, context(sessions=59)).enter


@pytest.mark.parametrize(
    ("index", "z", "elapsed", "expected"),
    [
        (0.0046, 1.1, 0.5, True),
        (0.0048, 1.1, 0.5, False),
        (-0.0048, 3.0, 0.5, False),
        (0.0, 1.0, 0.5, False),
        (0.0, -1.1, 1.0, False),
        (0.0, -9.0, 0.5, False),
        (None, 1.1, 0.5, None),
        (0.0, None, 0.5, None),
    ],
)
def test_sectors_apart_while_the_index_is_flat(
    index: float | None,
    z: float | None,
    elapsed: float,
    expected: bool | None,  # noqa: FBT001
) -> None:
    """Half of a daily sd at an index vol of 15 % is 0.472 %."""
    found = context(rotation=Rotation(index_return=index, sector_dispersion_z=z), elapsed=elapsed)
    assert score_of(found, NUMBERS.enter).tests["test_sectors_apart"] is expected


@pytest.mark.parametrize(
    ("session", "expected"),
    [(date(2026, 6, 25), True), (date(2026, 6, 24), False), (date(2026, 7, 17), True)],
)
def test_fifteen_sessions_before_the_expiry_of_17_july(
    session: date,
    expected: bool,  # noqa: FBT001
) -> None:
    made = context()
    found = replace(made, reading=msgspec.structs.replace(made.reading, session=session))
    assert score_of(found, NUMBERS.enter).tests["test_before_expiry"] is expected


@pytest.mark.parametrize(
    ("strength", "peak", "converging", "unwinding", "reverses"),
    [
        (0.020, 0.04, True, False, True),
        (0.020, 0.04, False, True, True),
        (0.020, 0.04, False, False, False),
        (0.021, 0.04, True, False, False),
        (-0.01, 0.009, True, False, False),
        (0.0, None, True, False, False),
        (None, 0.04, True, False, False),
    ],
)
def test_reversal(
    strength: float | None,
    peak: float | None,
    converging: bool,  # noqa: FBT001
    unwinding: bool,  # noqa: FBT001
    reverses: bool,  # noqa: FBT001
) -> None:
    rotation = msgspec.structs.replace(APART, defensive_strength=strength)
    found = context(CALM, rotation)
    firing = None if peak is None else Firing("info", peak)
    rules = {"vol_convergence"} if converging else {"vix_spike_unwind"} if unwinding else set()
    verdict = POLICY.applied(RULE.name, RULE.evaluate(Scope.INTRADAY, found, firing), rules)
    assert (verdict.enter, verdict.severity) == (reverses, "warning" if reverses else "info")
    assert ("reverses" in RULE.summary(found, None, verdict)) is reverses


@pytest.mark.parametrize(
    ("rotation", "converging", "severity", "ended"),
    [
        ({"autocorrelation": 0.1, "sector_dispersion_z": 0.0}, False, "info", True),
        ({"autocorrelation": 0.1, "sector_dispersion_z": 0.0}, True, "info", False),
        ({"autocorrelation": 0.1, "sector_dispersion_z": 0.0}, True, "warning", True),
        ({"autocorrelation": 0.1}, False, "info", True),
        ({}, False, "info", False),
        ({"autocorrelation": None}, False, "info", False),
    ],
)
def test_the_end_waits_for_unknown_tests_and_for_a_reversal_that_has_not_been_told(
    rotation: dict[str, float | None],
    converging: bool,  # noqa: FBT001 - a row of the table
    severity: Severity,
    ended: bool,  # noqa: FBT001
) -> None:
    found = context(CALM, msgspec.structs.replace(APART, **rotation))
    verdict = RULE.evaluate(Scope.INTRADAY, found, Firing(severity, 0.05))
    rules = {"vol_convergence"} if converging else set()
    assert POLICY.applied(RULE.name, verdict, rules).ended is ended


def test_too_wide_quotes_suspend() -> None:
    found = context(width_median=0.001)
    assert RULE.evaluate(Scope.INTRADAY, found).blocked == "width"


def told(events: list[AlertEvent], scope: str = "intraday") -> list[tuple[str, str, str, str]]:
    """(transition, severity, New York time, reason) of the rotation."""
    return [
        (
            one.data.transition,
            one.data.severity,
            f"{one.time - timedelta(hours=4):%H:%M}",
            one.data.reason,
        )
        for one in events
        if one.data.rule == "mechanical_rotation" and one.data.labels.scope == scope
    ]


def with_strength(
    readings: list[Reading], first: float, last: float, **fields: Any
) -> Iterator[Reading]:
    """Readings whose defensives go from one strength to another."""
    for at, reading in enumerate(readings):
        strength = first + (last - first) * at / max(len(readings) - 1, 1)
        yield msgspec.structs.replace(
            reading, rotation=msgspec.structs.replace(APART, defensive_strength=strength, **fields)
        )


def past() -> list[Reading]:
    """Sixty closes, the last one that of Friday: the crowded levels are beyond them."""
    return [
        closing(
            FRIDAY - timedelta(days=back),
            0.15,
            0.40 + 0.001 * (back % 20),
            0.15 + 0.001 * (back % 30),
        )
        for back in reversed(range(60))
    ]


def test_a_rotation_builds_reverses_and_ends() -> None:
    run = Run()
    over: dict[str, Any] = {"autocorrelation": 0.2, "sector_dispersion_z": 0.3}
    run.play(past())
    builds = run.play(
        with_strength(path(MONDAY, "10:00:00", 1800, [WIDE, WIDE], step=30), 0.02, 0.04)
    )
    assert told(builds) == [("pending", "info", "10:00", ""), ("firing", "info", "10:10", "")]
    firing = builds[-1].data
    assert (firing.label, firing.confidence, firing.unknown) == (
        "rotation",
        "low",
        ("test_fundamentals_quiet",),
    )
    assert firing.values["mechanical_score"] == 5.0
    assert firing.summary.startswith(
        "SPX rotation looks mechanical: defensives +2.7% against the index over 20 sessions. "
        "Heuristic score 5 of 6."
    )

    bleed = (0.15, 0.36, 0.20)
    converges = run.play(
        with_strength(path(MONDAY, "10:30:30", 900, [bleed, bleed], step=30), 0.04, 0.03, **over)
    )
    assert told(converges) == [], "the score has fallen, but the trade converges: the alert waits"
    assert ("vol_convergence", "firing") in {
        (one.data.rule, one.data.transition) for one in converges
    }

    reverses = run.play(
        with_strength(path(MONDAY, "10:46:00", 1200, [bleed, bleed], step=30), 0.03, 0.0, **over)
    )
    assert told(reverses) == [
        ("updated", "warning", "10:53", "escalated"),
        ("resolved", "warning", "11:03", ""),
    ]
    update = next(one.data for one in reverses if one.data.rule == "mechanical_rotation")
    assert update.values["defensive_strength_peak"] == pytest.approx(0.04)
    assert "reverses while the trade converges: strength +1.9% after +4.0%" in update.summary
    assert update.fingerprint == firing.fingerprint


def test_a_restart_changes_nothing_about_the_reversal() -> None:
    readings = [
        *past(),
        *with_strength(path(MONDAY, "10:00:00", 1200, [WIDE, WIDE], step=30), 0.02, 0.04),
        *with_strength(
            path(MONDAY, "10:20:30", 1200, [(0.15, 0.36, 0.20)] * 2, step=30), 0.04, 0.01
        ),
    ]
    once = Run()
    expected = told(once.play(readings))
    assert expected[-1][:2] == ("updated", "warning")
    found, stored = [], dict[str, bytes]()
    for at in range(0, len(readings), 17):
        again = Run()
        again.stage.restore(stored)
        found += told(again.play(readings[at : at + 17]))
        stored = {
            name: value for name, value in {**stored, **again.stage.chunks()}.items() if value
        }
    assert found == expected


def test_a_close_is_enough_for_the_daily_form() -> None:
    run = Run()
    run.play(past())
    (reading,) = with_strength([closing(MONDAY, *WIDE)], 0.03, 0.03)
    assert [kind for kind, *_ in told(run.play([reading]), "daily")] == ["firing"]
