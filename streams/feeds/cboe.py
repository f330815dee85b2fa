"""Delayed quotes in Cboe's format: one document a name, one for the levels of all indices.

A document has the time of its publication (`timestamp`, UTC without a zone). There is no time on a
quote: the quotes are those of `timestamp` less the delay. An option's `last_trade_time` is that of
its last trade, up to months old.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import date_of
from streams.feeds.chain import ChainWindow, QuotedChain, chain_of
from streams.feeds.refused import LeftOutRows, RefusedDocument, no_document
from streams.records import NS
from streams.symbols import normalise

MAX_LEVEL = 300.0
"""Points; no published vol or correlation has been near it: above it the unit is another one."""


class _Option(msgspec.Struct, gc=False):
    option: str
    bid: float | None = None
    ask: float | None = None


class _Chain(msgspec.Struct):
    options: list[_Option]
    current_price: float | None = None


class _ChainDocument(msgspec.Struct):
    timestamp: str
    data: _Chain


class _Level(msgspec.Struct):
    symbol: str
    current_price: float | None = None
    last_trade_time: str | None = None


class _LevelsDocument(msgspec.Struct):
    data: list[_Level]


class CboeChain(NamedTuple):
    """One name."""

    published: int
    """When the document was made, ns UTC."""
    chain: QuotedChain


class PublishedLevels(NamedTuple):
    """Levels of indices, in points."""

    symbols: tuple[str, ...]
    price: NDArray[np.float64]
    left_out: LeftOutRows


_chains = msgspec.json.Decoder(_ChainDocument, strict=False)
_levels = msgspec.json.Decoder(_LevelsDocument, strict=False)


def cboe_chain(name: str, body: bytes, window: ChainWindow) -> CboeChain | RefusedDocument:
    """The chain of an underlying; never raises.

    Args:
        name: in our spelling. What the document calls itself (`^SPX`) is not looked at.
        body: the document.
        window: which expiries are read.
    """
    try:
        document = _chains.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        return no_document(body, problem)
    published = _utc(document.timestamp)
    if published is None:
        return RefusedDocument("malformed", f"{name}: no time: {document.timestamp[:40]!r}")
    options = document.data.options
    if not options:
        return RefusedDocument("no_quotes", f"{name}: a document without options")
    sides = _side([one.bid for one in options]), _side([one.ask for one in options])
    symbols = [one.option for one in options]
    chain = chain_of(name, symbols, sides, document.data.current_price, window)
    return chain if isinstance(chain, RefusedDocument) else CboeChain(published, chain)


def cboe_levels(
    body: bytes, wanted: Collection[str], day: int
) -> PublishedLevels | RefusedDocument:
    """The levels of some indices; never raises.

    A level that was not traded on the day is left out: thin indices stand still for days.

    Args:
        body: the document of all indices.
        wanted: symbols in our spelling.
        day: the session, days since 1970-01-01.
    """
    try:
        rows = _levels.decode(body).data
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        return no_document(body, problem)
    left_out = LeftOutRows()
    prices: dict[str, float] = {}
    for row in rows:
        name = normalise(row.symbol)
        if name not in wanted:
            continue
        if row.last_trade_time is None or row.last_trade_time[:10] != date_of(day).isoformat():
            left_out.add("time", 1, f"{name}: last traded at {row.last_trade_time}")
        elif row.current_price is None or not 0 < row.current_price <= MAX_LEVEL:
            left_out.add("price", 1, f"{name}: {row.current_price}, of a level in points")
        else:
            prices[name] = row.current_price
    return PublishedLevels(tuple(prices), np.array(list(prices.values()), np.float64), left_out)


def _utc(text: str) -> int | None:
    """A time of the document, ns: UTC, though no zone stands with it; None for what is none."""
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp()) * NS if 1990 <= moment.year <= 2099 else None
    except (ValueError, OverflowError):
        return None


def _side(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array(values, np.float64)
