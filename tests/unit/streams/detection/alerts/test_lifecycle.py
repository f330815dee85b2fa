"""The lifecycle: dwell, gaps, suspension, hysteresis, cool-down, escalation, inhibition."""

from dataclasses import dataclass, field

import pytest

from streams.detection.alerts.lifecycle import (
    Alert,
    AlertDetail,
    Durations,
    durations_of,
    end_session,
    follow,
)
from streams.detection.numbers import RuleNumbers
from streams.detection.rules.verdict import Severity, Verdict
from streams.records import NS

TEMPO = Durations(dwell=180 * NS, exit_dwell=180 * NS, cool_down=1800 * NS, gap=30 * NS)
DAILY = Durations(0, 0, 0, 30 * NS, daily=True)
UNWIND = AlertDetail("unwind")
ADVERSE, BENIGN = AlertDetail("convergence", "adverse"), AlertDetail("convergence", "benign")


@dataclass
class Life:
    """An alert and what happened to it, by second."""

    durations: Durations = TEMPO
    alert: Alert = field(default_factory=Alert)
    told: list[tuple[int, str]] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def on(
        self,
        *seconds: int,
        severity: Severity = "warning",
        detail: AlertDetail = UNWIND,
        inhibited: bool = False,
        proven: bool = False,
    ) -> None:
        for second in seconds:
            verdict = Verdict(enter=True, severity=severity, inhibited=inhibited, proven=proven)
            self._follow(second, verdict, detail)

    def off(self, *seconds: int, ended: bool = True) -> None:
        for second in seconds:
            self._follow(second, Verdict(ended=ended), self.alert.detail)

    def both(self, second: int) -> None:
        self._follow(second, Verdict(enter=True, severity="warning", ended=True), UNWIND)

    def over(self, *seconds: int) -> None:
        for second in seconds:
            verdict = Verdict(enter=True, severity="info", ended=False, over="aged")
            self._follow(second, verdict, BENIGN)

    def block(self, *seconds: int) -> None:
        for second in seconds:
            self._follow(second, Verdict(blocked="coverage"), self.alert.detail)

    def held(self, *seconds: int) -> None:
        for second in seconds:
            self._follow(second, Verdict(held=True), self.alert.detail)

    def end(self, second: int) -> None:
        self.told += [(second, item.kind) for item in end_session(self.alert, second * NS)]

    def _follow(self, second: int, verdict: Verdict, detail: AlertDetail) -> None:
        moved = follow(self.alert, second * NS, verdict, detail, self.durations)
        self.told += [(second, item.kind) for item in moved]
        self.reasons += [item.reason for item in moved]

    @property
    def kinds(self) -> list[str]:
        return [kind for _, kind in self.told]


def fired(**fields: Severity) -> Life:
    life = Life()
    life.on(*range(100, 281), **fields)  # type: ignore[arg-type]
    assert life.told == [(100, "pending"), (280, "firing")]
    life.told.clear()
    return life


def test_it_fires_when_the_condition_has_held_for_the_dwell() -> None:
    life = fired()
    assert life.alert.starts_at == 100 * NS


def test_one_reading_without_the_condition_ends_a_pending_alert_without_cool_down() -> None:
    life = Life()
    life.on(*range(100, 200))
    life.off(200)
    life.on(201)
    assert life.told == [(100, "pending"), (200, "resolved"), (201, "pending")]


@pytest.mark.parametrize(("silence", "fires"), [(30, 280), (31, 331)])
def test_a_gap_above_the_limit_restarts_the_dwell(silence: int, fires: int) -> None:
    life = Life()
    life.on(*range(100, 121), *range(120 + silence, 500))
    assert life.told[1] == (fires, "firing")


def test_a_slow_source_has_a_longer_gap() -> None:
    timing = RuleNumbers(dwell_seconds=180, exit_dwell_seconds=180, cool_down_seconds=1800)
    assert durations_of(timing, 60.0, "intraday").gap == 180 * NS
    assert durations_of(timing, None, "intraday").gap == 30 * NS
    assert durations_of(timing, None, "daily")[:3] == (0, 0, 0)


def test_suspended_time_neither_counts_nor_restarts() -> None:
    life = Life()
    life.on(*range(100, 200))
    life.block(*range(200, 500))
    life.on(*range(500, 700))
    assert life.told == [(100, "pending"), (200, "suspended"), (500, "resumed"), (580, "firing")]


def test_held_time_neither_counts_nor_restarts_nor_speaks() -> None:
    life = Life()
    life.on(*range(100, 200))
    life.held(*range(200, 260))
    life.on(*range(260, 500))
    assert life.told == [(100, "pending"), (340, "firing")]


def test_lost_data_never_resolves() -> None:
    life = fired()
    life.block(*range(281, 5000, 7))
    assert life.told == [(281, "suspended")]
    assert life.alert.underlying_status == "firing"


def test_an_inactive_alert_is_not_suspended() -> None:
    life = Life()
    life.block(100)
    assert life.told == []


def test_between_enter_and_exit_it_stays() -> None:
    life = fired()
    life.off(*range(281, 3000), ended=False)
    assert life.told == []


def test_the_exit_has_a_dwell() -> None:
    life = fired()
    life.off(*range(281, 400))
    life.off(400, ended=False)
    life.off(*range(401, 600))
    assert life.told == [(581, "resolved")]
    assert life.alert.ends_at == 581 * NS


def test_intraday_the_exit_wins_over_a_condition_that_still_holds_and_at_a_close_it_does_not() -> (
    None
):
    life, daily = fired(), Life(DAILY)
    for second in range(281, 462):
        life.both(second)
    daily.on(86400)
    daily.both(2 * 86400)
    assert life.told == [(461, "resolved")]
    assert daily.kinds == ["firing", "updated"]


def test_a_suspension_stops_the_exit_dwell_too() -> None:
    life = fired()
    life.off(*range(281, 381))
    life.block(*range(381, 900))
    life.off(*range(900, 1000))
    assert life.told == [(381, "suspended"), (900, "resumed"), (980, "resolved")]


def test_it_cools_down() -> None:
    life = fired()
    life.off(*range(281, 462))
    life.told.clear()
    life.on(*range(462, 2500))
    assert life.told == [(461 + 1800, "pending"), (461 + 1980, "firing")]


def test_an_escalation_breaks_the_cool_down() -> None:
    life = fired()
    life.off(*range(281, 462))
    life.told.clear()
    life.on(*range(462, 562))
    life.on(*range(562, 800), severity="critical")
    assert life.told == [(562, "pending"), (742, "firing")]


def test_a_rise_in_severity_is_told_at_once_and_a_fall_when_it_has_lasted() -> None:
    life = fired()
    life.on(281, severity="critical")
    life.on(*range(282, 461))
    life.on(461, severity="critical")
    life.on(*range(462, 700))
    assert life.told == [(281, "updated"), (642, "updated")]
    assert life.reasons[-2:] == ["escalated", "eased"]
    assert life.alert.severity == "warning"
    life.on(700, severity="critical")
    assert (life.told[-1], life.reasons[-1]) == ((700, "updated"), "escalated")


def test_a_fall_by_two_steps_is_measured_from_where_it_began() -> None:
    life = fired(severity="critical")
    life.on(*range(281, 400))
    life.on(*range(400, 600), severity="info")
    assert life.told == [(461, "updated")]
    assert life.alert.severity == "info"


def test_a_gap_restarts_a_fall_and_suspended_time_does_not_count() -> None:
    life, other = fired(severity="critical"), fired(severity="critical")
    life.on(*range(281, 400), *range(440, 700))
    assert life.told == [(620, "updated")]
    other.on(*range(281, 400))
    other.block(*range(400, 1000))
    other.on(*range(1000, 1100))
    assert other.told == [(400, "suspended"), (1000, "resumed"), (1061, "updated")]


def test_an_update_takes_severity_and_shade_from_one_verdict() -> None:
    life = fired(severity="warning")
    mixed = AlertDetail("convergence", "mixed")
    life.on(*range(281, 400), severity="info", detail=mixed)
    life.on(400, severity="critical", detail=ADVERSE)
    assert (life.alert.severity, life.alert.detail) == ("critical", ADVERSE)
    life.on(*range(401, 581), severity="info", detail=mixed)
    assert (life.alert.severity, life.alert.detail) == ("critical", ADVERSE)
    life.on(581, severity="info", detail=mixed)
    assert (life.alert.severity, life.alert.detail) == ("info", mixed)
    assert (life.reasons[-2:], life.kinds[-2:]) == (["escalated", "eased"], ["updated"] * 2)


def test_at_a_close_severity_falls_with_the_next_that_holds() -> None:
    life = Life(DAILY)
    life.on(86400, severity="critical")
    life.on(2 * 86400, severity="info")
    assert life.reasons == ["", "eased"]
    assert life.alert.severity == "info"


def test_what_is_over_by_its_story_ends_after_the_exit_dwell_with_its_reason() -> None:
    life = fired()
    life.over(*range(281, 400))
    life.on(400)
    life.over(*range(401, 582))
    assert (life.told, life.reasons[-1]) == ([(581, "resolved")], "aged")
    life.on(*range(583, 1000))
    assert life.told == [(581, "resolved")], "cooling down"


def test_at_a_close_the_story_wins_over_the_condition() -> None:
    life = Life(DAILY)
    life.on(86400)
    life.over(2 * 86400)
    assert (life.kinds, life.reasons[-1]) == (["firing", "resolved"], "aged")


def test_what_is_proven_has_neither_dwell_nor_cool_down() -> None:
    life = Life()
    life.on(100, proven=True)
    life.off(*range(101, 282))
    life.on(282)
    life.on(283, proven=True)
    assert life.told == [(100, "firing"), (281, "resolved"), (283, "firing")]
    pending = Life()
    pending.on(100)
    pending.on(101, proven=True)
    assert pending.told == [(100, "pending"), (101, "firing")]


def test_another_shade_is_told_when_it_has_lasted() -> None:
    life = fired()
    mixed = AlertDetail("mixed")
    life.on(*range(281, 400), detail=mixed)
    life.on(400)
    life.on(*range(401, 600), detail=mixed)
    assert life.told == [(581, "updated")]
    assert life.alert.detail == mixed


def test_the_end_of_the_session_ends_what_is_pending_only() -> None:
    life = Life()
    life.on(100)
    life.end(110)
    assert life.told == [(100, "pending"), (110, "resolved")]
    assert life.alert.cool_until == 0
    life = fired()
    life.end(300)
    assert life.told == []
    assert life.alert.status == "firing"


def test_a_suspended_pending_alert_ends_with_its_session_too() -> None:
    life = Life()
    life.on(100)
    life.block(101)
    life.end(200)
    assert life.kinds == ["pending", "suspended", "resolved"]


def test_inhibition_stops_the_start_and_ends_what_is_pending() -> None:
    life = Life()
    life.on(100, inhibited=True)
    life.on(101)
    life.on(102, inhibited=True)
    assert life.told == [(101, "pending"), (102, "resolved")]


def test_inhibition_leaves_a_firing_alert_alone() -> None:
    life = fired()
    life.on(281, severity="critical", inhibited=True)
    life.off(*range(282, 500))
    assert life.told == [(281, "updated"), (462, "resolved")]


def test_the_daily_form_fires_at_once_and_is_updated_by_each_close() -> None:
    life = Life(DAILY)
    life.on(86400)
    life.on(2 * 86400)
    life.off(3 * 86400, ended=False)
    life.off(4 * 86400)
    life.on(5 * 86400)
    assert life.kinds == ["firing", "updated", "resolved", "firing"]
