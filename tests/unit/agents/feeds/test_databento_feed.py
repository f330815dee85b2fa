"""Databento's real client against a gateway of our own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.feeds.clock import SystemClock
from agents.feeds.feed_service import FeedPlan, FeedService
from agents.feeds.registry import feed_config, find_feed, wanted_of
from config.errors import ConfigError
from config.market import market_of
from streams.records import NS, Quotes
from tests.support import dbn_bytes
from tests.support.dbn_gateway import KEY, DbnGateway, GatewaySession
from tests.support.feed_run import MONDAY, MonitorSink, eastern, feed_settings
from tests.support.vendor_documents import cboe_options, within

NAMES = ("SPY", "NVDA", "BRK.B")
KNOWN = dbn_bytes.contracts(NAMES)
SYMBOLS = dict(enumerate(KNOWN, 1001))
NUMBER = np.array(list(SYMBOLS), np.uint32)
BID, ASK = (np.array([pair[at] for pair in KNOWN.values()]) for at in (0, 1))
READ = sum(within(cboe_options(name), MONDAY, (1, 75)) for name in NAMES)
SECONDS = 60.0


class MovedClock(SystemClock):
    """The machine's, as if it were another time; it can be put forward."""

    def __init__(self, at: int) -> None:
        self.ahead = at - time.time_ns()
        self._steady = time.monotonic_ns()
        self.skipped = 0

    def wall(self) -> int:
        return time.time_ns() + self.ahead + self.skipped

    def steady(self) -> int:
        return time.monotonic_ns() + self.skipped


class LiveFeed:
    """A service that runs against a gateway."""

    def __init__(self, service: FeedService, gateway: DbnGateway, sink: MonitorSink) -> None:
        self.service = service
        self.gateway = gateway
        self.sink = sink
        self.clock: Any = sink._clock
        self.work = asyncio.create_task(service.run())

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a condition; what has failed is raised."""
        end = time.monotonic() + SECONDS
        while not holds():
            assert time.monotonic() < end, "it never came"
            if self.work.done():
                self.work.result()
            await asyncio.sleep(0.02)

    async def session(self, number: int) -> GatewaySession:
        """The so-manieth session, once it has begun."""
        await self.until(lambda: len(self.gateway.sessions) > number)
        return self.gateway.sessions[number]

    def board(self, at: int, bid: Any = BID, ask: Any = ASK) -> bytes:
        """Every contract at a time."""
        return dbn_bytes.quotes(NUMBER, np.full(NUMBER.size, at), bid, ask)

    @property
    def quotes(self) -> list[Quotes]:
        return [one for one in self.sink.rows if isinstance(one, Quotes)]

    @property
    def rows(self) -> int:
        return sum(one.strike.size for one in self.quotes)


@asynccontextmanager
async def live(
    folder: Path,
    *,
    key: str = KEY,
    refuses: str = "",
    at: int = eastern(MONDAY, 10, 15),
    newest: int = 0,
) -> AsyncIterator[LiveFeed]:
    clock = MovedClock(at)
    async with DbnGateway(SYMBOLS, clock.wall()) as gateway:
        gateway.refuses = refuses
        # A quote that takes longer is late, and the machine may be busy.
        own = {"gateway": gateway.gateway, "delay": 4.0}
        names = ("NVDA", "BRK.B")
        feed = {"databento": own, "key": key}
        settings = feed_settings(folder, names, mode="live", feed=feed)
        chosen = find_feed(settings, "databento")[1]
        config = feed_config(settings, "databento", chosen)
        plan = FeedPlan("databento", chosen, config, wanted_of(market_of(settings)))
        sink = MonitorSink(settings, clock)  # type: ignore[arg-type]
        service = FeedService(settings, plan, clock=clock, sink=sink)
        service.host.newest = newest
        running = LiveFeed(service, gateway, sink)
        try:
            yield running
        finally:
            running.work.cancel()
            await asyncio.gather(running.work, return_exceptions=True)


async def test_quotes_come_with_their_own_times(tmp_path: Path) -> None:
    async with live(tmp_path) as feed:
        session = await feed.session(0)
        assert session.auth["dataset"] == "OPRA.PILLAR"
        assert session.auth["heartbeat_interval_s"] == "10"
        asked = session.asked[0]
        assert (asked["schema"], asked["stype_in"]) == ("cbbo-1s", "parent")
        assert sorted(asked["symbols"].split(",")) == ["BRKB.OPT", "NVDA.OPT", "SPY.OPT"]
        assert feed.clock.wall() - int(asked["start"]) == pytest.approx(60 * NS, abs=30 * NS)
        at = feed.clock.wall()
        session.send(feed.gateway.replayed(), feed.board(at), feed.gateway.beat())
        await feed.until(lambda: feed.rows >= READ)
        assert feed.rows == READ
        assert {int(one) for rows in feed.quotes for one in rows.ts_event} == {at}
        found = {one.underlying for rows in feed.quotes for one in rows.series}
        assert found >= set(NAMES)
        assert sum(float(rows.ask.sum()) for rows in feed.quotes) == pytest.approx(
            sum(pair[1] for symbol, pair in KNOWN.items() if f"{MONDAY:%y%m%d}" != symbol[6:12])
        )
        # Whole seconds apart: within one second the latter quotes would be the second's.
        await feed.until(lambda: bool(feed.sink.readings))
        assert feed.sink.readings[-1].coverage == 1.0
        later = feed.clock.wall()
        nobody = np.full(NUMBER.size, np.nan)
        session.send(feed.board(later, nobody), feed.board(-1), feed.gateway.beat())
        session.send(
            dbn_bytes.quotes(np.array([7], np.uint32), np.array([later]), BID[:1], ASK[:1])
        )
        await feed.until(lambda: feed.service.metrics.rows["instrument"] == 1)
        assert (feed.quotes[-1].bid == 0).all()
        assert feed.service.metrics.rows["time"] == READ
        assert not feed.service.host.troubles


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_a_gap_is_said_and_what_was_missed_is_asked_for(end: str, tmp_path: Path) -> None:
    async with live(tmp_path) as feed:
        session = await feed.session(0)
        at = feed.clock.wall()
        session.send(feed.gateway.replayed(), feed.board(at))
        await feed.until(lambda: feed.rows >= READ)
        feed.clock.skipped += 8 * NS
        getattr(session, end)()
        again = await feed.session(1)
        assert int(again.asked[0]["start"]) == at
        gaps = "dispersion_feed_gaps_total"
        labels = {"feed": "databento", "reason": "ended"}
        assert feed.service.registry.get_sample_value(gaps, labels) == 1
        # What is past comes at once; each contract is published as it stands now.
        missed = [feed.board(at + NS, BID, ASK + 0.01 * step) for step in (1, 2, 3)]
        again.send(*missed)
        await asyncio.sleep(0.3)
        assert feed.rows == READ, "they are past: nothing is known of now"
        again.send(feed.gateway.replayed())
        await feed.until(lambda: feed.rows >= 2 * READ)
        last = feed.quotes[-1]
        assert last.strike.size == READ
        before = sum(float(one.ask.sum()) for one in feed.quotes[:-1])
        assert last.ask.sum() == pytest.approx(before + 0.03 * READ)
        assert feed.service.metrics.rows["late"] == 0
        fresh = feed.clock.wall()
        again.send(feed.board(fresh))
        await feed.until(lambda: feed.rows >= 3 * READ)
        assert int(feed.quotes[-1].ts_event.max()) == fresh


@pytest.mark.parametrize("newest", [0, eastern(date(2026, 7, 10), 15, 59)])
async def test_what_was_quoted_before_the_open_does_not_stand_now(
    newest: int, tmp_path: Path
) -> None:
    opened = eastern(MONDAY, 9, 30)
    async with live(tmp_path, at=opened + 10 * NS, newest=newest) as feed:
        session = await feed.session(0)
        assert int(session.asked[0]["start"]) == opened


async def test_a_number_means_what_was_said_last(tmp_path: Path) -> None:
    async with live(tmp_path) as feed:
        session = await feed.session(0)
        one, other = (symbol for symbol in list(KNOWN)[-2:])
        number, at = np.array([5], np.uint32), feed.clock.wall()

        def quote(symbol: str, later: int) -> None:
            session.send(dbn_bytes.mapping(5, symbol, at))
            session.send(dbn_bytes.quotes(number, np.array([at + later]), BID[-1:], ASK[-1:]))

        session.send(feed.gateway.replayed())
        quote(one, 0)
        quote(other, 1)
        await feed.until(lambda: feed.rows >= 2)
        strikes = [strike for rows in feed.quotes for strike in rows.strike.tolist()]
        assert strikes == [int(symbol[13:]) / 1000 for symbol in (one, other)]


async def test_a_silent_gateway_is_left(tmp_path: Path) -> None:
    async with live(tmp_path) as feed:
        session = await feed.session(0)
        session.send(feed.gateway.replayed(), feed.board(feed.clock.wall()))
        await feed.until(lambda: feed.rows >= READ)
        feed.clock.skipped += 20 * NS
        await feed.session(1)
        assert "said nothing for" in feed.service.host.troubles["feed"]


@pytest.mark.parametrize(
    ("code", "text", "ends"),
    [
        (1, "no such key", "Databento refuses: no such key"),
        (5, "not in your plan", "Databento refuses: not in your plan"),
        (4, "no symbol ZZZ.OPT", ""),
        (6, "internal", ""),
        (3, "too many connections", ""),
    ],
)
async def test_what_the_gateway_says(code: int, text: str, ends: str, tmp_path: Path) -> None:
    async with live(tmp_path) as feed:
        session = await feed.session(0)
        session.send(dbn_bytes.error(feed.gateway.now, text, code))
        if ends:
            with pytest.raises(ConfigError, match=ends):
                await feed.until(lambda: False)
        elif code == 4:
            await feed.until(lambda: feed.service.metrics.rows["symbol"] == 1)
            assert feed.service.metrics.examples["symbol"] == text
        else:
            await feed.session(1)
            assert text in feed.service.host.troubles["feed"]


async def test_who_is_not_let_in(tmp_path: Path) -> None:
    async with live(tmp_path, key="db-" + "w" * 24 + "wrong") as feed:
        with pytest.raises(ConfigError, match=r"does not let this key in.*feed\.key"):
            await feed.until(lambda: False)
    async with live(tmp_path, key="") as feed:
        with pytest.raises(ConfigError, match=r"wants a key: set feed\.key"):
            await feed.until(lambda: False)
    async with live(tmp_path, refuses="too many open connections") as feed:
        await feed.until(lambda: "too many" in feed.service.host.troubles.get("feed", ""))
        feed.gateway.refuses = ""
        await feed.session(0)
