"""The option chain of one underlying as a vendor's document has it: what is common to formats."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.decoding.osi import underlying_of
from streams.feeds.occ_columns import OccColumns, occ_columns
from streams.feeds.refused import LeftOutRows, RefusedDocument
from streams.records import MAX_PRICE, Quotes, Series

UNITS_SHARE = 0.1
"""Of the bids: with more of them above what an option can be worth the unit is another one."""
FAR_SPOT = 5.0
"""How many times the highest strike, or how small a part of the lowest, no underlying is worth."""


class ChainWindow(NamedTuple):
    """Which expiries are read."""

    first: int
    """Days since 1970-01-01."""
    last: int


class QuotedChain(NamedTuple):
    """Quotes of one underlying, their times still to be given."""

    quotes: Quotes
    price: float | None
    """Of the underlying, USD or index points; None where the document has none."""
    left_out: LeftOutRows


def chain_of(
    name: str,
    symbols: Sequence[str],
    sides: tuple[NDArray[np.float64], NDArray[np.float64]],
    price: float | None,
    window: ChainWindow,
) -> QuotedChain | RefusedDocument:
    """Rows as quotes of an underlying.

    Args:
        name: of the underlying, in our spelling.
        symbols: of the options, OCC.
        sides: bids and asks in USD; NaN where nobody bids or offers.
        price: of the underlying.
        window: which expiries are wanted.
    """
    found = occ_columns(symbols)
    bid, ask = np.nan_to_num(sides[0], nan=0.0), np.nan_to_num(sides[1], nan=0.0)
    spot = price if price is not None and 0 < price <= MAX_PRICE else None
    if words := _other_unit(found, bid, spot):
        return RefusedDocument("units", f"{name}: {words}")
    left_out = LeftOutRows()
    keep = _kept(name, symbols, found, bid, ask, window, left_out)
    series = tuple(Series(name, root or name) for root in found.roots) or (Series(name, name),)
    never = np.zeros(keep.size, np.int64)
    quotes = Quotes(
        series=series,
        series_code=found.root_code[keep],
        expiry=found.expiry[keep],
        strike=found.strike[keep],
        call=found.call[keep],
        bid=bid[keep],
        ask=ask[keep],
        ts_event=never,
        record_ts=never,
    )
    return QuotedChain(quotes, spot, left_out)


def _kept(
    name: str,
    symbols: Sequence[str],
    found: OccColumns,
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    window: ChainWindow,
    left_out: LeftOutRows,
) -> NDArray[np.int64]:
    """Positions of the rows that are read; the others are counted by their first reason."""
    roots = found.roots or ("",)
    adjusted = np.array([any(one.isdigit() for one in root) for root in roots])[found.root_code]
    foreign = np.array([underlying_of(root) != name for root in roots])[found.root_code]
    apart = (found.expiry < window.first) | (found.expiry > window.last)
    priced = (bid >= 0) & (ask >= 0) & (bid <= MAX_PRICE) & (ask <= MAX_PRICE)
    keep = np.ones(len(symbols), np.bool_)
    for reason, wrong in (
        ("symbol", ~found.valid),
        ("adjusted", adjusted),
        ("other_underlying", foreign),
        ("expiry_window", apart),
        ("price", ~priced),
    ):
        rows = np.flatnonzero(keep & wrong)
        if rows.size:
            at = int(rows[0])
            words = f"{name}: {symbols[at]!r} bid {bid[at]:g} ask {ask[at]:g}"
            left_out.add(reason, rows.size, words)
        keep &= ~wrong
    return np.flatnonzero(keep)


def _other_unit(found: OccColumns, bid: NDArray[np.float64], spot: float | None) -> str:
    """Why prices cannot be dollars, in words; empty where they can.

    A call is not worth more than its underlying, a put not more than its strike. Without a price of
    the underlying the puts tell it.
    """
    if not found.valid.any():
        return ""
    strikes = found.strike[found.valid]
    low, high = float(strikes.min()), float(strikes.max())
    if spot is not None and (spot > FAR_SPOT * high or spot * FAR_SPOT < low):
        return f"strikes from {low:g} to {high:g} beside a price of {spot:g}: are they in cents?"
    told = found.valid if spot is not None else found.valid & ~found.call
    bids = told & (bid > 0)
    most = np.where(found.call, spot or 0.0, found.strike)
    above = bids & (bid > 1.05 * most)
    if above.sum() <= UNITS_SHARE * bids.sum():
        return ""
    at = int(np.argmax(above))
    kind = "call" if found.call[at] else "put"
    return (
        f"{int(above.sum())} of {int(bids.sum())} bids are above what an option can be worth, "
        f"such as {bid[at]:g} for the {kind} at {found.strike[at]:g}: are they in cents?"
    )
