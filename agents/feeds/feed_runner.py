"""A feed at work: its items published in order, heartbeats, sessions, and starts anew."""

import asyncio
import logging
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final

from agents.feeds.contract import DeniedError, Feed, FeedItem, Wanted
from agents.feeds.feed_host import FeedHost, backoff
from agents.feeds.feed_metrics import PUBLISHED, FeedMetrics
from agents.feeds.name_states import NameStates
from agents.feeds.order_guard import OrderGuard
from agents.feeds.recording import Recorder
from agents.feeds.sinks import FeedSink, Rows
from agents.process.exits import ActionNeededError, UnavailableError
from config.errors import ConfigError
from streams.calendar.sessions import EASTERN, close_ns, next_session, open_ns, session_of
from streams.records import NS, Heartbeat
from streams.sources.source_error import SourceError

CLOSED_LOOK: Final = 30.0
"""Seconds between looks at the clock while the market is closed."""
FAR: Final = 2**62
WELL_SECONDS: Final = 60.0
"""A feed that gave items for so long begins its back-off at the start again."""

log = logging.getLogger(__name__)


class FeedRunner:
    """One feed, session after session."""

    def __init__(
        self,
        feed: Feed,
        config: Any,
        wanted: Wanted,
        host: FeedHost,
        sink: FeedSink,
        metrics: FeedMetrics,
        recorder: Recorder | None = None,
    ) -> None:
        self._feed = feed
        self._config = config
        self._wanted = wanted
        self._host = host
        self._sink = sink
        self._metrics = metrics
        self._recorder = recorder
        self._guard = OrderGuard(wanted.indices, wanted.levels, host.drop)
        self._names = NameStates((*wanted.indices, *wanted.names), metrics)
        self._own_clock = feed.mode == "replay"
        self._item_at = host.now()
        self.in_session = False
        self.beat_at = host.now()
        """When the last heartbeat was published."""
        self.looked_at = host.now()
        """When the loop last did anything."""

    @property
    def names(self) -> NameStates:
        """How fresh each underlying is."""
        return self._names

    async def run(self) -> None:
        """Work until the feed has no more or the task is cancelled.

        Raises `DeniedError`, `ActionNeededError`.
        """
        try:
            if self._host.once or self._own_clock:
                await self._consume()
                if not self._own_clock:
                    await self._beat(self._host.market_time() // NS * NS)
                return
            while True:
                close = await self._until_open()
                await self._session(close)
        finally:
            await self._end()

    async def _until_open(self) -> int:
        """Wait for the session that is open or comes next; its close."""
        told = False
        while True:
            now = self._host.market_time()
            day = session_of(now)
            if day is not None and open_ns(day) <= now < close_ns(day):
                return close_ns(day)
            begins = next_open(now)
            self.looked_at = self._host.now()
            if not told:
                log.info(
                    "the market is closed; the next quotes are in %.1f h", (begins - now) / 3.6e12
                )
                told = True
            await self._host.sleep(min(CLOSED_LOOK, (begins - now) / NS))

    async def _session(self, close: int) -> None:
        """Publish until the close, and then say that nothing follows."""
        self.in_session = True
        self._metrics.open.set(1)
        self.beat_at = self._host.now()
        self._metrics.last_beat.set(self.beat_at / NS)
        self._names.begin(self._host.market_time())
        work = asyncio.create_task(self._consume())
        beats = asyncio.create_task(self._beats(close))
        try:
            await asyncio.wait([work, beats], return_when=asyncio.FIRST_COMPLETED)
            for task in (work, beats):
                if task.done():
                    task.result()
        finally:
            for task in (work, beats):
                task.cancel()
            await asyncio.gather(work, beats, return_exceptions=True)
            self.in_session = False
            self._metrics.open.set(0)
        await self._beat(close)
        await self._reached(self._sink.flush())
        if self._recorder is not None:
            self._recorder.close()
        log.info("the session has closed")

    async def _consume(self) -> None:
        """Run the feed's generator, and run it anew when it fails or ends."""
        attempt = 0
        while True:
            begun = self._host.now()
            reason = "ended"
            try:
                async with aclosing(self._opened()) as items:
                    async for item in items:
                        await self._take(item)
                        self._host.troubles.pop("feed", None)
            except (DeniedError, ActionNeededError, ConfigError, SourceError):
                raise
            except Exception as error:  # noqa: BLE001 - a feed may raise whatever its library does
                reason = "failed"
                self._host.troubles["feed"] = f"{type(error).__name__}: {error}"
                log.warning("the feed failed: %r", error)
            else:
                if self._host.once or self._own_clock:
                    return
                self._host.troubles["feed"] = "the source has ended the connection"
            self._metrics.connected.set(0)
            self._host.gap(reason, self._item_at)
            if self._host.once:
                raise UnavailableError(f"the feed gave nothing: {self._host.troubles['feed']}")
            if self._host.now() - begun > WELL_SECONDS * NS:
                attempt = 0
            await self._host.sleep(backoff(attempt))
            attempt += 1

    def _opened(self) -> Any:
        """The feed's generator; the contract asks for no more than an iterator."""
        items = self._feed.open(self._config, self._wanted, self._host)
        return items if hasattr(items, "aclose") else _closable(items)

    async def _take(self, item: FeedItem) -> None:
        now = self._host.now()
        self._item_at = self.looked_at = now
        if isinstance(item, Heartbeat):
            if self._own_clock or item.ts_event <= self._host.market_time():
                await self._beat(item.ts_event)
            return
        if item.ts_event.size:
            self._host.newest = max(self._host.newest, int(item.ts_event.max()))
        market_time = FAR if self._own_clock else self._host.market_time()
        if self._host.doubted and item.ts_event.size:
            self._host.confirm(int(item.ts_event.max()) + now - self._host.market_time())
        rows = self._guard.passed(item, market_time)
        if rows is not None:
            await self._publish(rows)

    async def _publish(self, rows: Rows) -> None:
        if not await self._reached(self._sink.add(rows)):
            return
        self._metrics.connected.set(1)
        self._metrics.row(PUBLISHED, int(rows.ts_event.size))
        self._names.saw(rows)
        if self._recorder is not None:
            self._recorder.add(rows)

    async def _beats(self, close: int) -> None:
        """A heartbeat each second of the market's time, until the close."""
        while (now := self._host.market_time()) < close:
            await self._beat(now // NS * NS)
            self._names.judge(now)
            await self._host.sleep((NS - now % NS) / NS)

    async def _beat(self, ts_event: int) -> None:
        self.looked_at = self._host.now()
        if self._guard.promise(ts_event) and await self._reached(self._sink.beat(ts_event)):
            self.beat_at = self._host.now()
            self._metrics.last_beat.set(self.beat_at / NS)

    async def _reached(self, work: Any) -> bool:
        """Whether Kafka took it; an outage is said, and the feed goes on."""
        try:
            await work
        except UnavailableError as error:
            if self._host.once:
                raise
            if "kafka" not in self._host.troubles:
                self._host.gap("kafka", self.beat_at)
            self._host.troubles["kafka"] = str(error)
            return False
        self._host.troubles.pop("kafka", None)
        return True

    async def _end(self) -> None:
        """Everything that was taken becomes safe, if Kafka lets it."""
        try:
            await self._sink.flush()
        except UnavailableError as error:
            log.warning("stopped while Kafka was away: %s", error)
        finally:
            await self._sink.close()
            if self._recorder is not None:
                self._recorder.close()


def next_open(now: int) -> int:
    """The open of the session that begins after a time."""
    day = session_of(now)
    if day is not None and now < open_ns(day):
        return open_ns(day)
    return open_ns(next_session(datetime.fromtimestamp(now / NS, EASTERN).date()))


async def _closable(items: Any) -> Any:
    async for item in items:
        yield item
