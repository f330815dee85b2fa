"""The rules on a few names against an index, by declaration: all of them without correlation."""

from collections.abc import Iterable

import msgspec
import pytest

from streams.catalogue.vocabulary import PARTIAL_BASKET
from streams.detection.alerts.alert_event import AlertEvent
from streams.reading import Reading
from tests.support.past_closes import weekdays
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path

CALM = (0.15, 0.40, 0.10)
Levels = tuple[float, float, float]


def without(readings: Iterable[Reading], reason: str = PARTIAL_BASKET) -> list[Reading]:
    """Readings with no correlation, for a reason."""
    return [
        msgspec.structs.replace(
            one,
            implied_correlation=None,
            reasons={**one.reasons, "implied_correlation": reason},
        )
        for one in readings
    ]


def monday(run: Run, after: Levels, reason: str = PARTIAL_BASKET) -> list[AlertEvent]:
    """Events of ten minutes at `after`, on the morning after a calm close."""
    run.play(without([closing(FRIDAY, *CALM)], reason))
    return run.play(without(path(MONDAY, "11:00:00", 600, [after, after], step=10), reason))


def gates(run: Run) -> set[str]:
    """Reasons for which a rule was not judged."""
    return {
        reason
        for output in run.outputs
        for name, *_, reason in output.counts
        if name == "gate_failures"
    }


def firing(events: Iterable[AlertEvent]) -> dict[str, AlertEvent]:
    return {one.data.rule: one for one in events if one.data.transition == "firing"}


@pytest.mark.parametrize(
    ("after", "rule", "label", "severity"),
    [
        ((0.20, 0.53, 0.10), "broad_repricing", "repricing", "warning"),
        ((0.28, 0.75, 0.10), "broad_repricing", "repricing", "critical"),
        ((0.15, 0.46, 0.08), "dispersion_widening", "widening", "info"),
        ((0.175, 0.39, 0.20), "vol_convergence", "convergence", "warning"),
        ((0.15, 0.33, 0.10), "vol_convergence", "convergence", "info"),
    ],
)
def test_rules_on_vols_fire(after: Levels, rule: str, label: str, severity: str) -> None:
    found = firing(monday(Run(), after))
    assert found.keys() == {rule}
    data = found[rule].data
    assert (data.label, data.severity) == (label, severity)
    if rule != "vol_convergence":
        assert data.unknown == ("implied_correlation_change",)
        assert data.confidence == "low"


def test_an_unwind_cannot_be_told_and_nothing_is_suspended() -> None:
    run = Run()
    events = monday(run, (0.25, 0.45, 0.40))
    assert "vix_spike_unwind" not in {one.data.rule for one in events}
    assert not {one.data.transition for one in events} & {"suspended"}
    assert gates(run) <= {"clock", "history"}
    assert run.snapshot()["regime"] == "converging"


def test_a_calm_session_is_stable_and_without_a_word() -> None:
    run = Run()
    assert monday(run, CALM) == []
    assert run.snapshot()["regime"] == "stable"


@pytest.mark.parametrize("after", [(0.20, 0.53, 0.10), (0.15, 0.46, 0.08)])
def test_a_basket_that_lacks_its_correlation_is_another_thing(after: Levels) -> None:
    run = Run()
    assert firing(monday(run, after, "coverage")).keys() <= {"data_quality"}
    assert run.snapshot()["regime"] == "unknown"


def test_a_spread_is_extreme_by_its_own_rank() -> None:
    run = Run()
    for at, day in enumerate(weekdays(70)):
        run.play(without([closing(day, 0.15, 0.40 + 0.0001 * (at % 10), 0.10)]))
    events = run.play(without(path(MONDAY, "11:00:00", 1200, [(0.15, 0.419, 0.1)] * 2, step=10)))
    found = firing(events)
    assert "dispersion_extreme" in found
    assert "implied_correlation_percentile" not in found["dispersion_extreme"].data.values


def test_closes_are_judged_too() -> None:
    run = Run()
    run.play(without([closing(day, *CALM) for day in weekdays(8)]))
    events = run.play(without([closing(MONDAY, 0.28, 0.75, 0.10)]))
    assert {one.data.rule for one in events} == {"broad_repricing"}
    assert gates(run) <= {"clock", "history"}
