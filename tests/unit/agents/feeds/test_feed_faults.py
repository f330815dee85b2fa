"""What a source does wrong, played by a local server: counted, named, nothing invented."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from agents.feeds.contract import Feed, FeedItem, Host, Wanted
from agents.feeds.sinks import Rows
from config.errors import ConfigError
from streams.records import NS, Quotes, Ticks
from tests.support.cboe_market import BASE, cboe, chain_path
from tests.support.feed_run import (
    MONDAY,
    NAMES,
    MonitorSink,
    PlayedFeed,
    eastern,
    feed_settings,
    played,
)
from tests.support.played_clock import PlayedClock
from tests.support.vendor_documents import cboe_chain, cboe_levels, cboe_options, moment
from tests.support.vendor_server import (
    Fault,
    closes_after,
    cut_gzip,
    hangs_up,
    says,
    says_nothing,
)

MORNING = eastern(MONDAY, 10, 15)
NVDA, MSFT = chain_path("NVDA"), chain_path("MSFT")


def rows(running: PlayedFeed, reason: str) -> int:
    return running.service.metrics.rows[reason]


def ready(running: PlayedFeed) -> tuple[int, str]:
    answer = running.service.probe("/readyz", "verbose")
    assert answer is not None
    return answer.code, answer.body.decode()


def names_of(items: Sequence[Rows]) -> set[str]:
    """Underlyings of the quotes."""
    quotes = [one for one in items if isinstance(one, Quotes)]
    return {series.underlying for one in quotes for series in one.series}


class NoConfig(msgspec.Struct):
    """Of a feed without keys."""


async def test_documents_that_are_none_are_named_and_the_rest_is_published(tmp_path: Path) -> None:
    whole = cboe_chain("AAPL", moment(MORNING))
    cents = [
        {**one, "bid": (one["bid"] or 0) * 100, "ask": one["ask"] * 100}
        for one in cboe_options("MSFT")
    ]
    async with cboe(tmp_path, MORNING) as (running, server, sink, _, _):
        server.faults[NVDA].append(says(200, b"<!DOCTYPE html><title>One moment</title>"))
        server.faults[chain_path("AAPL")].append(says(200, whole[: len(whole) // 2]))
        server.faults[MSFT].append(says(200, cboe_chain("MSFT", moment(MORNING), cents)))
        await running.seconds(50)
        assert [rows(running, one) for one in ("html", "malformed", "units")] == [1, 1, 1]
        quotes = next(one for one in sink.rows if isinstance(one, Quotes))
        assert {one.underlying for one in quotes.series} == {"SPY", "BRK.B"}
        words = ready(running)[1]
        assert "One moment" in words
        assert "are they in cents?" in words
        await running.seconds(60)
        last = next(one for one in reversed(sink.rows) if isinstance(one, Quotes))
        assert {one.underlying for one in last.series} == {"SPY", *NAMES}
        assert ready(running)[0] == 200
    assert {key[1] for key in sink.pipeline.counts} & {"late", "future", "unknown"} == set()


@pytest.mark.parametrize(("factor", "priced"), [(100, True), (1000, True), (100, False)])
async def test_prices_in_another_unit_are_said_and_not_published(
    tmp_path: Path, factor: int, *, priced: bool
) -> None:
    scaled = [
        {**one, "bid": (one["bid"] or 0) * factor, "ask": one["ask"] * factor}
        for one in cboe_options("MSFT")
    ]
    async with cboe(tmp_path, MORNING) as (running, server, sink, _, _):
        document = cboe_chain("MSFT", moment(MORNING), scaled, priced=priced)
        server.faults[MSFT].append(says(200, document))
        levels = cboe_levels(moment(MORNING), {"VIX": 17.25 * factor, "COR1M": 8.4})
        server.faults[f"{BASE}/quotes/all_us_indices.json"].append(says(200, levels))
        await running.seconds(50)
        assert rows(running, "units") == 1
        assert names_of(sink.rows) == {"SPY", "NVDA", "AAPL", "BRK.B"}
        words = ready(running)[1]
        assert "are they in cents?" in words
        assert f"VIX: {17.25 * factor}, of a level in points" in words
        (ticks,) = [one for one in sink.rows if isinstance(one, Ticks)]
        assert {"VIX", "COR1M"} & set(ticks.symbols) == {"COR1M"}
        await running.seconds(60)
        assert names_of(sink.rows[-2:]) == {"SPY", *NAMES}


async def test_a_server_that_takes_connections_and_says_nothing(tmp_path: Path) -> None:
    async with cboe(tmp_path, MORNING, patience=0.5) as (running, server, sink, _, _):
        await running.seconds(20)
        server.faults[NVDA].append(says_nothing)
        await running.seconds(60)
        # Once is nothing: it is asked again.
        assert rows(running, "published") == 2 * sum(one.ts_event.size for one in sink.rows[:2])
        server.always = says_nothing
        begun, beats = running.clock.now, len(sink.beats)
        before = len(sink.rows)
        await running.seconds(200)
        assert len(sink.rows) == before
        assert len(sink.beats) - beats >= 195
        assert sink.beats[-1] >= begun + 195 * NS - 900 * NS
        code, words = ready(running)
        assert code == 503
        assert "takes the connection and does not answer" in words
        assert running.service.runner.names.counts["stale"] == 5
        server.always = None
        await running.seconds(180)
        assert ready(running)[0] == 200
    assert {key[1] for key in sink.pipeline.counts} & {"late", "future"} == set()


async def test_a_connection_that_is_closed_in_good_order(tmp_path: Path) -> None:
    whole = cboe_chain("MSFT", moment(MORNING))
    async with cboe(tmp_path, MORNING) as (running, server, sink, _, _):
        server.faults[MSFT].append(closes_after(whole))
        await running.seconds(50)
        assert running.service.metrics.requests["failed"] == 1
        assert server.asked[MSFT] == 2
        assert names_of(sink.rows) == {"SPY", *NAMES}


async def test_a_feed_that_ends_is_started_anew(tmp_path: Path) -> None:
    """Its library returns when the server has closed the connection in good order."""
    opened: list[int] = []

    async def ends(_config: object, wanted: Wanted, host: Host) -> AsyncIterator[FeedItem]:
        opened.append(host.now())
        for _ in range(3):
            one = np.array([host.market_time()])
            code, nothing = np.zeros(1, np.int32), np.zeros(1)
            yield Ticks(("VIX",), code, np.array([17.25]), nothing, one, one)
            await host.sleep(1)

    settings = feed_settings(tmp_path, mode="live")
    clock = PlayedClock(MORNING)
    sink = MonitorSink(settings, clock)
    feed = Feed(ends, NoConfig, "live", "ends")
    async with played(settings, clock, sink, name="ends", feed=feed) as running:
        await running.seconds(3.5)
        code, words = ready(running)
        assert (code, len(opened)) == (503, 1)
        assert "the source has ended the connection" in words
        assert running.service.registry.get_sample_value(
            "dispersion_feed_gaps_total", {"feed": "ends", "reason": "ended"}
        )
        await running.seconds(30)
        assert len(opened) > 3
        waits = np.diff(opened) / NS
        assert waits[-1] > waits[0]
    stamps = [one for item in sink.rows for one in item.ts_event.tolist()]
    assert stamps == sorted(set(stamps))
    assert len(sink.beats) >= 33


async def test_answers_that_fail_are_asked_for_again(tmp_path: Path) -> None:
    whole = cboe_chain("MSFT", moment(MORNING))
    async with cboe(tmp_path, MORNING, redirect=True) as (running, server, sink, _, _):
        server.faults[NVDA] += [says(503), hangs_up]
        server.faults[MSFT] += [cut_gzip(whole)]
        server.faults[chain_path("AAPL")] += [says(404)]
        await running.seconds(55)
        (quotes,) = [one for one in sink.rows if isinstance(one, Quotes)]
        assert {one.underlying for one in quotes.series} == {"SPY", "NVDA", "BRK.B"}
        requests = running.service.metrics.requests
        assert (requests["forbidden"], requests["malformed"]) == (1, 1)
        # The client itself asks once more where a kept connection is closed under it.
        assert requests["failed"] >= 1
        assert server.asked[NVDA] == 3
        await running.seconds(60)
        last = next(one for one in reversed(sink.rows) if isinstance(one, Quotes))
        assert {one.underlying for one in last.series} == {"SPY", *NAMES}


@pytest.mark.parametrize(("header", "seconds"), [({"Retry_After": "40"}, 40), ({}, 30)])
async def test_a_limit_is_waited_for_and_the_refresh_stretched(
    tmp_path: Path, header: dict[str, str], seconds: int
) -> None:
    async with cboe(tmp_path, MORNING, feed={"period": 20.0}) as (running, server, sink, _, _):
        server.faults[NVDA] += [says(429, b"", **header)]
        await running.seconds(15)
        code, words = ready(running)
        assert code == 503
        assert "HTTP 429" in words
        await running.seconds(seconds)
        quotes = next(one for one in sink.rows if isinstance(one, Quotes))
        assert len({one.underlying for one in quotes.series}) == 5
        assert quotes.refresh_seconds == seconds + 10.0
        await running.seconds(30)
        last = next(one for one in reversed(sink.rows) if isinstance(one, Quotes))
        assert last.refresh_seconds == 20.0
        assert ready(running)[0] == 200
        # The market's time passed all along.
        assert len(sink.beats) > seconds


async def test_a_document_that_stands_still_turns_its_name_stale(tmp_path: Path) -> None:
    async with cboe(tmp_path, MORNING) as (running, _, sink, market, _):
        market.still["MSFT"] = MORNING - 1800 * NS
        await running.seconds(20)
        assert rows(running, "stale_document") == 1
        market.still = {"NVDA": MORNING}
        await running.seconds(600)
        assert rows(running, "unchanged") >= 1
        assert running.service.runner.names.counts == {"fresh": 4, "stale": 1, "missing": 0}
        code, words = ready(running)
        assert code == 503
        assert "NVDA" in words
        coverage = sink.readings[-1].coverage
        assert coverage is not None
        assert coverage < 0.9
        del market.still["NVDA"]
        await running.seconds(120)
        assert ready(running)[0] == 200
        assert sink.readings[-1].coverage == 1.0


@pytest.mark.parametrize("fault", [hangs_up, says(500), says(403)])
async def test_a_source_away_for_ten_minutes(tmp_path: Path, fault: Fault) -> None:
    async with cboe(tmp_path, MORNING) as (running, server, sink, _, _):
        await running.seconds(20)
        beats = len(sink.beats)
        server.always = fault
        await running.seconds(600)
        assert len(sink.beats) - beats >= 595
        assert ready(running)[0] == 503
        assert running.service.runner.names.counts["stale"] == 5
        # The monitor's clock went on, and what is old is told as old.
        stale = sink.readings[-1]
        assert (stale.index_vol, stale.coverage) == (None, 0.0)
        assert set(stale.reasons.values()) >= {"stale"}
        server.always = None
        await running.seconds(180)
        assert ready(running)[0] == 200
        assert sink.readings[-1].coverage == 1.0
        assert sink.readings[-1].index_vol is not None
    assert {key[1] for key in sink.pipeline.counts} & {"late", "future"} == set()


@pytest.mark.parametrize("seconds", [3600, -3600])
async def test_a_clock_that_jumps_is_not_followed(tmp_path: Path, seconds: int) -> None:
    async with cboe(tmp_path, MORNING) as (running, _, sink, _, _):
        await running.seconds(20)
        running.clock.off = seconds * NS
        await running.seconds(120)
        assert running.clock.now - sink.beats[-1] < 902 * NS
        code, words = ready(running)
        assert code == 503
        assert f"jumped by {seconds:+} s" in words
        assert running.service.registry.get_sample_value(
            "dispersion_feed_gaps_total", {"feed": "cboe", "reason": "clock"}
        )
        running.clock.off = 0
        await running.seconds(70)
        assert ready(running)[0] == 200
        assert sink.beats == sorted(sink.beats)


async def test_without_terms_nothing_is_asked(tmp_path: Path) -> None:
    refused = {"cboe": {"accept_terms": False, "host": "http://127.0.0.1:9"}}
    async with cboe(tmp_path, MORNING, feed=refused) as (running, server, sink, _, _):
        with pytest.raises(ConfigError, match=r"accept_terms.*approval"):
            await running.seconds(50)
        assert not server.asked
        assert not sink.rows


async def test_names_that_the_publisher_does_not_have(tmp_path: Path) -> None:
    names = (*NAMES, "ZZZZ")
    async with cboe(tmp_path, MORNING, names=names) as (running, server, sink, _, _):
        await running.seconds(50)
        assert server.asked[f"{BASE}/options/ZZZZ.json"] == 1
        assert running.service.runner.names.counts == {"fresh": 5, "stale": 0, "missing": 1}
        assert sink.readings[0].index_vol is not None
    await asyncio.sleep(0)
