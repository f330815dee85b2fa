"""Delayed quotes of Cboe: sweeps over all names, published together as of the end of each.

Nothing is asked until the user has accepted the publisher's terms.
"""

from collections.abc import AsyncIterator

from agents.feeds.contract import DeniedError, Feed, FeedItem, Host, Wanted
from agents.feeds.snapshot import SweptQuotes, tell, window_of
from config.feed_settings import CboeFeedSettings
from streams.feeds.cboe import cboe_chain, cboe_levels
from streams.feeds.chain import ChainWindow, QuotedChain
from streams.feeds.refused import RefusedDocument

TERMS = (
    "the publisher asks for its approval before its data is used, and for a licence, and forbids "
    "to burden its site; whether you may is between you and cboe.com. "
    "Set feed.cboe.accept_terms = true once you answer for it"
)
INDEX_NAMES = frozenset({"SPX", "XSP", "NDX", "RUT", "DJX", "VIX", "OEX", "XEO", "MRUT"})
"""Underlyings whose document is named with an underscore."""


async def cboe(config: CboeFeedSettings, wanted: Wanted, host: Host) -> AsyncIterator[FeedItem]:
    """Sweeps over all chains, on the delayed clock."""
    require_terms(config, host.key)
    base = f"{config.host.rstrip('/')}/api/global/delayed_quotes"
    urls = {name: f"{base}/options/{_spelled(config, name)}.json" for name in wanted.underlyings}
    middle = wanted.indices[0] if config.levels and wanted.levels else None
    async for sweep in host.sweeps():
        today, window = window_of(host.market_time(), config.expiry_days)
        swept = SweptQuotes()
        async for name, body in host.documents(urls):
            if name == middle:
                swept.prices |= await _levels(base, wanted, host, today)
            swept.add(name, None if body is None else _chain(name, body, window, host))
        for item in swept.items(host.market_time(), sweep.refresh):
            yield item


def require_terms(config: CboeFeedSettings, _key: str) -> None:
    """Raise `DeniedError` unless the user answers for the use of the data."""
    if not config.accept_terms:
        raise DeniedError(f"feed.cboe.accept_terms is not set: {TERMS}")


def _chain(name: str, body: bytes, window: ChainWindow, host: Host) -> QuotedChain | None:
    """What a document says; None where it says nothing new."""
    found = cboe_chain(name, body, window)
    if isinstance(found, RefusedDocument):
        host.drop(found.reason, 1, found.message)
        return None
    if not host.fresh(name, found.published):
        return None
    tell(host, found.chain.left_out)
    return found.chain


async def _levels(base: str, wanted: Wanted, host: Host, day: int) -> dict[str, float]:
    """Published levels by symbol."""
    body = await host.get(f"{base}/quotes/all_us_indices.json")
    if body is None:
        return {}
    found = cboe_levels(body, wanted.levels, day)
    if isinstance(found, RefusedDocument):
        host.drop(found.reason, 1, found.message)
        return {}
    tell(host, found.left_out)
    return dict(zip(found.symbols, found.price.tolist(), strict=True))


def _spelled(config: CboeFeedSettings, name: str) -> str:
    return config.symbols.get(name) or (f"_{name}" if name in INDEX_NAMES else name)


FEED = Feed(
    open=cboe,
    config=CboeFeedSettings,
    mode="delayed",
    about="delayed quotes of Cboe: whole chains and index levels, no key",
    needs="feed.cboe.accept_terms = true",
    require=require_terms,
)
