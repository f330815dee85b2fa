"""A close as smiles: every strip of a board with its forward and implied vols.

They are ready to be quoted again at other vols and times.

The smile keeps its shape in standardised moneyness: sigma'(K) = r sigma(F (K/F')^(1/r)), r the
factor on the vols and F' the moved forward (methodology, scenarios). Prices are Black-76; relative
spreads stay, and a zero bid stays zero. But a strike whose out-of-the-money side has a bid is
quoted on both sides: a closing file often lacks the other one, and a forward that has moved there
would find no quote at its strike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats, Ints
from analytics.black76 import price
from analytics.implied_vol import quoted_vol
from analytics.option_chain import OptionChain
from analytics.parity import parity_forwards
from analytics.segment_interp import segment_interp
from analytics.segments import segment_of_rows
from streams.calendar.expiries import MINUTES_PER_YEAR, minutes_to, settlement_ns, settles_am
from streams.market import Rates
from streams.records import Quotes, Series
from streams.valuation.risk_free import rate_on


@dataclass(frozen=True, slots=True)
class ClosingSurface:
    """m strips over n contracts, and the knots of their smiles."""

    series: tuple[Series, ...]
    series_code: NDArray[np.int32]
    """n, like the four below: ordered by series, expiry, strike, put before call."""
    expiry: NDArray[np.int32]
    strike: Floats
    call: NDArray[np.bool_]
    low: Floats
    """Bid over mid of the close; 0 stays 0."""
    high: Floats
    """Ask over mid of the close."""
    strip: Ints
    """Strip of each contract."""
    forward: Floats
    """m, USD."""
    rate: Floats
    settlement: Ints
    """m, nanoseconds."""
    owner: Ints
    """m series codes."""
    knots: Ints
    """m + 1 offsets into the two below."""
    log_moneyness: Floats
    vol: Floats

    def quotes(self, now: int, vol_ratio: Floats, spot: float, refresh_seconds: float) -> Quotes:
        """All contracts quoted at a time (nanoseconds).

        Vols are times `vol_ratio` (one for each series), forwards times `spot`.
        """
        ratio = vol_ratio[self.owner][self.strip]
        forward = (self.forward * spot)[self.strip]
        minutes = np.maximum(minutes_to(self.settlement, now), 0)
        years = (minutes / MINUTES_PER_YEAR)[self.strip]
        vol = ratio * segment_interp(
            self.strip,
            np.log(self.strike / forward) / ratio,
            self.knots,
            self.log_moneyness,
            self.vol,
        )
        mid = np.exp(-self.rate[self.strip] * years) * price(
            forward, self.strike, years, vol, self.call
        )
        stamp = np.full(len(mid), now, dtype=np.int64)
        return Quotes(
            self.series,
            self.series_code,
            self.expiry,
            self.strike,
            self.call,
            mid * self.low,
            mid * self.high,
            stamp,
            stamp,
            refresh_seconds,
        )


def closing_surface(close: Quotes, rates: Rates, am_roots: Sequence[str]) -> ClosingSurface:
    """The smiles of a close. Strips without a parity forward or a vol are left out."""
    rows = _usable(close)
    strips, strip = np.unique(
        close.series_code[rows].astype(np.int64) << 32 | close.expiry[rows], return_inverse=True
    )
    owner, expiry = strips >> 32, (strips & 0xFFFFFFFF).astype(np.int32)
    settlement = settlement_ns(expiry, settles_am(close.series, am_roots)[owner])
    now = int(close.ts_event.max(initial=0))
    years = np.maximum(minutes_to(settlement, now), 0) / MINUTES_PER_YEAR
    today = now // 86_400_000_000_000
    rate = rate_on(rates, today).at(expiry.astype(np.int64) - today)
    board = _board(close, rows, strip, years, rate)
    forward = parity_forwards(board).forward
    segment = segment_of_rows(board.offsets)
    vol = _otm_vols(board, forward[segment], segment)
    known = np.flatnonzero(np.isfinite(vol))
    knots = np.concatenate([[0], np.cumsum(np.bincount(segment[known], minlength=len(strips)))])
    contracts = _contracts(board, forward[segment], vol, segment)
    kept = np.flatnonzero(
        np.isfinite(contracts.low) & (np.isfinite(forward) & (np.diff(knots) > 0))[contracts.strip]
    )
    of = contracts.strip[kept]
    return ClosingSurface(
        series=close.series,
        series_code=owner[of].astype(np.int32),
        expiry=expiry[of],
        strike=contracts.strike[kept],
        call=contracts.call[kept],
        low=contracts.low[kept],
        high=contracts.high[kept],
        strip=of,
        forward=forward,
        rate=rate,
        settlement=settlement,
        owner=owner,
        knots=knots,
        log_moneyness=np.log(board.strike[known] / forward[segment[known]]),
        vol=vol[known],
    )


class _Contracts(NamedTuple):
    """Both sides of every strike; NaN in `low` where there is no quote to make."""

    strip: Ints
    strike: Floats
    call: NDArray[np.bool_]
    low: Floats
    high: Floats


# A missing side stays NaN.
@np.errstate(invalid="ignore", divide="ignore")
def _contracts(board: OptionChain, forward: Floats, vol: Floats, segment: Ints) -> _Contracts:
    years, rate = board.years[segment], board.rate[segment]
    bids, asks = (
        np.stack([board.put_bid, board.call_bid], axis=1),
        np.stack([board.put_ask, board.call_ask], axis=1),
    )
    call = np.array([[False, True]])
    strike = board.strike[:, None]
    inside = (strike < forward[:, None]) == call
    other_bid, other_ask = bids[:, ::-1], asks[:, ::-1]
    made = inside & (other_bid > 0) & ~(bids > 0)
    model = np.exp(-rate * years)[:, None] * price(
        forward[:, None], strike, years[:, None], vol[:, None], call
    )
    mid = np.where(made, model, 0.5 * (bids + asks))
    half = 0.5 * np.where(made, other_ask - other_bid, asks - bids)
    shape = mid.shape
    return _Contracts(
        np.repeat(segment, 2),
        np.repeat(board.strike, 2),
        np.broadcast_to(call, shape).ravel(),
        (1 - half / mid).ravel(),
        (1 + half / mid).ravel(),
    )


def _usable(close: Quotes) -> Ints:
    """Rows with a quote, one a contract (the last), ordered by series, expiry, strike and right."""
    with np.errstate(invalid="ignore"):
        quoted = (
            (close.bid >= 0)
            & (close.ask > 0)
            & (close.ask >= close.bid)
            & (close.ask < np.inf)
            & (close.strike > 0)
        )
    rows = np.flatnonzero(quoted)
    columns = [
        column[rows] for column in (close.call, close.strike, close.expiry, close.series_code)
    ]
    rows = rows[np.lexsort(columns)]
    contract = np.stack(
        [
            column[rows].astype(np.float64)
            for column in (close.series_code, close.expiry, close.strike, close.call)
        ]
    )
    last = np.ones(len(rows), dtype=np.bool_)
    last[:-1] = (contract[:, 1:] != contract[:, :-1]).any(axis=0)
    return rows[last]


def _board(close: Quotes, rows: Ints, strip: Ints, years: Floats, rate: Floats) -> OptionChain:
    """Strikes of the strips with their two sides beside each other."""
    strike, call = close.strike[rows], close.call[rows]
    leads = np.ones(len(rows), dtype=np.bool_)
    leads[1:] = (strip[1:] != strip[:-1]) | (strike[1:] != strike[:-1])
    place = np.cumsum(leads) - 1
    sides = np.full((4, int(leads.sum())), np.nan)
    for at, (column, right) in enumerate(
        ((close.bid, True), (close.ask, True), (close.bid, False), (close.ask, False))
    ):
        sides[at, place[call == right]] = column[rows][call == right]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(strip[leads], minlength=len(years)))])
    return OptionChain(offsets, strike[leads], sides[0], sides[1], sides[2], sides[3], years, rate)


def _otm_vols(board: OptionChain, forward: Floats, segment: Ints) -> Floats:
    """The vol of each strike, of its out-of-the-money side; NaN where that has no bid."""
    years, rate = board.years[segment], board.rate[segment]
    calls, _ = quoted_vol(
        board.call_bid, board.call_ask, forward, board.strike, years, call=True, rate=rate
    )
    puts, _ = quoted_vol(
        board.put_bid, board.put_ask, forward, board.strike, years, call=False, rate=rate
    )
    return np.where(board.strike >= forward, calls, puts)
