"""Files as a feed: what was recorded, or any files that `backtest` reads, by their own clock."""

from collections.abc import AsyncIterator
from time import monotonic

from agents.feeds.contract import Feed, FeedItem, Host, Wanted
from config.errors import ConfigError
from config.feed_settings import ReplayFeedSettings
from streams.records import NS, Heartbeat
from streams.sources.registry import open_quotes, open_ticks
from streams.sources.source import Source, SourceUniverse, in_time_order

JUMP_NS = 3600 * NS
"""A gap between two seconds that is jumped over."""


async def replay(config: ReplayFeedSettings, wanted: Wanted, host: Host) -> AsyncIterator[FeedItem]:
    """Second by second, each followed by its heartbeat."""
    if not config.quotes and not config.ticks:
        raise ConfigError("no files", key="feed.replay.quotes", fix="name files of quotes")
    names = frozenset((*wanted.indices, *wanted.names))
    universe = SourceUniverse(names, names | frozenset(wanted.levels))
    sources: list[Source] = [open_quotes(path) for path in config.quotes]
    sources += [open_ticks(path) for path in config.ticks]
    before, played, began = 0, 0, monotonic()
    for boundary, batches in in_time_order(sources, universe):
        passed = boundary - before if before and boundary - before <= JUMP_NS else 0
        played += passed
        before = boundary
        if config.speed:
            ahead = played / NS / config.speed - (monotonic() - began)
            await host.sleep(max(0.0, ahead))
        for batch in batches:
            yield batch.rows
        yield Heartbeat(boundary)


FEED = Feed(
    open=replay,
    config=ReplayFeedSettings,
    mode="replay",
    about="files of quotes and prices, recorded or others",
    needs="feed.replay.quotes",
)
