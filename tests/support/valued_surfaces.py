"""Surface points of option chains: quotes into a book, the book valued at one second."""

from datetime import date

import numpy as np

from streams.calendar.sessions import day_number, open_ns
from streams.market import Market
from streams.points import SurfacePoints
from streams.records import NS, Quotes
from streams.valuation.book import QuoteBook
from streams.valuation.contract_key import pack
from streams.valuation.listings import Listings
from streams.valuation.out_of_order import QuoteColumns
from streams.valuation.surfaces import Surfaces
from streams.valuation.universe import underlyings
from tests.support.option_chains import Chain, quotes_of

SESSION = date(2026, 7, 8)
TEN = open_ns(SESSION) + 30 * 60 * NS
NEAR, NEXT = date(2026, 7, 24), date(2026, 8, 21)
TERMS = (NEAR, date(2026, 8, 7), date(2026, 8, 14), NEXT)


def booked(quotes: Quotes) -> QuoteBook:
    """A book that holds these quotes."""
    book = QuoteBook()
    key = pack(quotes.series_code.astype(np.int64), quotes.expiry, quotes.strike, quotes.call)
    book.apply(book.slots_of(key), QuoteColumns(quotes.ts_event, quotes.bid, quotes.ask))
    return book


def surfaces_of(market: Market, chains: list[Chain], at: int = TEN) -> tuple[SurfacePoints, ...]:
    """Points of each index of the market at second `at`, everything quoted.

    `SESSION` is its date.
    """
    quotes, universe = quotes_of(chains, at), underlyings(market)
    book, listings = booked(quotes), Listings(market.am_roots)
    surfaces = Surfaces(market, universe, book, listings)
    surfaces.relisted(listings.add(book.new_segments, quotes.series))
    n = len(universe.symbols)
    points = surfaces.value(at, day_number(SESSION), np.ones(n, np.bool_), np.full(n, np.nan))
    assert None not in points
    return tuple(one for one in points if one is not None)
