"""Which strips of a close the values of the coming minutes are made of.

All others need not be quoted again.
"""

import numpy as np
from numpy.typing import NDArray

from streams.market import Market
from streams.records import Quotes
from streams.valuation.contract_key import SEGMENT_SHIFT, SERIES_SHIFT
from streams.valuation.listings import Listings
from streams.valuation.near_next_terms import NearNextTerms
from streams.valuation.surface_keys import surface_keys_of
from streams.valuation.universe import underlyings

_SERIES_BITS = SERIES_SHIFT - SEGMENT_SHIFT


def needed_rows(
    close: Quotes, market: Market, today: int, times: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Rows of `close` in a near or next term at one of the times.

    Args:
        close: n quotes.
        market: its indices, names and tenors.
        today: days since 1970-01-01, New York, of the session with those times.
        times: nanoseconds.
    """
    monitored = underlyings(market)
    lines = surface_keys_of(market, monitored)
    segment = close.series_code.astype(np.int64) << _SERIES_BITS | close.expiry
    listings = Listings(market.am_roots)
    listings.add(np.unique(segment[close.expiry >= today]).tolist(), close.series)
    terms = NearNextTerms(lines, monitored, strict=market.strict_expiries)
    chosen = []
    for now in times:
        terms.renew(np.arange(lines.underlying.size), listings, now, today)
        known = terms.reason == 0
        chosen += [terms.near[known], terms.next[known]]
    return np.isin(segment, np.concatenate(chosen))
