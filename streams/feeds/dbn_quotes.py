"""Quotes of instruments as quotes of contracts: a symbol is read once, not once a quote."""

from collections.abc import Callable, Collection, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.decoding.osi import underlying_of
from streams.feeds.chain import ChainWindow
from streams.feeds.dbn_records import RecordedQuotes
from streams.feeds.occ_columns import OccColumns, occ_columns
from streams.feeds.refused import LeftOutRows
from streams.records import MAX_PRICE, NS, Quotes, Series

ALWAYS: Final = ChainWindow(-(2**31), 2**31 - 1)
_LATEST: Final = 4_102_444_800 * NS
"""2100, as every year of a symbol is before it."""


class Instruments(NamedTuple):
    """Contracts by the numbers of a vendor; arrays of one length."""

    number: NDArray[np.uint32]
    """Ascending."""
    symbol: tuple[str, ...]
    contract: OccColumns


def instruments(symbols: Mapping[int, str]) -> Instruments:
    """Read the symbols of instruments, by number."""
    numbers = sorted(symbols)
    names = tuple(symbols[number] for number in numbers)
    return Instruments(np.array(numbers, np.uint32), names, occ_columns(names))


def watched_quotes(
    found: RecordedQuotes,
    known: Instruments,
    watched: Collection[str],
    left_out: LeftOutRows,
    window: ChainWindow = ALWAYS,
) -> Quotes:
    """The quotes of contracts that are watched; never raises.

    Args:
        found: quotes by instrument.
        known: what the instruments are.
        watched: underlyings, in our spelling.
        left_out: takes what is left out, by reason.
        window: which expiries are read.
    """
    at, listed = _places(found.instrument, known.number)
    series = tuple(Series(underlying_of(root), root) for root in known.contract.roots)
    series = series or (Series("", ""),)
    kept = _kept(found, known, series, (at, listed), watched, window, left_out)
    contract = known.contract
    place = at[kept]
    return Quotes(
        series=series,
        series_code=contract.root_code[place],
        expiry=contract.expiry[place],
        strike=contract.strike[place],
        call=contract.call[place],
        bid=found.bid[kept],
        ask=found.ask[kept],
        ts_event=found.known_at[kept],
        record_ts=found.known_at[kept],
    )


def _places(
    wanted: NDArray[np.uint32], numbers: NDArray[np.uint32]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each number stands, and which do stand there."""
    if not numbers.size:
        return np.zeros(wanted.size, np.intp), np.zeros(wanted.size, np.bool_)
    at = np.minimum(np.searchsorted(numbers, wanted), numbers.size - 1)
    return at, numbers[at] == wanted


def _kept(
    found: RecordedQuotes,
    known: Instruments,
    series: tuple[Series, ...],
    places: tuple[NDArray[np.intp], NDArray[np.bool_]],
    watched: Collection[str],
    window: ChainWindow,
    left_out: LeftOutRows,
) -> NDArray[np.int64]:
    """Positions of the rows that are read; the others are counted by their first reason."""
    at, listed = places
    keep = listed.copy()
    _count(left_out, "instrument", ~listed, lambda row: f"no symbol of {found.instrument[row]}")
    for reason, wrong in _contracts_apart(known.contract, series, watched, window):
        rows = keep & wrong[at] if wrong.size else np.zeros(keep.size, np.bool_)
        _count(left_out, reason, rows, lambda row: repr(known.symbol[int(at[row])]))
        keep &= ~rows
    bid, ask = found.bid, found.ask
    priced = (bid >= 0) & (ask >= 0) & (bid <= MAX_PRICE) & (ask <= MAX_PRICE)
    timed = (found.known_at > 0) & (found.known_at < _LATEST)
    for reason, fine in (("price", priced), ("time", timed)):
        _count(
            left_out,
            reason,
            keep & ~fine,
            lambda row: (
                f"{known.symbol[int(at[row])]!r} bid {bid[row]:g} ask {ask[row]:g} "
                f"at {found.known_at[row]}"
            ),
        )
        keep &= fine
    return np.flatnonzero(keep)


def _contracts_apart(
    contract: OccColumns, series: tuple[Series, ...], watched: Collection[str], window: ChainWindow
) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    """By reason, the instruments that are not read."""
    code = contract.root_code
    other = np.array([one.underlying not in watched for one in series])
    adjusted = np.array([any(letter.isdigit() for letter in one.root) for one in series])
    return (
        ("symbol", ~contract.valid),
        ("other_underlying", other[code]),
        ("adjusted", adjusted[code]),
        ("expiry_window", (contract.expiry < window.first) | (contract.expiry > window.last)),
    )


def _count(
    left_out: LeftOutRows, reason: str, wrong: NDArray[np.bool_], example: Callable[[int], str]
) -> None:
    if rows := int(np.count_nonzero(wrong)):
        left_out.add(reason, rows, example(int(np.argmax(wrong))))
