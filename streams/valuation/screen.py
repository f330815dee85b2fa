"""The door of the books: which rows are let in, and why the others are not.

Every row gets one outcome, the first that applies in the order of `Outcome`, `time` before all. A
zero bid or ask is let in, because the strip needs to know that nobody bids. A row that repeats its
contract's quote is for the book to find.
"""

from collections.abc import Container
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.calendar.expiries import settlement_ns
from streams.calendar.sessions import in_trading_hours, trading_hours
from streams.catalogue.outcomes import Outcome
from streams.decoding.times import dated
from streams.records import MAX_PRICE, NS, Quotes, Ticks, Vols
from streams.valuation.clock import Admission

MAX_STRIKE: Final = 1_000_000.0
"""USD, exclusive."""
MAX_VOL: Final = 10.0
"""Options of hours have vols of several hundred percent, none of more than a thousand."""
MAX_LIFE: Final = 20 * 366 * 86_400 * NS
"""No listed option lives longer."""

_Check = tuple[Outcome, NDArray[np.bool_] | np.bool_]


class Contracted(NamedTuple):
    """What is known of the contracts of a run of quotes.

    It is known before the prices and times of the quotes are looked at.
    """

    wanted: NDArray[np.bool_]
    """By series code, whether options of the series are of use here."""
    morning: NDArray[np.bool_]
    """By series code, whether it settles at the open on standard monthlies.

    Its options are then expired from 09:30 ET on.
    """
    settles: tuple[int, int] | None = None
    """When the first and the last contract may settle (ns).

    It is told where all are wanted and no strike is absurd; None where that is not known.
    """


def screen_quotes(
    quotes: Quotes | Vols, admission: Admission, contracted: Contracted
) -> NDArray[np.int8]:
    """Outcome of each quote (`Outcome`, int8).

    A price above 1e9 is an error of the source and counts as `negative` does; so does a vol that is
    not between 0 and 10, or a delta beyond 1.
    """
    ts, wanted, morning = quotes.ts_event, contracted.wanted, contracted.morning
    settlement = settlement_ns(
        quotes.expiry, morning[quotes.series_code] if morning.any() else None
    )
    checks = (
        (Outcome.FAR_EXPIRY, settlement - ts > MAX_LIFE),
        (Outcome.EXPIRED, settlement <= ts),
        (Outcome.LATE, admission.late),
        (Outcome.OUTSIDE_SESSION, ~trading_hours(ts)),
        (Outcome.FUTURE, admission.future),
        (Outcome.UNKNOWN, np.False_ if wanted.all() else ~wanted[quotes.series_code]),
        *(_price_checks(quotes) if isinstance(quotes, Quotes) else _vol_checks(quotes)),
        (Outcome.TIME, ~dated(ts)),
    )
    return _first(checks, ts.size)


def all_accepted(quotes: Quotes | Vols, admission: Admission, contracted: Contracted) -> bool:
    """Whether the extremes speak for all rows, as nearly always: nothing is refused.

    False may be wrong.
    """
    span, settles = admission.span, contracted.settles
    if not isinstance(quotes, Quotes) or span is None or settles is None:
        return False
    living = (
        span.last < settles[0]
        and settles[1] - span.first <= MAX_LIFE
        and in_trading_hours(span.first, span.last)
    )
    return living and (quotes.validated or _sound(quotes.bid, quotes.ask))


def _sound(bid: NDArray[np.float64], ask: NDArray[np.float64]) -> bool:
    return bool(
        np.minimum.reduce(bid) >= 0
        and np.maximum.reduce(ask) <= MAX_PRICE
        and np.logical_and.reduce(bid <= ask)
    )


def screen_ticks(ticks: Ticks, admission: Admission, symbols: Container[str]) -> NDArray[np.int8]:
    """Outcome of each tick; a price that is zero, negative or above 1e9 is `negative`."""
    wanted = np.array([symbol in symbols for symbol in ticks.symbols], np.bool_)
    checks = (
        (Outcome.LATE, admission.late),
        (Outcome.OUTSIDE_SESSION, ~trading_hours(ticks.ts_event)),
        (Outcome.FUTURE, admission.future),
        (Outcome.UNKNOWN, np.False_ if wanted.all() else ~wanted[ticks.symbol_code]),
        (Outcome.NEGATIVE, (ticks.price <= 0) | (ticks.price > MAX_PRICE)),
        (Outcome.NON_FINITE, ~np.isfinite(ticks.price)),
        (Outcome.TIME, ~dated(ticks.ts_event)),
    )
    return _first(checks, ticks.ts_event.size)


def _price_checks(quotes: Quotes) -> tuple[_Check, ...]:
    bid, ask, strike = quotes.bid, quotes.ask, quotes.strike
    return (
        (Outcome.CROSSED, (ask < bid) & (ask > 0)),
        (Outcome.STRIKE, ~((strike > 0) & (strike < MAX_STRIKE))),
        (Outcome.NEGATIVE, (bid < 0) | (ask < 0) | (bid > MAX_PRICE) | (ask > MAX_PRICE)),
        (Outcome.NON_FINITE, ~(np.isfinite(bid) & np.isfinite(ask) & np.isfinite(strike))),
    )


def _vol_checks(vols: Vols) -> tuple[_Check, ...]:
    vol, delta, strike = vols.vol, vols.delta, vols.strike
    return (
        (Outcome.STRIKE, ~((strike > 0) & (strike < MAX_STRIKE))),
        (Outcome.NEGATIVE, ~((vol > 0) & (vol <= MAX_VOL) & (np.abs(delta) <= 1))),
        (Outcome.NON_FINITE, ~(np.isfinite(vol) & np.isfinite(delta) & np.isfinite(strike))),
    )


def _first(checks: tuple[_Check, ...], size: int) -> NDArray[np.int8]:
    """Outcome codes.

    The checks come from the last in rank to the first, so that the first one overwrites.
    """
    outcomes = np.zeros(size, np.int8)
    for outcome, mask in checks:
        if mask.any():
            outcomes[mask] = outcome
    return outcomes
