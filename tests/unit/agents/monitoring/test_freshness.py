"""How old what is shown is, by mode."""

from datetime import UTC, datetime

import pytest

from agents.monitoring.freshness import age_seconds, event_time, fresh_from
from agents.monitoring.freshness_gauges import freshness_gauges
from agents.monitoring.identity import readings_due
from agents.monitoring.market_view import View
from streams.detection.views.snapshot import decode_snapshot
from streams.market import Mode
from tests.support.readings import INDEX, MARKET, MONDAY, Run, eastern, toy

EVENT = datetime(2026, 7, 13, 15, 0, tzinfo=UTC)
AT = EVENT.timestamp()


@pytest.mark.parametrize(
    ("mode", "published", "now", "age", "stale"),
    [
        ("live", AT + 1, AT + 2, 2.0, 2.0),
        (
            "live",
            AT + 900,
            AT + 901,
            901.0,
            901.0,
        ),  # worked off after an outage: published just now, and old all the same
        ("live", AT - 3, AT + 2, 5.0, 5.0),  # the clock of whoever published is behind
        ("delayed", AT + 900, AT + 902, 902.0, 2.0),
        ("delayed", AT + 1800, AT + 1801, 1801.0, 601.0),
        ("replay", AT + 1e7, AT + 1e7 + 3, 3.0, 3.0),
        ("scenario", AT + 1e7, AT + 1e7 + 3, 3.0, 3.0),
        ("scenario", AT - 1e7, AT - 1e7 + 3, 3.0, 3.0),
    ],
)
def test_the_older_of_event_and_publication_counts(
    mode: Mode, published: float, now: float, age: float, stale: float
) -> None:
    assert age_seconds(mode, EVENT, published, now) == pytest.approx(age)
    assert now - fresh_from(mode, EVENT, published) == pytest.approx(stale)


@pytest.mark.parametrize(
    ("clock", "live", "delayed"),
    [
        ("09:30:04", False, False),
        ("09:30:06", True, False),
        ("09:49:00", True, False),
        ("09:50:06", True, True),
        ("16:14:59", True, True),
        ("16:20:00", False, True),
        ("16:29:59", False, True),
        ("16:30:01", False, False),
    ],
)
def test_readings_of_a_delayed_feed_are_due_later(clock: str, *, live: bool, delayed: bool) -> None:
    now = int(eastern(MONDAY, clock).timestamp()) * 1_000_000_000
    assert readings_due(now, "live") is live
    assert readings_due(now, "delayed") is delayed


def test_without_a_reading_the_publication_counts() -> None:
    assert event_time({}) is None
    assert age_seconds("live", None, 5.0, 7.0) == 2.0
    assert fresh_from("live", None, 5.0) == 5.0


@pytest.mark.parametrize(("mode", "later"), [("live", 0.0), ("delayed", 600.0), ("replay", 600.0)])
def test_the_gauge_of_the_wall_counts_from_the_event_in_live_mode(mode: Mode, later: float) -> None:
    run = Run()
    readings = [toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.1, mode=mode)]
    readings.append(
        toy(eastern(MONDAY, "11:00:00"), 0.15, 0.44, 0.1, mode=mode, tenor="91d", tenor_days=91)
    )
    run.play(readings)
    event = eastern(MONDAY, "11:00:00").timestamp()
    view = View(MARKET.indices[0], decode_snapshot(run.outputs[-1].snapshots[INDEX]), event + 600.0)
    families = {family.name: family.samples for family in freshness_gauges([view])}
    (sample,) = families["dispersion_last_publish_timestamp_seconds"]
    assert sample.value - event == later


@pytest.mark.parametrize(
    ("mode", "refresh", "allowed"),
    [
        ("live", None, 0.0),
        ("live", 120.0, 120.0),
        ("delayed", 3600.0, 300.0),
        ("scenario", 120.0, 0.0),
        ("replay", 120.0, 0.0),
    ],
)
def test_a_slow_source_tells_how_much_older_a_reading_may_be(
    mode: Mode, refresh: float | None, allowed: float
) -> None:
    run = Run()
    at = eastern(MONDAY, "11:00:00")
    run.play([toy(at, 0.15, 0.44, 0.1, mode=mode, refresh_seconds=refresh)])
    view = View(MARKET.indices[0], decode_snapshot(run.outputs[-1].snapshots[INDEX]), 0.0)
    families = {family.name: family.samples for family in freshness_gauges([view])}
    (sample,) = families["dispersion_reading_refresh_seconds"]
    assert (sample.labels, sample.value) == ({"index": INDEX}, allowed)
