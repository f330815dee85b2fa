from collections.abc import AsyncIterator

import msgspec
import numpy as np

from agents.feeds.contract import Feed, FeedItem, Host, Wanted
from streams.records import Heartbeat, Ticks


class MineConfig(msgspec.Struct, forbid_unknown_fields=True):
    delay: float = 0.0
    url: str = "http://127.0.0.1:8000/vix"


async def mine(config: MineConfig, wanted: Wanted, host: Host) -> AsyncIterator[FeedItem]:
    async for sweep in host.sweeps():
        body = await host.get(config.url)
        if body is not None:
            at = np.array([host.market_time()])
            code, size = np.zeros(1, np.int32), np.zeros(1)
            yield Ticks(("VIX",), code, np.array([float(body)]), size, at, at, sweep.refresh)
            yield Heartbeat(host.market_time())


FEED = Feed(mine, MineConfig, "live", "the VIX of our own server")
