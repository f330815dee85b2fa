"""Cboe's format from a local server to the monitor, on a played clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.replay.inputs import open_feed
from config.market import market_of
from config.settings import Settings
from streams.reading import encode_reading
from streams.records import NS, Quotes, Ticks
from streams.topics import Topics
from tests.support.feed_run import (
    MONDAY,
    NAMES,
    MonitorSink,
    PlayedFeed,
    eastern,
    feed_settings,
    played,
)
from tests.support.monitor import comparable_reading, expected
from tests.support.played_clock import PlayedClock
from tests.support.vendor_documents import cboe_chain, cboe_levels, cboe_options, moment, within
from tests.support.vendor_server import VendorServer

BASE = "/api/global/delayed_quotes"
DELAY = 900 * NS


class Market:
    """What the server shows: made at the clock's time unless it stands still."""

    def __init__(self, clock: PlayedClock) -> None:
        self.clock = clock
        self.still: dict[str, int] = {}
        self.shift = 0.0

    def __call__(self, path: str) -> bytes | None:
        name = path.rpartition("/")[2].removesuffix(".json")
        at = moment(self.still.get(name, self.clock.now))
        if path == f"{BASE}/quotes/all_us_indices.json":
            return cboe_levels(at)
        if path.startswith(f"{BASE}/options/") and name in {"SPY", *NAMES}:
            options = cboe_options(name)
            if self.shift:
                options = [{**one, "ask": round(one["ask"] + self.shift, 2)} for one in options]
            return cboe_chain(name, at, options)
        return None


@asynccontextmanager
async def cboe(
    folder: Path, start: int, *, redirect: bool = False, names: Any = NAMES, **more: Any
) -> AsyncIterator[tuple[PlayedFeed, VendorServer, MonitorSink, Market, Settings]]:
    clock = PlayedClock(start)
    market = Market(clock)
    async with VendorServer(market, redirect=redirect) as server:
        feed = {"cboe": {"accept_terms": True, "host": server.url}, "period": 60.0}
        settings = feed_settings(folder, names, feed=feed | more.pop("feed", {}))
        sink = MonitorSink(settings, clock)
        async with played(settings, clock, sink, **more) as running:
            yield running, server, sink, market, settings


async def test_a_sweep_is_one_snapshot_on_the_delayed_clock(tmp_path: Path) -> None:
    start = eastern(MONDAY, 10, 15)
    async with cboe(tmp_path, start, redirect=True) as (running, server, sink, _, _):
        await running.seconds(50)
        quotes = [rows for rows in sink.rows if isinstance(rows, Quotes)]
        ticks = [rows for rows in sink.rows if isinstance(rows, Ticks)]
    assert len(quotes) == len(ticks) == 1
    (at,) = np.unique(quotes[0].ts_event).tolist()
    assert start - DELAY < at <= start - DELAY + 5 * NS
    assert quotes[0].refresh_seconds == 60.0
    assert {one.underlying for one in quotes[0].series} == {"SPY", *NAMES}
    options = [one for name in ("SPY", *NAMES) for one in cboe_options(name)]
    today = f"{MONDAY:%y%m%d}"
    read = [one for one in options if one["option"][-15:-9] != today]
    assert quotes[0].strike.size == within(options, MONDAY, (1, 75)) == len(read)
    assert quotes[0].bid.sum() == pytest.approx(sum(one["bid"] or 0.0 for one in read))
    assert set(ticks[0].symbols) == {"VIX", "VIXEQ", "DSPX", "COR1M", "SPY", *NAMES}
    # The index in the middle of the sweep, the largest names around it; levels beside the index.
    order = [path.rpartition("/")[2].removesuffix(".json") for path in server.order]
    chains = [name for name in order if name != "all_us_indices"]
    assert chains == ["BRK.B", "AAPL", "SPY", "NVDA", "MSFT"]
    # A beat each second, all of the delayed clock.
    assert sink.beats == sorted(set(sink.beats))
    assert len(sink.beats) >= 49
    reading = sink.readings[0]
    assert reading.coverage == 1.0
    assert reading.index_vol is not None
    assert reading.implied_correlation is not None
    assert reading.mode == "delayed"


async def test_the_recorded_sweeps_give_the_same_readings(tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    async with cboe(tmp_path, eastern(MONDAY, 10, 14, 30), record=folder) as (
        running,
        _,
        sink,
        market,
        settings,
    ):
        for turn in range(3):
            market.shift = 0.01 * turn
            await running.seconds(60)
    quotes, ticks = sorted(folder.glob("quotes*")), sorted(folder.glob("ticks*"))
    assert quotes
    assert ticks
    feed = open_feed(quotes, ticks, None, market_of(settings), (1, 1), Topics())
    readings, _ = expected(settings, feed.records(), 1)
    assert len(readings) >= 3
    live = {one["ts_event"]: one for one in map(_comparable, sink.readings)}
    assert readings == [live[one["ts_event"]] for one in readings]
    assert len({one["index_vol"] for one in readings}) >= 3


def _comparable(reading: Any) -> dict[str, Any]:
    return comparable_reading(encode_reading(reading))
