"""An explanation says of a second what the event of that second said."""

from datetime import date, datetime

import msgspec
import pytest

from config.rules import load_rules
from streams.detection.alerts.alert_event import AlertEvent
from streams.detection.views.explainer import ExplainInputs, active_at, explain_in_context
from streams.detection.views.explanation import Explanation, RuleLine
from streams.detection.views.snapshot import ActiveAlert
from streams.market import Gates
from streams.reading import Reading
from tests.support.readings import FRIDAY, INDEX, MARKET, MONDAY, Run, closing, eastern, toy
from tests.support.unwind import CALM, SHOCK, ramp, stay

(SPEC,) = MARKET.indices


def play() -> tuple[dict[date, bytes], list[Reading], list[AlertEvent]]:
    """Facts of the Friday, the Monday's readings of an unwind, and its events."""
    run = Run(cap_unknown=False)
    events = run.play([closing(FRIDAY, *CALM)])
    days = {
        date.fromisoformat(name.split("/")[2]): chunk
        for name, chunk in run.stage.chunks().items()
        if name.startswith("day/")
    }
    readings = [*ramp(10), *stay("10:20:11", 590, step=10)]
    return days, readings, events + run.play(readings)


DAYS, READINGS, EVENTS = play()


def explain(inputs: ExplainInputs, *, cap_unknown: bool = False) -> Explanation | None:
    found = explain_in_context(SPEC, Gates(), load_rules(cap_unknown=cap_unknown), inputs)
    return None if found is None else found.explanation


def explained(at: str | datetime, *, readings: list[Reading] | None = None) -> Explanation:
    until = eastern(MONDAY, at) if isinstance(at, str) else at
    mine = [one for one in readings or READINGS if one.ts_event <= until]
    found = explain(ExplainInputs(DAYS, mine, active_at(EVENTS, INDEX, until)))
    assert found is not None
    return found


def line(found: Explanation, rule: str, scope: str = "intraday") -> RuleLine:
    (one,) = (one for one in found.rules if (one.rule, one.scope) == (rule, scope))
    return one


@pytest.mark.parametrize("transition", ["pending", "firing", "updated"])
def test_the_numbers_are_those_of_the_event(transition: str) -> None:
    event = next(
        one
        for one in EVENTS
        if (one.data.rule, one.data.transition) == ("vix_spike_unwind", transition)
    )
    found = explained(event.time)
    assert found.reading.ts_event == event.time
    unwind = line(found, "vix_spike_unwind")
    # A warning has to hold for a dwell of its own until the alert is one.
    severity, label = (
        ("warning", "unwind") if transition == "firing" else (event.data.severity, event.data.label)
    )
    assert (unwind.says, unwind.severity, unwind.label) == ("holds", severity, label)
    assert unwind.alert == event.data.status
    assert unwind.compared_with == event.data.compared_with
    assert unwind.unknown == event.data.unknown
    assert {one.name: one.value for one in unwind.conditions} == {
        one.name: event.data.values[one.name] for one in unwind.conditions
    }
    assert unwind.thresholds == {
        "enter": event.data.thresholds.enter,
        "exit": event.data.thresholds.exit,
    }
    assert found.regime == ("stable" if event.data.severity == "info" else "unwinding")


def test_before_anything_has_happened() -> None:
    found = explained("10:01:01")
    unwind = line(found, "vix_spike_unwind")
    assert (unwind.says, unwind.alert, found.regime, found.alerts) == (
        "quiet",
        "inactive",
        "stable",
        (),
    )
    assert unwind.distance is not None
    assert 0.0 < unwind.distance < 1.0
    assert (
        max(one.distance for one in unwind.conditions if one.value is not None) == unwind.distance
    )
    assert line(found, "vol_convergence", "intraday-5s").says == "unknown"
    assert (found.history, found.needed, found.hours) == (1, 60, "open")


def test_the_parts_are_the_move() -> None:
    found = explained("10:20:01")
    assert found.move is not None
    assert found.move == pytest.approx(SHOCK[0] - CALM[0])
    assert found.move_by_correlation is not None
    assert found.move_by_correlation + sum(found.move_by_name.values()) == pytest.approx(
        found.move, abs=1e-12
    )
    assert list(found.move_by_name)[-1] == "other"
    assert found.reading.constituents is None


def test_a_gate_is_named() -> None:
    too_thin = toy(eastern(MONDAY, "10:30:02"), *SHOCK, coverage=0.5)
    found = explained("10:30:02", readings=[*READINGS, too_thin])
    assert {(one.says, one.gate) for one in found.rules if one.rule != "data_quality"} == {
        ("suspended", "coverage")
    }
    quality = line(found, "data_quality")
    assert (quality.says, quality.severity, quality.any_of) == ("holds", "critical", True)
    narrow = toy(eastern(MONDAY, "10:30:02"), *SHOCK, index_vol_bid=0.15)
    unwind = line(explained("10:30:02", readings=[*READINGS, narrow]), "vix_spike_unwind")
    assert (unwind.says, unwind.gate) == ("suspended", "width")


def test_a_jump_that_is_held_is_said_to_be() -> None:
    jump = toy(eastern(MONDAY, "10:30:02"), SHOCK[0], SHOCK[1], SHOCK[2] + 0.2)
    assert (
        line(explained("10:30:02", readings=[*READINGS, jump]), "vix_spike_unwind").says == "held"
    )


def test_at_the_close_it_is_the_daily_form() -> None:
    end = closing(MONDAY, *SHOCK)
    found = explained("16:15:00", readings=[*READINGS, end])
    assert found.hours == "after"
    assert {one.scope for one in found.rules} >= {"daily", "daily-1s"}
    assert not any(one.scope.startswith("intraday") for one in found.rules)
    assert line(found, "vix_spike_unwind", "daily").says == "holds"


def test_what_fires_acts_on_the_others_however_it_began() -> None:
    """Alerts come from their events: these readings alone would not make them fire."""
    until = eastern(MONDAY, "10:20:01")
    mine = [one for one in READINGS if one.ts_event <= until][-60:]
    (unwind,) = (one for one in active_at(EVENTS, INDEX, until) if one.rule == "vix_spike_unwind")
    doubt = msgspec.structs.replace(unwind, rule="data_quality")

    def says(*alerts: ActiveAlert) -> tuple[str, str | None, str]:
        told = ExplainInputs(DAYS, mine, alerts)
        found = explain(told)
        assert found is not None
        assert line(found, "data_quality").says == "quiet"
        one = line(found, "vol_convergence", "intraday-1s")
        return one.says, one.severity, one.gate

    assert says() == ("holds", "warning", "")
    assert says(unwind) == ("inhibited", "critical", "")
    assert says(unwind, doubt) == ("suspended", None, "data_quality")
    waits = msgspec.structs.replace(unwind, status="pending", underlying_status="pending")
    assert says(waits) == ("holds", "warning", "")


def test_repeats_change_nothing_and_later_closes_are_not_known() -> None:
    whole = explained("10:20:01")
    until = eastern(MONDAY, "10:20:01")
    mine = [one for one in READINGS if one.ts_event <= until]
    days = {**DAYS, MONDAY: next(iter(DAYS.values()))}
    told = ExplainInputs(days, [*mine, *mine[-20:]], active_at(EVENTS, INDEX, until))
    assert explain(told) == whole


def test_nothing_is_explained_by_nothing() -> None:
    assert explain(ExplainInputs({}, []), cap_unknown=True) is None


def test_alerts_stand_until_they_are_resolved() -> None:
    firing = next(
        one
        for one in EVENTS
        if (one.data.rule, one.data.transition) == ("vix_spike_unwind", "firing")
    )
    over = msgspec.structs.replace(
        firing, data=msgspec.structs.replace(firing.data, status="resolved", transition="resolved")
    )
    assert [one.rule for one in active_at([firing], INDEX, firing.time)] == ["vix_spike_unwind"]
    assert active_at([firing, over], INDEX, firing.time) == []
    assert active_at([firing], "NDX", firing.time) == []
    paused = msgspec.structs.replace(
        firing.data, status="suspended", transition="suspended", previous_status="firing"
    )
    (one,) = active_at([msgspec.structs.replace(firing, data=paused)], INDEX, firing.time)
    assert (one.status, one.underlying_status) == ("suspended", "firing")
