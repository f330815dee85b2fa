"""Assembly of an `OptionChain` from the quote book.

Strips are segments; call and put of a strike are on one row.

The structure (which slot is on which row) changes only when a contract is listed or other strips
are asked for, so it is kept between seconds; a second then costs one gather for each column.
"""

from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Bools, Floats, Ints
from analytics.option_chain import OptionChain
from analytics.stated_vols import StatedSide
from streams.valuation.book import ABSENT, NEVER, QuoteBook, Slots
from streams.valuation.contract_key import SEGMENT_SHIFT, is_call, strike_of

KEPT = 8
"""Structures remembered: rules times the few sets of names that quote together."""


class Structure(NamedTuple):
    """n strike rows of m strips."""

    offsets: Ints
    strike: Floats
    call: Slots
    """Slot of the call of each row; ABSENT where it is not listed."""
    put: Slots


class Quoted(NamedTuple):
    """A chain and how recent its quotes are."""

    chain: OptionChain
    quote_ts: Ints
    """Newest quote of each of the m strips, nanoseconds; NEVER for a strip without rows."""
    call: Slots
    """Slot of the call of each of the n rows; ABSENT where it has no quote."""
    put: Slots


class Stated(NamedTuple):
    """Strips of vols and how recent they are."""

    calls: StatedSide
    puts: StatedSide
    quote_ts: Ints
    """As in `Quoted`."""


class ChainAssembler:
    """Builds chains from one book."""

    def __init__(self, book: QuoteBook) -> None:
        self._book = book
        self._keys: Ints | None = None
        self._structures: OrderedDict[bytes, Structure] = OrderedDict()

    def assemble(self, segment: Ints, oldest: Ints, years: Floats, rate: Floats) -> Quoted:
        """The chain of m strips, in the order given.

        Args:
            segment: upper key bits of each strip.
            oldest: nanoseconds; older quotes of the strip are stale and left out.
            years: times to expiry.
            rate: continuously compounded rates.
        """
        book, structure = self._book, self._structure(segment)
        call, put = structure.call, structure.put
        call_ts, put_ts = book.ts[call], book.ts[put]
        offsets, strike = structure.offsets, structure.strike
        if (oldest > NEVER).any():
            limit = np.repeat(oldest, np.diff(offsets))
            call, put = (
                np.where(call_ts < limit, ABSENT, call),
                np.where(put_ts < limit, ABSENT, put),
            )
            rows = (call != ABSENT) | (put != ABSENT)
            if not rows.all():
                offsets = _offsets(
                    np.repeat(np.arange(segment.size), np.diff(offsets))[rows], segment.size
                )
                call, put, strike = call[rows], put[rows], strike[rows]
            call_ts, put_ts = book.ts[call], book.ts[put]
        chain = OptionChain(
            offsets,
            strike,
            book.bid[call],
            book.ask[call],
            book.bid[put],
            book.ask[put],
            years,
            rate,
        )
        return Quoted(chain, _newest(np.maximum(call_ts, put_ts), offsets), call, put)

    def stated(self, segment: Ints, oldest: Ints) -> Stated:
        """The vols and deltas of m strips, which the book holds in the place of bid and ask.

        The arguments are as for `assemble`.
        """
        structure = self._structure(segment)
        owner = np.repeat(np.arange(segment.size), np.diff(structure.offsets))
        (calls, call_ts), (puts, put_ts) = (
            self._stated_side(slot, owner, oldest) for slot in (structure.call, structure.put)
        )
        return Stated(calls, puts, np.maximum(call_ts, put_ts))

    def _stated_side(
        self, slot: Slots, owner: NDArray[np.intp], oldest: Ints
    ) -> tuple[StatedSide, Ints]:
        book = self._book
        kept = (slot != ABSENT) & (book.ts[slot] >= oldest[owner])
        slot, owner = slot[kept], owner[kept]
        offsets = _offsets(owner, oldest.size)
        return StatedSide(offsets, book.bid[slot], book.ask[slot]), _newest(book.ts[slot], offsets)

    def _structure(self, segment: Ints) -> Structure:
        # The book replaces its keys whenever a contract enters.
        if self._keys is not self._book.keys:
            self._keys = self._book.keys
            self._structures.clear()
        name = segment.tobytes()
        if name not in self._structures:
            self._structures[name] = _structure(self._book, segment)
            if len(self._structures) > KEPT:
                self._structures.popitem(last=False)
        self._structures.move_to_end(name)
        return self._structures[name]


def _structure(book: QuoteBook, segment: Ints) -> Structure:
    first, last = book.span(segment << SEGMENT_SHIFT, (segment + 1) << SEGMENT_SHIFT)
    length = last - first
    owner = np.repeat(np.arange(segment.size), length)
    before = np.cumsum(length) - length
    at = np.arange(owner.size) + np.repeat(first - before, length)
    key, slot = book.keys[at], book.slots[at]
    pair = key >> 1
    leads = np.ones(pair.size, np.bool_)
    leads[1:] = pair[1:] != pair[:-1]
    row = np.cumsum(leads) - 1
    calls = is_call(key)
    return Structure(
        _offsets(owner[leads], segment.size),
        strike_of(key[leads]),
        _side(row, slot, calls),
        _side(row, slot, ~calls),
    )


def _side(row: NDArray[np.intp], slot: Slots, which: Bools) -> Slots:
    out = np.full(int(row[-1]) + 1 if row.size else 0, ABSENT, np.intp)
    out[row[which]] = slot[which]
    return out


def _offsets(owner: NDArray[np.intp], segments: int) -> Ints:
    offsets = np.zeros(segments + 1, np.int64)
    np.cumsum(np.bincount(owner, minlength=segments), out=offsets[1:])
    return offsets


def _newest(ts: Ints, offsets: Ints) -> Ints:
    newest = np.full(offsets.size - 1, NEVER, np.int64)
    filled = np.flatnonzero(np.diff(offsets))
    if filled.size:
        newest[filled] = np.maximum.reduceat(ts, offsets[filled])
    return newest
