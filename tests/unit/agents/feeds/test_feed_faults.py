"""What a source does wrong, played by a local server: counted, named, nothing invented."""

import asyncio
from pathlib import Path

import pytest

from config.errors import ConfigError
from streams.records import NS, Quotes
from tests.support.cboe_market import BASE, cboe, chain_path
from tests.support.feed_run import MONDAY, NAMES, PlayedFeed, eastern
from tests.support.vendor_documents import cboe_chain, cboe_options, moment
from tests.support.vendor_server import cut_gzip, hangs_up, says

MORNING = eastern(MONDAY, 10, 15)
NVDA, MSFT = chain_path("NVDA"), chain_path("MSFT")


def rows(running: PlayedFeed, reason: str) -> int:
    return running.service.metrics.rows[reason]


def ready(running: PlayedFeed) -> tuple[int, str]:
    answer = running.service.probe("/readyz", "verbose")
    assert answer is not None
    return answer.code, answer.body.decode()


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


async def test_a_source_away_for_ten_minutes(tmp_path: Path) -> None:
    async with cboe(tmp_path, MORNING) as (running, server, sink, _, _):
        await running.seconds(20)
        beats = len(sink.beats)
        server.always = hangs_up
        await running.seconds(600)
        assert len(sink.beats) - beats >= 595
        assert ready(running)[0] == 503
        assert running.service.runner.names.counts["stale"] == 5
        server.always = None
        await running.seconds(180)
        assert ready(running)[0] == 200
        assert sink.readings[-1].coverage == 1.0
    assert {key[1] for key in sink.pipeline.counts} & {"late", "future"} == set()


async def test_a_clock_that_jumps_is_not_followed(tmp_path: Path) -> None:
    async with cboe(tmp_path, MORNING) as (running, _, sink, _, _):
        await running.seconds(20)
        running.clock.off = 3600 * NS
        await running.seconds(120)
        assert running.clock.now - sink.beats[-1] < 902 * NS
        code, words = ready(running)
        assert code == 503
        assert "jumped by +3600 s" in words
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
