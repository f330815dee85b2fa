"""All published closes through the daily form of the rules.

It says what must be caught, what it must be called, and how much noise there is.
"""

from collections import Counter
from collections.abc import Collection
from datetime import date

import pytest

from streams.detection.alerts.alert_event import AlertData, decode_event
from tests.support.published_history import history

pytestmark = [pytest.mark.evaluation, pytest.mark.timeout(900)]

JOIN = 10
"""Firing sessions at most so many evaluated sessions apart are one episode."""


def episodes(severities: Collection[str], label: str = "") -> list[list[str]]:
    """Sessions of each episode: the union over rules of the alerts of these severities.

    A `label` takes those that have it alone.
    """
    place = {day: at for at, day in enumerate(history().evaluated)}
    firing = sorted(
        {
            place[event.session.isoformat()]
            for event in history().fired
            if event.severity in severities and label in {"", event.label}
        }
    )
    joined: list[list[int]] = []
    for at in firing:
        if joined and at - joined[-1][-1] <= JOIN:
            joined[-1].append(at)
        else:
            joined.append([at])
    days = history().evaluated
    return [[days[at] for at in one] for one in joined]


def a_year(found: list[list[str]]) -> float:
    return 252 * len(found) / len(history().evaluated)


def by_year(found: list[list[str]]) -> Counter[str]:
    """Of the calendar year in which an episode begins."""
    return Counter(one[0][:4] for one in found)


def test_the_history_is_whole() -> None:
    assert len(history().evaluated) == 2630
    zero = next(
        close.reading
        for close in history().closes
        if close.reading.session.isoformat() == "2018-02-08"
    )
    assert (zero.dispersion, zero.reasons.get("dispersion")) == (0.0, None)


@pytest.mark.parametrize(
    ("day", "severity"), [("2018-02-05", "critical"), ("2025-10-10", "warning")]
)
def test_unwinds_are_caught_in_the_same_session(day: str, severity: str) -> None:
    (event,) = history().on(day, "vix_spike_unwind")
    assert (event.label, event.severity, event.confidence, event.unknown) == (
        "unwind",
        severity,
        "high",
        (),
    )
    assert not history().on(day, "broad_repricing")


@pytest.mark.parametrize("day", ["2015-08-24", "2020-03-16"])
def test_repricings_are_caught_and_called_so(day: str) -> None:
    (event,) = history().on(day, "broad_repricing")
    assert (event.label, event.severity) == ("repricing", "critical")
    assert not history().on(day, "vix_spike_unwind")


@pytest.mark.parametrize("day", ["2025-09-04", "2025-11-05"])
def test_single_name_vol_that_bleeds_is_benign(day: str) -> None:
    events = {event.labels.scope: event.direction for event in history().on(day, "vol_convergence")}
    assert events["daily-5s"] == "benign"


def test_a_spike_with_little_history_fires_with_low_confidence() -> None:
    (event,) = history().on("2025-08-01", "vix_spike_unwind")
    assert (event.label, event.confidence, event.unknown) == (
        "unwind",
        "low",
        ("correlation_change_rank",),
    )


def convergences() -> list[tuple[date, AlertData]]:
    """Sessions, and what was told of convergences there."""
    told = (
        (close.reading.session, decode_event(entry.value).data)
        for close in history().closes
        for entry in close.events
    )
    return [(session, event) for session, event in told if event.rule == "vol_convergence"]


def test_no_benign_and_no_mixed_convergence_asks_for_action() -> None:
    told = [event for _, event in convergences()]
    severe = {"warning", "critical"}
    assert {one.direction for one in told if one.severity in severe} == {"adverse"}
    assert {one.direction for one in told} == {"adverse", "benign", "mixed"}
    assert {"direction", "aged", "eased", "escalated"} <= {one.reason for one in told}


def test_a_convergence_lasts_no_longer_than_twice_its_window() -> None:
    sessions = [close.reading.session for close in history().closes]
    lasted: dict[str, int] = {}
    for session, event in convergences():
        if event.status == "resolved":
            age = sessions.index(session) - sessions.index(event.starts_at.date())
            lasted[event.labels.scope] = max(lasted.get(event.labels.scope, 0), age)
    assert lasted["daily-1s"] == 2
    assert lasted["daily-5s"] == 10


def test_noise_stays_within_its_budget() -> None:
    critical, all_of_them = episodes({"critical"}), episodes({"warning", "critical"})
    years = sorted({day[:4] for day in history().evaluated})
    print(f"\n{'year':<6}{'critical':>10}{'warning and critical':>22}")
    for year in years:
        print(f"{year:<6}{by_year(critical)[year]:>10}{by_year(all_of_them)[year]:>22}")
    print(f"{'a year':<6}{a_year(critical):>10.2f}{a_year(all_of_them):>22.2f}")
    assert a_year(critical) <= 3.5
    assert max(by_year(critical).values()) <= 7
    assert a_year(all_of_them) <= 8
    assert a_year(episodes({"info"}, "early")) <= 12


def test_verdicts_tell_exactly_which_sessions_fired() -> None:
    fired = {(event.session, event.rule) for event in history().fired}
    told = {
        (close.reading.session, rule)
        for close in history().closes
        for rule, answer in close.verdicts.verdicts.items()
        if answer == "fires"
    }
    assert told == fired


def test_what_cannot_be_judged_is_said() -> None:
    answers = {
        close.reading.session.isoformat(): close.verdicts.verdicts for close in history().closes
    }
    assert set(answers["2014-06-18"].values()) == {"suspended"}, "basket vol is not published yet"
    for first in ("2014-06-19", "2025-07-01"):
        assert (
            answers[first]["vix_spike_unwind"] == answers[first]["vol_convergence"] == "unknown"
        ), "nothing to compare with"
    assert answers["2025-07-08"]["vol_convergence"] == "unknown", "four closes since the gap"
    assert answers["2025-07-09"]["vol_convergence"] != "unknown"
    evaluated = set(history().evaluated)
    for day, said in answers.items():
        assert ("suspended" in said.values()) is (day not in evaluated)
