"""Model-free variance of option strips, for all strips at once.

It is the single-term formula behind VIX, VIXEQ and DSPX.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.option_chain import OptionChain
from analytics.parity import Parity, parity_forwards, valid_quote
from analytics.walk import Legs, select_legs


class StripReason(IntEnum):
    """Why a strip has no variance; `label` is the wording shown to people."""

    OK = 0
    EXPIRED = 1
    NO_PARITY = 2
    NO_PUTS = 3
    NO_CALLS = 4
    NO_K0 = 5
    TOO_FEW = 6
    NO_ATM = 7
    NEGATIVE = 8
    HOLE = 9
    """`streams.valuation.strips` says so; the formula itself does not mind."""
    THOUSANDTHS = 10
    """`streams.valuation.scaled_strips` says so, and the next."""
    OFF_SCALE = 11

    @property
    def label(self) -> str:
        """Lower-case text; empty for `OK`."""
        return _LABELS[self]


_LABELS = {
    StripReason.OK: "",
    StripReason.EXPIRED: "expired",
    StripReason.NO_PARITY: "no strike with two-sided call and put",
    StripReason.NO_PUTS: "no out-of-the-money put",
    StripReason.NO_CALLS: "no out-of-the-money call",
    StripReason.NO_K0: "no quote at the strike below the forward",
    StripReason.TOO_FEW: "too few out-of-the-money quotes",
    StripReason.NO_ATM: "at-the-money quotes not two-sided",
    StripReason.NEGATIVE: "variance not positive",
    StripReason.HOLE: "no strikes around the forward",
    StripReason.THOUSANDTHS: "strikes are 1,000 times the price",
    StripReason.OFF_SCALE: "strikes are out of scale with the price",
}


class StripValues(NamedTuple):
    """m strips: annualised variances, forward and K0, quotes used per wing.

    Variances are NaN unless `reason` is 0. Forward and K0 are USD, NaN unknown.
    """

    variance: Floats
    bid_variance: Floats
    """The same strikes and forward on bids; not below zero."""
    ask_variance: Floats
    forward: Floats
    k0: Floats
    puts: NDArray[np.int64]
    """Out-of-the-money puts selected; K0 is in neither wing."""
    calls: NDArray[np.int64]
    reason: NDArray[np.int8]
    """`StripReason` codes."""


class Selected(NamedTuple):
    """What strips are made of."""

    parity: Parity
    legs: Legs


# Garbage in one strip turns non-finite and is refused by name, the others do not notice.
@np.errstate(all="ignore")
def value_strips(
    chain: OptionChain,
    *,
    min_per_side: int = 1,
    require_atm: bool = False,
    zero_ask_stops: bool = True,
    selected: Selected | None = None,
) -> StripValues:
    """Annualised model-free variance of each of the m strips of a chain, on mids, bids and asks.

    variance = (2/T) SUM dK/K^2 e^(RT) Q(K) - (1/T) (F/K0 - 1)^2. The defaults are the VIX rules.
    The Valid Variance Condition of DSPX is
    `min_per_side=3, require_atm=True, zero_ask_stops=False`.
    Strikes must ascend within a segment. `selected` has the options where they are known already.

    Source: Cboe volatility index mathematics methodology; DSPX methodology, November 2024.

    >>> column = lambda *x: np.array(x, dtype=float)
    >>> chain = OptionChain(np.array([0, 3]), column(95, 100, 105),
    ...               column(6.0, 2.4, 0.6), column(6.2, 2.6, 0.8),
    ...               column(0.6, 2.4, 6.0), column(0.8, 2.6, 6.2), column(0.1), column(0.0))
    >>> values = value_strips(chain)
    >>> values.variance.round(6).tolist(), values.forward.tolist(), values.reason.tolist()
    ([0.039105], [100.0], [0])
    """
    if min_per_side < 1:
        raise ValueError(f"min_per_side must be at least 1, got {min_per_side}")
    if selected is None:
        parity = parity_forwards(chain)
        selected = Selected(parity, select_legs(chain, parity, zero_ask_stops=zero_ask_stops))
    parity, legs = selected
    segments = len(chain.years)
    puts = np.bincount(legs.segment[legs.wing < 0], minlength=segments)
    calls = np.bincount(legs.segment[legs.wing > 0], minlength=segments)
    quoted, two_sided = _center_quotes(chain, parity)
    k0 = np.where(parity.k0_row >= 0, _take(chain.strike, parity.k0_row), np.nan)
    base = legs.spacing / chain.strike[legs.row] ** 2
    grow, shift = np.exp(chain.rate * chain.years), (parity.forward / k0 - 1) ** 2

    def variance(quote: Floats) -> Floats:
        total = np.bincount(legs.segment, weights=base * quote, minlength=segments)
        return np.asarray((2 * grow * total - shift) / chain.years, dtype=np.float64)

    mid, bid, ask = variance(0.5 * (legs.bid + legs.ask)), variance(legs.bid), variance(legs.ask)
    checks = (
        (~(chain.years > 0), StripReason.EXPIRED),
        (np.isnan(parity.forward), StripReason.NO_PARITY),
        (~quoted, StripReason.NO_K0),
        (puts == 0, StripReason.NO_PUTS),
        (calls == 0, StripReason.NO_CALLS),
        (np.minimum(puts, calls) < min_per_side, StripReason.TOO_FEW),
        (~two_sided & require_atm, StripReason.NO_ATM),
        (~((mid > 0) & np.isfinite(mid) & np.isfinite(ask)), StripReason.NEGATIVE),
    )
    reason = _first_reason(checks)
    kept = _valued(reason == 0, mid, bid, ask)
    return StripValues(*kept, parity.forward, k0, puts, calls, reason)


def _valued(
    valued: NDArray[np.bool_], mid: Floats, bid: Floats, ask: Floats
) -> tuple[Floats, Floats, Floats]:
    """Variances of the strips that have one, NaN of the others; one on bids is at least 0."""
    return (
        np.where(valued, mid, np.nan),
        np.where(valued, np.maximum(bid, 0.0), np.nan),
        np.where(valued, ask, np.nan),
    )


def _first_reason(checks: Sequence[tuple[NDArray[np.bool_], StripReason]]) -> NDArray[np.int8]:
    """The first check that a segment fails, as its code; 0 where it fails none."""
    failed = [mask for mask, _ in checks]
    codes = [int(code) for _, code in checks]
    return np.select(failed, codes, 0).astype(np.int8)


def _center_quotes(
    chain: OptionChain, parity: Parity
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether both options at K0 are quoted at all, and whether both are two-sided.

    A zero bid is no null quote.
    """
    quoted, two_sided = parity.k0_row >= 0, parity.k0_row >= 0
    for side in ((chain.call_bid, chain.call_ask), (chain.put_bid, chain.put_ask)):
        bid, ask = (_take(column, parity.k0_row) for column in side)
        quoted = quoted & (bid >= 0) & (ask > 0) & (ask >= bid) & (ask < np.inf)
        two_sided = two_sided & valid_quote(bid, ask)
    return quoted, two_sided


def _take(column: Floats, row: NDArray[np.int64]) -> Floats:
    """Values at rows; NaN for row -1, also on a chain without rows."""
    taken = np.full(len(row), np.nan)
    found = row >= 0
    taken[found] = column[row[found]]
    return taken
