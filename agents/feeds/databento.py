"""Live quotes of OPRA by Databento's own client: changes as they happen, with their own times."""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from agents.feeds.contract import DeniedError, Feed, FeedItem, Host, Wanted
from agents.feeds.databento_client import GatewayAwayError, GatewayConnection
from agents.feeds.snapshot import tell, window_of
from config.feed_settings import DatabentoFeedSettings
from streams.calendar.sessions import open_ns, session_of
from streams.decoding.osi import roots_of
from streams.feeds.dbn_session import (
    REPLAY_COMPLETED,
    SLOW_READER,
    DbnSession,
    SessionNews,
    newest_of_each,
)
from streams.framing.framing import joined
from streams.records import NS, Quotes

TURN_SECONDS: Final = 0.1
"""Quotes wait so long for others to go with."""
SILENT_SECONDS: Final = 5.0
"""A gateway that says nothing so long after its heartbeat was due is away."""
ONCE_SECONDS: Final = 10.0
"""How long one look at a feed without sweeps lasts."""
REPLAYED_NS: Final = 23 * 3600 * NS
"""The vendor gives a day of what is past."""
_DENIED: Final = frozenset({1, 2, 5})
"""Codes of errors at which a person must act: the key, its plan, what is asked for."""
_UNKNOWN_SYMBOL: Final = 4
_SKIPPED: Final = 7
_AGED_OUT: Final = 8


async def databento(
    config: DatabentoFeedSettings, wanted: Wanted, host: Host
) -> AsyncIterator[FeedItem]:
    """One connection: the quotes since the last one, then those that come.

    It ends when the gateway does; the host says so and opens it again.
    """
    require_key(config, host.key)
    connection = GatewayConnection(config, host.key)
    start = _start(config, host)
    _, window = window_of(host.market_time(), config.expiry_days)
    session = DbnSession(frozenset(wanted.underlyings), window)
    past = _Replay() if start is not None else None
    begun = heard = host.now()
    try:
        await connection.open(_parents(config, wanted), start)
        while True:
            # Asked before what has come is taken, so that the end is not lost.
            connected = connection.connected
            data = connection.records.take()
            if data:
                heard = host.now()
                news = session.take(data)
                _hear(news, host, heard)
                quotes = news.quotes
                if past is not None:
                    quotes = past.take(news, host.market_time())
                    past = None if past.over else past
                if quotes is not None and quotes.ts_event.size:
                    yield quotes
            elif not connected:
                return
            _watch(config, connection, host, heard)
            if host.once and host.now() - begun > ONCE_SECONDS * NS:
                return
            await host.sleep(TURN_SECONDS)
    finally:
        await connection.close()


def require_key(_config: DatabentoFeedSettings, key: str) -> None:
    """Raise `DeniedError` without a key."""
    if not key:
        raise DeniedError("Databento wants a key: set feed.key (DISPERSION_FEED__KEY)")


class _Replay:
    """What is past when a connection begins: of each contract the last quote is what stands now."""

    def __init__(self) -> None:
        self._kept: Quotes | None = None
        self.over = False

    def take(self, news: SessionNews, market_time: int) -> Quotes | None:
        """None until the replay has reached the present; then the last quotes, as of now."""
        parts = [one for one in (self._kept, news.quotes) if one is not None]
        if parts:
            self._kept = newest_of_each(joined(parts))
        newest = 0 if self._kept is None else int(self._kept.ts_event.max(initial=0))
        self.over = REPLAY_COMPLETED in news.notes or newest > market_time
        if not self.over or self._kept is None:
            return None
        # Seconds up to the market's time are closed.
        stamps = np.maximum(self._kept.ts_event, market_time + 1)
        return self._kept._replace(ts_event=stamps, record_ts=stamps)


def _start(config: DatabentoFeedSettings, host: Host) -> int | None:
    """From when on quotes are asked for, ns; None for those that will come.

    What was quoted before the open, or on another day, does not stand now.
    """
    now = host.now()
    day = session_of(now)
    first = now - REPLAYED_NS if day is None else open_ns(day)
    if host.newest > first:
        return host.newest
    start = max(first, now - round(config.replay_seconds * NS))
    return start if start < now else None


def _parents(config: DatabentoFeedSettings, wanted: Wanted) -> list[str]:
    """Option classes as the vendor names them."""
    return [
        f"{root}.OPT"
        for name in wanted.underlyings
        for root in config.roots.get(name) or roots_of(name)
    ]


def _hear(news: SessionNews, host: Host, now: int) -> None:
    """Count what is left out, and act on the gateway's words.

    Raises `DeniedError`, `GatewayAwayError`.
    """
    tell(host, news.left_out)
    if SLOW_READER in news.notes:
        host.gap("slow", now)
    for code, text in news.errors:
        if code in _DENIED:
            raise DeniedError(f"Databento refuses: {text}")
        if code == _UNKNOWN_SYMBOL:
            host.drop("symbol", 1, text)
        elif code in {_SKIPPED, _AGED_OUT}:
            host.gap("slow", host.newest or now)
        else:
            raise GatewayAwayError(text)
    if news.broken:
        raise GatewayAwayError("what the gateway sends is no DBN")


def _watch(
    config: DatabentoFeedSettings, connection: GatewayConnection, host: Host, heard: int
) -> None:
    """Raise `GatewayAwayError` where the gateway is silent, or we cannot keep up."""
    silent = (host.now() - heard) / NS
    if silent > config.heartbeat_seconds + SILENT_SECONDS:
        raise GatewayAwayError(f"the gateway has said nothing for {silent:.0f} s")
    if connection.records.full:
        raise GatewayAwayError("more quotes came than could be published")


FEED = Feed(
    open=databento,
    config=DatabentoFeedSettings,
    mode="live",
    about="live quotes of OPRA by Databento's client",
    needs="feed.key, the extra databento",
    require=require_key,
)
