"""The stress windows of the published closes, through the detector.

The tests say what each day is called, and what it is not.
"""

import csv
from datetime import date
from functools import cache

import pytest

from streams.detection.alerts.alert_event import AlertEvent
from tests.support.evaluation import vectors
from tests.support.readings import Run, published, told

pytestmark = pytest.mark.evaluation


@cache
def events() -> tuple[AlertEvent, ...]:
    """Events of the four windows of `episodes_daily.csv`; the gaps between reset the history."""
    with (vectors() / "episodes_daily.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    readings = [
        published(
            date.fromisoformat(row["date"]),
            *(float(row[name]) for name in ("vix_close", "vixeq", "dspx", "cor1m_close")),
        )
        for row in rows
    ]
    return tuple(Run(cap_unknown=False).play(readings))


def on(day: str, rule: str) -> AlertEvent | None:
    """The firing or updated event of a rule at a close."""
    found = [
        event
        for event in events()
        if event.data.session.isoformat() == day
        and event.data.rule == rule
        and event.data.transition in {"firing", "updated"}
    ]
    return found[0] if found else None


@pytest.mark.parametrize(
    ("day", "share", "label", "severity"),
    [
        ("2015-08-21", 0.44, "mixed", "critical"),
        ("2018-02-02", 1.02, "unwind", "critical"),
        ("2018-02-05", 0.75, "unwind", "critical"),
        ("2020-02-24", 0.58, "unwind", "critical"),
        ("2025-10-10", 0.69, "unwind", "warning"),
        ("2025-10-16", 0.81, "unwind", "warning"),
    ],
)
def test_unwinds_are_caught(day: str, share: float, label: str, severity: str) -> None:
    event = on(day, "vix_spike_unwind")
    assert event is not None
    assert event.data.values["correlation_share"] == pytest.approx(share, abs=0.005)
    assert event.data.label == label
    assert event.data.severity == severity
    assert (event.data.confidence, event.data.basis) == ("low", "published"), (
        "windows of a few weeks have no ranks"
    )


@pytest.mark.parametrize(("day", "share"), [("2015-08-24", 0.33), ("2020-03-16", 0.22)])
def test_broad_repricings_are_no_unwinds(day: str, share: float) -> None:
    event = on(day, "broad_repricing")
    assert event is not None
    assert event.data.values["correlation_share"] == pytest.approx(share, abs=0.005)
    assert on(day, "vix_spike_unwind") is None


def test_the_convergence_of_2018_is_adverse_and_critical() -> None:
    event = on("2018-02-05", "vol_convergence")
    assert event is not None
    assert (event.data.direction, event.data.severity) == ("adverse", "critical")
    assert event.data.values["vol_spread_from"] == pytest.approx(0.1070)
    assert event.data.values["vol_spread_change"] == pytest.approx(-0.1419)


def test_a_session_fall_of_157_points_was_not_enough_on_2025_10_10() -> None:
    assert on("2025-10-10", "vol_convergence") is None


def test_no_alert_is_left_from_one_window_in_the_next() -> None:
    day = date(2018, 1, 26)
    kinds = told(event for event in events() if event.data.session == day)
    assert {kind for _, _, kind in kinds} <= {"resolved"}
