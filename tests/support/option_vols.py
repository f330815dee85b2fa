"""The chains of a lognormal world as a source tells them that has no bid and ask.

It tells vol and delta of every option.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from streams.calendar.expiries import settlement_ns
from streams.records import Vols
from tests.support.option_chains import Chain, quotes_of


def vols_of(
    chains: Sequence[Chain],
    at: int,
    *,
    call_error: float = 0.0,
    refresh_seconds: float | None = None,
) -> Vols:
    """All contracts of the chains, stamped `at` (ns), in the order of `quotes_of`.

    `call_error` is added to the vols of calls and taken from those of puts, as a wrong forward
    does.
    """
    quotes = quotes_of(chains, at, refresh_seconds=refresh_seconds)
    forward, vol = (
        np.array([getattr(chain, name) for chain in chains])[quotes.series_code]
        for name in ("forward", "vol")
    )
    total = vol * np.sqrt((settlement_ns(quotes.expiry) - at) / 1e9 / (365 * 86_400))
    delta = ndtr(np.log(forward / quotes.strike) / total + total / 2) - np.where(
        quotes.call, 0.0, 1.0
    )
    stated = vol + np.where(quotes.call, call_error, -call_error)
    series = tuple(one._replace(in_vols=True) for one in quotes.series)
    contract = (series, quotes.series_code, quotes.expiry, quotes.strike, quotes.call)
    return Vols(*contract, stated, delta, quotes.ts_event, quotes.record_ts, refresh_seconds)
