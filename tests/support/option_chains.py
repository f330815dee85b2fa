"""Option chains of a lognormal world: every strike quoted two-sided around its Black value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.special import ndtr

from streams.calendar.expiries import settlement_ns
from streams.calendar.sessions import day_number
from streams.records import Quotes, Series


@dataclass(frozen=True)
class Chain:
    """One underlying with a flat vol."""

    underlying: str
    expiries: Sequence[date]
    vol: float = 0.2
    forward: float = 100.0
    root: str = ""
    step: float = 1.0
    half_spread: float = 0.01
    morning: bool = False
    """Its standard monthlies settle at the open."""

    def strikes(self) -> np.ndarray:
        return np.arange(0.6 * self.forward, 1.4 * self.forward + self.step / 2, self.step)


def quotes_of(
    chains: Sequence[Chain],
    at: int,
    *,
    record_ts: int | None = None,
    refresh_seconds: float | None = None,
) -> Quotes:
    """All contracts of the chains, stamped `at` (ns).

    They are ordered by chain, expiry, strike, put before call.
    """
    columns = [
        _strip(code, chain, day_number(expiry), at)
        for code, chain in enumerate(chains)
        for expiry in chain.expiries
    ]
    series_code, days, strike, call, bid, ask = (
        np.concatenate(parts) for parts in zip(*columns, strict=True)
    )
    stamp = np.full(strike.size, at, np.int64)
    return Quotes(
        tuple(Series(chain.underlying, chain.root or chain.underlying) for chain in chains),
        series_code.astype(np.int32),
        days.astype(np.int32),
        strike,
        call.astype(np.bool_),
        bid,
        ask,
        stamp,
        stamp if record_ts is None else np.full(strike.size, record_ts, np.int64),
        refresh_seconds,
    )


def taken(quotes: Quotes, rows: np.ndarray) -> Quotes:
    """Some rows of quotes, in the order given."""
    names = ("series_code", "expiry", "strike", "call", "bid", "ask", "ts_event", "record_ts")
    return quotes._replace(**{name: getattr(quotes, name)[rows] for name in names})


def _strip(code: int, chain: Chain, day: int, at: int) -> tuple[np.ndarray, ...]:
    strike = np.repeat(chain.strikes(), 2)
    call = np.tile([False, True], strike.size // 2)
    settled = settlement_ns(np.array([day], np.int32), np.array([chain.morning]))
    years = (int(settled[0]) - at) / 1e9 / (365 * 86_400)
    total = chain.vol * np.sqrt(years)
    d1 = np.log(chain.forward / strike) / total + total / 2
    value = chain.forward * ndtr(d1) - strike * ndtr(d1 - total)
    value = np.where(call, value, value - chain.forward + strike)
    bid = np.maximum(np.round(value - chain.half_spread, 2), 0.0)
    return (
        np.full(strike.size, code),
        np.full(strike.size, day),
        strike,
        call,
        bid,
        bid + 2 * chain.half_spread,
    )
