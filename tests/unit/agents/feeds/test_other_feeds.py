"""Massive's format, and files as a feed."""

from pathlib import Path

import numpy as np
import pytest

from agents.replay.inputs import open_feed
from config.errors import ConfigError
from config.market import market_of
from streams.reading import encode_reading
from streams.records import NS, Quotes
from streams.topics import Topics
from tests.support import dbn_bytes
from tests.support.cboe_market import cboe
from tests.support.feed_run import MONDAY, MonitorSink, eastern, feed_settings, played
from tests.support.massive_market import MassiveMarket
from tests.support.monitor import comparable_reading, expected
from tests.support.played_clock import PlayedClock
from tests.support.vendor_documents import cboe_options
from tests.support.vendor_server import VendorServer, closes_after, says

START = eastern(MONDAY, 10, 15)


async def test_chains_of_massive_page_by_page(tmp_path: Path) -> None:
    clock = PlayedClock(START)
    market = MassiveMarket(clock)
    async with VendorServer(lambda _: None) as server:
        server.always = market
        feed = {"massive": {"host": server.url}, "period": 60.0, "key": "sesame"}
        settings = feed_settings(tmp_path, ("NVDA",), feed=feed | {"requests_per_second": 50.0})
        sink = MonitorSink(settings, clock)
        async with played(settings, clock, sink, name="massive") as running:
            await running.seconds(50)
            quotes = next(one for one in sink.rows if isinstance(one, Quotes))
            read = [
                one
                for name in ("SPY", "NVDA")
                for one in cboe_options(name)
                if one["option"][-15:-9] != f"{MONDAY:%y%m%d}"
            ]
            assert quotes.strike.size == len(read)
            assert sink.readings[0].coverage == 1.0
        market.quoted = False
        async with played(settings, clock, sink, name="massive") as running:
            with pytest.raises(ConfigError, match="the plan of this key holds no quotes"):
                await running.seconds(30)
        denied = feed_settings(tmp_path, ("NVDA",), feed=feed | {"key": "other"})
        async with played(denied, clock, sink, name="massive") as running:
            with pytest.raises(ConfigError, match=r"401.*feed\.key"):
                await running.seconds(30)


async def test_what_massive_does_wrong_is_counted_and_nothing_is_invented(tmp_path: Path) -> None:
    clock = PlayedClock(START)
    market = MassiveMarket(clock)
    market.undefined = 10
    half = b'{"status": "OK", "results": [{"details": {"tick'
    market.faults += [says(503), says(429, Retry_After="2"), closes_after(half * 9)]
    async with VendorServer(lambda _: None) as server:
        server.always = market
        feed = {"massive": {"host": server.url}, "period": 60.0, "key": "sesame"}
        settings = feed_settings(tmp_path, ("NVDA",), feed=feed | {"requests_per_second": 50.0})
        sink = MonitorSink(settings, clock)
        async with played(settings, clock, sink, name="massive") as running:
            metrics = running.service.metrics
            await running.seconds(50)
            (quotes,) = [one for one in sink.rows if isinstance(one, Quotes)]
            assert {one.underlying for one in quotes.series} == {"SPY", "NVDA"}
            assert (metrics.requests["failed"], metrics.requests["limited"]) == (2, 1)
            pages = metrics.requests["ok"]
            assert metrics.rows["time"] == 6 * pages
            assert metrics.examples["time"].endswith("has no time")
            assert metrics.rows["price"] + metrics.rows["expiry_window"] >= 2 * pages
            assert quotes.bid.max() < 1000
            assert sink.readings[0].index_vol is not None
            # One page of a chain is none: the chain is left out, the others are published.
            market.faults += [says(200, half), says(200, b"<html>One moment</html>")]
            await running.seconds(60)
            assert (metrics.rows["malformed"], metrics.rows["html"]) == (1, 1)
            answer = running.service.probe("/readyz", "verbose")
            assert answer is not None
            assert "One moment" in answer.body.decode()
            await running.seconds(60)
            last = next(one for one in reversed(sink.rows) if isinstance(one, Quotes))
            assert {one.underlying for one in last.series} == {"SPY", "NVDA"}
    assert {key[1] for key in sink.pipeline.counts} & {"late", "future", "unknown"} == set()


async def test_recorded_files_as_a_feed(tmp_path: Path) -> None:
    folder = tmp_path / "recorded"
    async with cboe(tmp_path, START, record=folder) as (running, _, _, _, _):
        await running.seconds(100)
    files = {
        "quotes": tuple(sorted(folder.glob("quotes*"))),
        "ticks": tuple(sorted(folder.glob("ticks*"))),
    }
    settings = feed_settings(tmp_path, mode="replay", feed={"replay": files})
    clock = PlayedClock(START)
    sink = MonitorSink(settings, clock)
    async with played(settings, clock, sink, name="replay") as running:
        await running.work
    market = market_of(settings)
    feed = open_feed(files["quotes"], files["ticks"], None, market, (1, 1), Topics())
    readings, _ = expected(settings, feed.records(), 1)
    assert [comparable_reading(encode_reading(one)) for one in sink.readings] == readings
    assert len(readings) >= 2


async def test_a_dbn_file_as_a_feed_is_its_backtest(tmp_path: Path) -> None:
    known = dbn_bytes.contracts(["SPY", "NVDA"])
    numbers = np.arange(1, 1 + len(known), dtype=np.uint32)
    bid, ask = (np.array([pair[at] for pair in known.values()]) for at in (0, 1))
    boards = [
        dbn_bytes.quotes(
            numbers, np.full(numbers.size, START + second * NS), bid, ask + second / 100
        )
        for second in (1, 2, 4)
    ]
    file = tmp_path / "day.dbn"
    file.write_bytes(dbn_bytes.head(dict(enumerate(known, 1)), MONDAY) + b"".join(boards))
    feed = {"replay": {"quotes": (file,)}}
    settings = feed_settings(tmp_path, ("NVDA",), mode="replay", feed=feed)
    clock = PlayedClock(START)
    sink = MonitorSink(settings, clock)
    async with played(settings, clock, sink, name="replay") as running:
        await running.work
    files = open_feed((file,), (), None, market_of(settings), (1, 1), Topics())
    readings, _ = expected(settings, files.records(), 1)
    assert [comparable_reading(encode_reading(one)) for one in sink.readings] == readings
    assert len({one["index_vol"] for one in readings}) == 3
