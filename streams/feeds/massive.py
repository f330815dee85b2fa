"""Snapshot chains of Massive (Polygon): pages of contracts, each quote with a time of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.decoding.times import FIRST_NS, LAST_NS
from streams.feeds.refused import RefusedDocument, no_document


class _Details(msgspec.Struct, gc=False):
    ticker: str


class _LastQuote(msgspec.Struct, gc=False):
    bid: float | None = None
    ask: float | None = None
    last_updated: int | float | None = None
    timeframe: str = ""


class _Asset(msgspec.Struct, gc=False):
    price: float | None = None
    value: float | None = None


class _Result(msgspec.Struct, gc=False):
    details: _Details
    last_quote: _LastQuote | None = None
    underlying_asset: _Asset | None = None


class _Page(msgspec.Struct):
    results: list[_Result] = []
    next_url: str = ""
    status: str = ""


class MassivePage(NamedTuple):
    """One page of a chain; contracts without a quote, and quotes without a time, are left out."""

    symbols: tuple[str, ...]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    newest: int
    """Time of the newest quote, ns UTC; 0 where there is none."""
    price: float | None
    contracts: int
    """How many the page lists, quoted or not."""
    undated: tuple[str, ...]
    """Symbols whose quote has no time, or one that is none."""
    delayed: bool
    """Whether a quote says that it is."""
    next_url: str
    """Of the next page; empty at the end."""


_pages = msgspec.json.Decoder(_Page, strict=False)


def massive_page(body: bytes) -> MassivePage | RefusedDocument:
    """Read a page; never raises."""
    try:
        page = _pages.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        return no_document(body, problem)
    found = [(one, one.last_quote) for one in page.results if one.last_quote is not None]
    quoted = [(one, quote) for one, quote in found if _dated(quote)]
    assets = [one.underlying_asset for one in page.results if one.underlying_asset is not None]
    spots = [value for one in assets for value in (one.price, one.value) if value]
    return MassivePage(
        symbols=tuple(one.details.ticker for one, _ in quoted),
        bid=_side([quote.bid for _, quote in quoted]),
        ask=_side([quote.ask for _, quote in quoted]),
        newest=max((int(quote.last_updated or 0) for _, quote in quoted), default=0),
        price=spots[0] if spots else None,
        contracts=len(page.results),
        undated=tuple(one.details.ticker for one, quote in found if not _dated(quote)),
        delayed=any(quote.timeframe.upper() == "DELAYED" for _, quote in quoted),
        next_url=page.next_url,
    )


def _dated(quote: _LastQuote) -> bool:
    return quote.last_updated is not None and FIRST_NS <= quote.last_updated < LAST_NS


def _side(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array(values, np.float64)
