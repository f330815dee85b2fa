"""A feed on a played clock: what it published, and what the monitor makes of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, time
from pathlib import Path
from typing import Any

from agents.feeds.contract import Feed, Wanted
from agents.feeds.feed_service import FeedPlan, FeedService
from agents.feeds.registry import feed_config, find_feed, wanted_of
from agents.feeds.sinks import FeedSink, Rows
from config.market import market_of
from config.rules import load_rules
from config.settings import Settings
from streams.calendar.sessions import wall_ns
from streams.framing.framing import BEAT_HEADERS, Framer, beat_value
from streams.framing.partitioner import partition_of
from streams.framing.tick_frames import tick_frames
from streams.pipeline import Pipeline
from streams.reading import Reading
from streams.records import NS, InputRecord, Ticks
from streams.stage import Message
from streams.topics import Topics
from tests.support.played_clock import CountedSink, CountedSource, PlayedClock

NAMES = ("NVDA", "AAPL", "MSFT", "BRK.B")
MONDAY = date(2026, 7, 13)


def feed_settings(folder: Path, names: Sequence[str] = NAMES, **sections: Any) -> Settings:
    """SPY on a small basket, in delayed mode."""
    basket = folder / "few.toml"
    rows = (
        f'[[constituents]]\nsymbol = "{name}"\nweight = {len(names) - at}\n'
        for at, name in enumerate(names)
    )
    basket.write_text("".join(rows))
    values: dict[str, Any] = {
        "mode": "delayed",
        "market": {"indices": [{"symbol": "SPY", "basket": str(basket), "tenors": [30]}]},
    }
    return Settings(**(values | sections))


def eastern(day: date, hour: int, minute: int = 0, second: int = 0) -> int:
    """New York, ns."""
    return wall_ns(day, time(hour, minute, second))


class MonitorSink:
    """Frames as Kafka would have them, handed to the stages in this process."""

    def __init__(self, settings: Settings, clock: PlayedClock) -> None:
        rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
        self._clock = clock
        self._topics = Topics(settings.kafka.topic_prefix)
        self.pipeline = Pipeline(market_of(settings), rules, 1, 1, self._topics)
        self._framer = Framer(1, partition_of)
        self._offset = 0
        self.readings: list[Reading] = []
        self.events: list[Any] = []
        self.rows: list[Rows] = []
        self.beats: list[int] = []
        self._told = 0

    async def add(self, rows: Rows) -> None:
        self.rows.append(rows)
        if isinstance(rows, Ticks):
            self._process(list(tick_frames(rows, 1, partition_of)))
        else:
            self._process(self._framer.add(rows))

    async def beat(self, ts_event: int) -> None:
        """Kafka would have each; the stages get those that follow rows, and some of the others."""
        self.beats.append(ts_event)
        newest = int(self.rows[-1].ts_event.max()) if self.rows else 0
        quiet = newest <= self._told and ts_event - self._told < 30 * NS
        if quiet and ts_event % (900 * NS):
            return
        self._told = ts_event // NS * NS
        ticks = Message("ticks", None, beat_value(ts_event), BEAT_HEADERS, 0)
        self._process([*self._framer.beat(ts_event), ticks])

    async def flush(self) -> None:
        self._process(self._framer.flush())

    async def close(self) -> None:
        pass

    def _process(self, messages: Sequence[Message]) -> None:
        records = []
        for message in messages:
            self._offset += 1
            place = self._topics.name(message.role), message.partition or 0, self._offset
            published = self._clock.wall() // 1_000_000
            records.append(InputRecord(*place, published, None, message.value, message.headers))
        for made in self.pipeline.process(records):
            if isinstance(made, Reading):
                self.readings.append(made)
            else:
                self.events.append(made)


class PlayedFeed:
    """A service under way."""

    def __init__(self, service: FeedService, clock: PlayedClock) -> None:
        self.service = service
        self.clock = clock
        self.work = asyncio.create_task(service.run())

    async def until(self, at: int) -> None:
        """Play to a time; what has failed is raised."""
        await self.clock.play(at, self.work)
        if self.work.done():
            self.work.result()

    async def seconds(self, count: float) -> None:
        await self.until(self.clock.now + round(count * 1e9))

    async def stop(self) -> None:
        self.work.cancel()
        await asyncio.gather(self.work, return_exceptions=True)


@asynccontextmanager
async def played(
    settings: Settings,
    clock: PlayedClock,
    sink: FeedSink,
    *,
    name: str = "cboe",
    feed: Feed | None = None,
    config: Any = None,
    wanted: Wanted | None = None,
    patience: float = 5.0,
    **plan: Any,
) -> AsyncIterator[PlayedFeed]:
    """A feed that runs until the end of the block."""
    chosen = feed or find_feed(settings, name)[1]
    made = FeedPlan(
        name,
        chosen,
        config if config is not None else feed_config(settings, name, chosen),
        wanted or wanted_of(market_of(settings)),
        **plan,
    )
    service = FeedService(
        settings,
        made,
        clock=clock,
        source=CountedSource(clock, patience),
        sink=CountedSink(clock, sink),
    )
    running = PlayedFeed(service, clock)
    try:
        yield running
    finally:
        await running.stop()
