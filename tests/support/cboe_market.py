"""Cboe's format on a played clock: a server whose documents are made at the clock's time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from config.settings import Settings
from tests.support.feed_run import NAMES, MonitorSink, PlayedFeed, feed_settings, played
from tests.support.played_clock import PlayedClock
from tests.support.vendor_documents import cboe_chain, cboe_levels, cboe_options, moment
from tests.support.vendor_server import VendorServer

BASE = "/api/global/delayed_quotes"


def chain_path(name: str) -> str:
    """Where a chain stands."""
    return f"{BASE}/options/{name}.json"


class CboeMarket:
    """What the server shows: made at the clock's time unless it stands still."""

    def __init__(self, clock: PlayedClock) -> None:
        self.clock = clock
        self.still: dict[str, int] = {}
        self.shift = 0.0
        self.weeks = 0
        """How much later than in the samples everything expires."""

    def __call__(self, path: str) -> bytes | None:
        name = path.rpartition("/")[2].removesuffix(".json")
        at = moment(self.still.get(name, self.clock.now))
        if path == f"{BASE}/quotes/all_us_indices.json":
            return cboe_levels(at)
        if path.startswith(f"{BASE}/options/") and name in {"SPY", *NAMES}:
            options = cboe_options(name)
            if self.weeks:
                options = [{**one, "option": later(one["option"], self.weeks)} for one in options]
            if self.shift:
                options = [{**one, "ask": round(one["ask"] + self.shift, 2)} for one in options]
            return cboe_chain(name, at, options)
        return None


def later(symbol: str, weeks: int) -> str:
    """The option that expires some weeks later."""
    expiry = datetime.strptime(symbol[-15:-9], "%y%m%d") + timedelta(weeks=weeks)
    return f"{symbol[:-15]}{expiry:%y%m%d}{symbol[-9:]}"


@asynccontextmanager
async def cboe(
    folder: Path, start: int, *, redirect: bool = False, names: Any = NAMES, **more: Any
) -> AsyncIterator[tuple[PlayedFeed, VendorServer, MonitorSink, CboeMarket, Settings]]:
    clock = PlayedClock(start)
    market = CboeMarket(clock)
    async with VendorServer(market, redirect=redirect) as server:
        feed = {"cboe": {"accept_terms": True, "host": server.url}, "period": 60.0}
        settings = feed_settings(folder, names, feed=feed | more.pop("feed", {}))
        sink = MonitorSink(settings, clock)
        async with played(settings, clock, sink, **more) as running:
            yield running, server, sink, market, settings
