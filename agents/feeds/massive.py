"""Snapshot chains of Massive (Polygon) by REST, sweep after sweep, with a key."""

from collections.abc import AsyncIterator
from urllib.parse import urlencode, urlsplit

import numpy as np

from agents.feeds.cboe import INDEX_NAMES
from agents.feeds.contract import DeniedError, Feed, FeedItem, Host, Wanted
from agents.feeds.snapshot import SweptQuotes, tell, window_of
from config.feed_settings import MassiveFeedSettings
from streams.calendar.sessions import date_of
from streams.feeds.chain import ChainWindow, QuotedChain, chain_of
from streams.feeds.massive import MassivePage, massive_page
from streams.feeds.refused import RefusedDocument

PAGES = 100
"""Of one chain, at most."""


async def massive(
    config: MassiveFeedSettings, wanted: Wanted, host: Host
) -> AsyncIterator[FeedItem]:
    """Sweeps over all chains."""
    require_key(config, host.key)
    async for sweep in host.sweeps():
        _, window = window_of(host.market_time(), config.expiry_days)
        swept = SweptQuotes()
        for name in wanted.underlyings:
            swept.add(name, await _chain(config, name, window, host))
        for item in swept.items(host.market_time(), sweep.refresh):
            yield item


def require_key(_config: MassiveFeedSettings, key: str) -> None:
    """Raise `DeniedError` without a key."""
    if not key:
        raise DeniedError("Massive wants a key: set feed.key (DISPERSION_FEED__KEY)")


async def _chain(
    config: MassiveFeedSettings, name: str, window: ChainWindow, host: Host
) -> QuotedChain | None:
    """A whole chain; None where it is not had, or not new."""
    pages = await _pages(config, name, window, host)
    if pages is None:
        return None
    _refuse_plan(config, name, pages)
    if undated := [symbol for one in pages for symbol in one.undated]:
        host.drop("time", len(undated), f"{name}: {undated[0]} has no time")
    newest = max(one.newest for one in pages)
    if not newest or not host.fresh(name, newest):
        return None
    symbols = [symbol for one in pages for symbol in one.symbols]
    sides = np.concatenate([one.bid for one in pages]), np.concatenate([one.ask for one in pages])
    price = next((one.price for one in pages if one.price is not None), None)
    chain = chain_of(name, symbols, sides, price, window)
    if isinstance(chain, RefusedDocument):
        host.drop(chain.reason, 1, chain.message)
        return None
    tell(host, chain.left_out)
    return chain


async def _pages(
    config: MassiveFeedSettings, name: str, window: ChainWindow, host: Host
) -> list[MassivePage] | None:
    """All pages of a chain; None where one of them is not had: half a chain is none."""
    asked = {
        "limit": "250",
        "expiration_date.gte": date_of(window.first).isoformat(),
        "expiration_date.lte": date_of(window.last).isoformat(),
    }
    base = config.host.rstrip("/")
    spelled = f"I:{name}" if name in INDEX_NAMES else name
    url = f"{base}/v3/snapshot/options/{spelled}?{urlencode(asked)}"
    pages: list[MassivePage] = []
    while url and len(pages) < PAGES:
        body = await host.get(url, {"Authorization": f"Bearer {host.key}"})
        if body is None:
            return None
        page = massive_page(body)
        if isinstance(page, RefusedDocument):
            host.drop(page.reason, 1, f"{name}: {page.message}")
            return None
        pages.append(page)
        # The key goes to nobody else.
        same = urlsplit(page.next_url).netloc == urlsplit(base).netloc
        url = page.next_url if same else ""
    return pages


def _refuse_plan(config: MassiveFeedSettings, name: str, pages: list[MassivePage]) -> None:
    """Raise `DeniedError` where the plan of the key has no quotes, or later ones than is said."""
    contracts = sum(one.contracts for one in pages)
    if contracts and not any(one.symbols or one.undated for one in pages):
        raise DeniedError(
            f"none of the {contracts} contracts of {name} has a quote: the plan of this key holds "
            "no quotes; take one that does"
        )
    if config.delay < 60 and any(one.delayed for one in pages):
        raise DeniedError(
            f"the quotes of {name} are delayed by the plan: set feed.massive.delay = 900"
        )


FEED = Feed(
    open=massive,
    config=MassiveFeedSettings,
    mode="delayed",
    about="snapshot chains of Massive (Polygon) by REST",
    needs="feed.key, a plan with quotes",
    require=require_key,
)
