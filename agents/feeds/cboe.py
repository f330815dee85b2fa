"""Delayed quotes of Cboe: sweeps over all names, published together as of the end of each.

Nothing is asked until the user has accepted the publisher's terms.
"""

from collections.abc import AsyncIterator, Sequence

import numpy as np

from agents.feeds.contract import DeniedError, Feed, FeedItem, Host, Wanted
from config.feed_settings import CboeFeedSettings
from streams.calendar.sessions import day_number, session_of
from streams.feeds.cboe import cboe_chain, cboe_levels
from streams.feeds.chain import ChainWindow, QuotedChain
from streams.feeds.refused import LeftOutRows, RefusedDocument
from streams.framing.framing import joined
from streams.records import NS, Heartbeat, Quotes, Ticks

TERMS = (
    "the publisher asks for its approval before its data is used, and for a licence, and forbids "
    "to burden its site; whether you may is between you and cboe.com. "
    "Set feed.cboe.accept_terms = true once you answer for it"
)
INDEX_NAMES = frozenset({"SPX", "XSP", "NDX", "RUT", "DJX", "VIX", "OEX", "XEO", "MRUT"})
"""Underlyings whose document is named with an underscore."""


async def cboe(config: CboeFeedSettings, wanted: Wanted, host: Host) -> AsyncIterator[FeedItem]:
    """Sweeps over all chains, on the delayed clock."""
    if not config.accept_terms:
        raise DeniedError(f"feed.cboe.accept_terms is not set: {TERMS}")
    base = f"{config.host.rstrip('/')}/api/global/delayed_quotes"
    urls = {name: f"{base}/options/{_spelled(config, name)}.json" for name in wanted.underlyings}
    middle = wanted.indices[0] if config.levels and wanted.levels else None
    async for sweep in host.sweeps():
        today = _today(host.market_time())
        window = ChainWindow(today + config.expiry_days[0], today + config.expiry_days[1])
        chains: list[Quotes] = []
        prices: dict[str, float] = {}
        async for name, body in host.documents(urls):
            if name == middle:
                prices |= await _levels(base, wanted, host, today)
            chain = None if body is None else _chain(name, body, window, host)
            if chain is not None:
                chains.append(chain.quotes)
                if chain.price is not None:
                    prices[name] = chain.price
        for item in _published(chains, prices, host.market_time(), sweep.refresh):
            yield item


def _chain(name: str, body: bytes, window: ChainWindow, host: Host) -> QuotedChain | None:
    """What a document says; None where it says nothing new."""
    found = cboe_chain(name, body, window)
    if isinstance(found, RefusedDocument):
        host.drop(found.reason, 1, found.message)
        return None
    if not host.fresh(name, found.published):
        return None
    _tell(host, found.chain.left_out)
    return found.chain


def _today(now: int) -> int:
    """Days since 1970-01-01 of the session, or of the date where there is none."""
    day = session_of(now)
    return now // (86_400 * NS) if day is None else day_number(day)


def _published(
    chains: Sequence[Quotes], prices: dict[str, float], at: int, refresh: float
) -> list[FeedItem]:
    """One snapshot, all of it as of one time."""
    items: list[FeedItem] = []
    if chains:
        whole = joined(chains)
        stamps = np.full(whole.strike.size, at, np.int64)
        items.append(whole._replace(ts_event=stamps, record_ts=stamps, refresh_seconds=refresh))
    if prices:
        items.append(_ticks(prices, at, refresh))
    return [*items, Heartbeat(at)]


def _ticks(prices: dict[str, float], at: int, refresh: float) -> Ticks:
    count = len(prices)
    stamps = np.full(count, at, np.int64)
    return Ticks(
        symbols=tuple(prices),
        symbol_code=np.arange(count, dtype=np.int32),
        price=np.array(list(prices.values()), np.float64),
        size=np.zeros(count),
        ts_event=stamps,
        record_ts=stamps,
        refresh_seconds=refresh,
    )


async def _levels(base: str, wanted: Wanted, host: Host, day: int) -> dict[str, float]:
    """Published levels by symbol."""
    body = await host.get(f"{base}/quotes/all_us_indices.json")
    if body is None:
        return {}
    found = cboe_levels(body, wanted.levels, day)
    if isinstance(found, RefusedDocument):
        host.drop(found.reason, 1, found.message)
        return {}
    _tell(host, found.left_out)
    return dict(zip(found.symbols, found.price.tolist(), strict=True))


def _tell(host: Host, left_out: LeftOutRows) -> None:
    for reason, rows in left_out.counts.items():
        host.drop(reason, rows, left_out.examples[reason])


def _spelled(config: CboeFeedSettings, name: str) -> str:
    return config.symbols.get(name) or (f"_{name}" if name in INDEX_NAMES else name)


FEED = Feed(
    open=cboe,
    config=CboeFeedSettings,
    mode="delayed",
    about="delayed quotes of Cboe: whole chains and index levels, no key",
    needs="feed.cboe.accept_terms = true",
)
