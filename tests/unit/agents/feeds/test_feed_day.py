"""Whole sessions on a played clock: open, delay, close, half days, summer time, restarts."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from streams.records import NS
from tests.support.cboe_market import cboe
from tests.support.feed_run import MONDAY, MonitorSink, eastern

DELAY = 900 * NS
HARMED = {"late", "future", "outside_session", "unknown", "duplicate"}


def unharmed(sink: MonitorSink) -> bool:
    return not {key[1] for key, rows in sink.pipeline.counts.items() if rows} & HARMED


def closed_at(sink: MonitorSink) -> list[int]:
    """Event times at which the monitor has closed a session, ns."""
    closing = [one.ts_event for one in sink.readings if "session_close" in one.flags]
    return [round(at.timestamp()) * NS for at in closing]


async def test_a_session_from_before_the_open_to_after_the_close(tmp_path: Path) -> None:
    period = {"period": 900.0}
    async with cboe(tmp_path, eastern(MONDAY, 9, 29), feed=period) as (running, server, sink, _, _):
        await running.until(eastern(MONDAY, 9, 44, 59))
        assert not server.asked
        assert not sink.beats
        await running.until(eastern(MONDAY, 9, 45, 10))
        # One sweep, and every name is there.
        assert sink.readings[0].coverage == 1.0
        assert sink.beats[0] >= eastern(MONDAY, 9, 30)
        await running.until(eastern(MONDAY, 16, 31))
        assert sink.beats[-1] == eastern(MONDAY, 16, 15)
        asked = sum(server.asked.values())
        await running.until(eastern(MONDAY + timedelta(1), 9, 44))
        assert sum(server.asked.values()) == asked
        assert sink.beats[-1] == eastern(MONDAY, 16, 15)
        await running.until(eastern(MONDAY + timedelta(1), 9, 46))
        assert sink.beats[-1] > eastern(MONDAY + timedelta(1), 9, 30)
        after = [
            one
            for rows in sink.rows
            for one in rows.ts_event.tolist()
            if eastern(MONDAY, 16, 15) < one < eastern(MONDAY + timedelta(1), 9, 30)
        ]
        assert after == []
    assert unharmed(sink)
    assert all(one.coverage == 1.0 for one in sink.readings if one.coverage is not None)
    assert closed_at(sink) == [eastern(MONDAY, 16, 15)]


@pytest.mark.parametrize(
    ("start", "begins", "closes", "weeks"),
    [
        # The half day after Thanksgiving, from the holiday on.
        ((date(2026, 11, 26), 12), (date(2026, 11, 27), 9, 30), (date(2026, 11, 27), 13, 15), 19),
        # The clocks change on Sunday, November 1.
        ((date(2026, 10, 31), 12), (date(2026, 11, 2), 9, 30), (date(2026, 11, 2), 16, 15), 16),
    ],
)
async def test_the_hours_of_a_session(
    tmp_path: Path,
    start: tuple[date, int],
    begins: tuple[date, int, int],
    closes: tuple[date, int, int],
    weeks: int,
) -> None:
    feed = {"period": 3600.0}
    async with cboe(tmp_path, eastern(*start), feed=feed) as (running, server, sink, market, _):
        market.weeks = weeks
        await running.until(eastern(*begins) + DELAY - NS)
        assert not server.asked
        await running.until(eastern(*begins) + DELAY + 10 * NS)
        assert server.asked
        assert eastern(*begins) <= sink.beats[0] <= eastern(*begins) + NS
        await running.until(eastern(*closes) + DELAY + 60 * NS)
        assert sink.beats[-1] == eastern(*closes)
        assert not running.service.runner.in_session
    assert sink.readings[0].coverage == 1.0
    assert sink.readings[0].index_vol is not None
    assert unharmed(sink)
    assert closed_at(sink) == [eastern(*closes)]


async def test_a_restart_in_the_middle(tmp_path: Path) -> None:
    start = eastern(MONDAY, 11)
    async with cboe(tmp_path, start) as (running, _, first, _, _):
        await running.seconds(70)
    async with cboe(tmp_path, start + 75 * NS) as (running, _, sink, _, _):
        sink.pipeline, sink.readings = first.pipeline, first.readings
        before = len(sink.readings)
        await running.seconds(70)
        assert len(sink.readings) > before
        assert all(one.coverage == 1.0 for one in sink.readings)
    assert unharmed(sink)
