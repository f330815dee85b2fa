"""Cboe's format from a local server to the monitor, on a played clock."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.replay.inputs import open_feed
from config.market import market_of
from streams.reading import encode_reading
from streams.records import NS, Quotes, Ticks
from streams.topics import Topics
from tests.support.cboe_market import cboe
from tests.support.feed_run import MONDAY, NAMES, eastern
from tests.support.monitor import comparable_reading, expected
from tests.support.vendor_documents import cboe_options, within

DELAY = 900 * NS


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
