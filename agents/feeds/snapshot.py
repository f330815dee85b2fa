"""What a sweep has brought together, published as of one time."""

import numpy as np

from agents.feeds.contract import FeedItem, Host
from streams.calendar.sessions import day_number, session_of
from streams.feeds.chain import ChainWindow, QuotedChain
from streams.feeds.refused import LeftOutRows
from streams.framing.framing import joined
from streams.records import NS, Heartbeat, Quotes, Ticks


class SweptQuotes:
    """The chains and prices of one sweep."""

    def __init__(self) -> None:
        self._chains: list[Quotes] = []
        self.prices: dict[str, float] = {}

    def add(self, name: str, chain: QuotedChain | None) -> None:
        """A chain, with the price of its underlying where it says one; None says nothing new."""
        if chain is None:
            return
        self._chains.append(chain.quotes)
        if chain.price is not None:
            self.prices[name] = chain.price

    def items(self, at: int, refresh: float) -> list[FeedItem]:
        """Quotes, prices and the word that nothing at or before `at` (ns) will follow."""
        found: list[FeedItem] = []
        if self._chains:
            whole = joined(self._chains)
            stamps = np.full(whole.strike.size, at, np.int64)
            found.append(whole._replace(ts_event=stamps, record_ts=stamps, refresh_seconds=refresh))
        if self.prices:
            found.append(_ticks(self.prices, at, refresh))
        return [*found, Heartbeat(at)]


def window_of(now: int, days: tuple[int, int]) -> tuple[int, ChainWindow]:
    """The day (since 1970-01-01) of a time, and the expiries so many days from it."""
    day = session_of(now)
    today = now // (86_400 * NS) if day is None else day_number(day)
    return today, ChainWindow(today + days[0], today + days[1])


def tell(host: Host, left_out: LeftOutRows) -> None:
    """Count what a document has that is not read."""
    for reason, rows in left_out.counts.items():
        host.drop(reason, rows, left_out.examples[reason])


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
