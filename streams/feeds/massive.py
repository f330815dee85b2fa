"""Snapshot chains of Massive (Polygon): pages of contracts, each quote with a time of its own."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.feeds.refused import RefusedDocument, no_document


class _Details(msgspec.Struct, gc=False):
    ticker: str


class _LastQuote(msgspec.Struct, gc=False):
    bid: float | None = None
    ask: float | None = None
    last_updated: int = 0
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
    """One page of a chain; contracts without a quote are left out."""

    symbols: tuple[str, ...]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    newest: int
    """Time of the newest quote, ns UTC; 0 where there is none."""
    price: float | None
    contracts: int
    """How many the page lists, quoted or not."""
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
    quoted = [(one, one.last_quote) for one in page.results if one.last_quote is not None]
    assets = [one.underlying_asset for one in page.results if one.underlying_asset is not None]
    spots = [value for one in assets for value in (one.price, one.value) if value]
    return MassivePage(
        symbols=tuple(one.details.ticker for one, _ in quoted),
        bid=_side([quote.bid for _, quote in quoted]),
        ask=_side([quote.ask for _, quote in quoted]),
        newest=max((quote.last_updated for _, quote in quoted), default=0),
        price=spots[0] if spots else None,
        contracts=len(page.results),
        delayed=any(quote.timeframe.upper() == "DELAYED" for _, quote in quoted),
        next_url=page.next_url,
    )


def _side(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.array(values, np.float64)
