"""QuoteBook: the latest quote of every contract of one source, in flat columns.

A contract owns one *slot* of the columns for as long as the book lives; a sorted index of the keys leads to the slots, and
for most contracts a shortcut by hash leads there faster.
Slot 0 belongs to no contract: its prices are NaN, so an absent side of a strike reads as "no quote" without a branch.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.valuation.contract_key import SEGMENT_SHIFT, SERIES_SHIFT, Floats, Ints

NEVER = int(np.iinfo(np.int64).min)
"""`ts_event` of a slot without a quote."""
ABSENT = 0
"""The slot of no contract."""
SPREAD = 8
"""Places of the shortcut for each slot: the more, the fewer contracts share one."""

NO_KEY = -1
"""Of a slot without a contract; keys are not negative."""
REPEATED = -1
"""In place of a row: several rows are of this contract."""
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio."""

Slots = NDArray[np.intp]


class Repeats(NamedTuple):
    """Pairs of rows of one contract, one the next of the other."""

    row: NDArray[np.intp]
    following: NDArray[np.intp]


class Applied(NamedTuple):
    """Which rows offered to the book do not count: their positions."""

    duplicate: NDArray[np.intp]
    """The next row of the same contract says the same at the same time."""
    refused: NDArray[np.intp]
    """Of a contract for which the book had no room."""


class QuoteBook:
    """Latest quotes of at most `limit` contracts. One writer, no clock: the greater `ts_event` wins, at a tie the later row."""

    def __init__(self, limit: int = 1_000_000) -> None:
        self._limit = limit
        self.clear()

    def clear(self) -> None:
        """Forget every contract."""
        self.keys: Ints = np.empty(0, np.int64)
        """Keys in ascending order."""
        self.slots: Slots = np.empty(0, np.intp)
        """The slot of each of `keys`."""
        self.ts: Ints = np.full(1024, NEVER, np.int64)
        self.bid: Floats = np.full(1024, np.nan)
        self.ask: Floats = np.full(1024, np.nan)
        self._winner: Ints = np.zeros(1024, np.int64)
        self._newest = NEVER
        """Greatest `ts_event` applied."""
        self._key: Ints = np.full(1024, NO_KEY, np.int64)
        self._shortcut = self._shortcuts()
        self.new_segments: set[int] = set()
        """Strips that gained their first contract; whoever chooses expiries empties it."""

    def __len__(self) -> int:
        """Number of contracts."""
        return self.keys.size

    def locate(self, key: Ints) -> Slots:
        """Slots of contracts, new ones entered in order of arrival while there is room; ABSENT for the refused."""
        slots = self._find(key)
        if (slots == ABSENT).any():
            self._enter(key[slots == ABSENT])
            slots = self._find(key)
        return slots

    def apply(self, slots: Slots, ts: Ints, bid: Floats, ask: Floats, repeats: Repeats | None = None) -> Applied:
        """Take over n quotes given in order of arrival; prices USD, times nanoseconds. `repeats` are those of the slots, where known."""
        n = slots.size
        order = None if in_order(ts) else np.argsort(ts, kind="stable")
        if order is not None:
            slots, ts, bid, ask, repeats = slots[order], ts[order], bid[order], ask[order], None
        duplicate = _duplicates(repeats or self.repeats(slots), ts, bid, ask)
        refused = np.flatnonzero(slots == ABSENT)
        if n and (refused.size or ts[0] < self._newest):
            lands = ts >= self.ts[slots]
            lands[refused] = False
            slots, ts, bid, ask = slots[lands], ts[lands], bid[lands], ask[lands]
        # Rows are in order of time here and a repeated index keeps the last value assigned: the winner's.
        self.ts[slots] = ts
        self.bid[slots] = bid
        self.ask[slots] = ask
        if ts.size:
            self._newest = max(self._newest, int(ts[-1]))
        return Applied(duplicate, refused) if order is None else Applied(order[duplicate], order[refused])

    def repeats(self, slots: Slots) -> Repeats:
        """Where n rows name a contract again."""
        rows = np.arange(slots.size)
        self._winner[slots] = rows
        earlier = np.flatnonzero(self._winner[slots] != rows)
        if not earlier.size:
            return Repeats(earlier, earlier)
        self._winner[slots[earlier]] = REPEATED
        again = np.flatnonzero(self._winner[slots] == REPEATED)
        again = again[np.argsort(slots[again], kind="stable")]
        row, following = again[:-1], again[1:]
        pairs = (slots[row] == slots[following]) & (slots[row] != ABSENT)
        return Repeats(row[pairs], following[pairs])

    def span(self, low: Ints, high: Ints) -> tuple[Ints, Ints]:
        """Positions in `keys` of the half-open key ranges [low, high)."""
        return np.searchsorted(self.keys, low), np.searchsorted(self.keys, high)

    def _find(self, key: Ints) -> Slots:
        """Slots by the shortcut, and by the index for contracts that lost their place in it to another."""
        slots = self._shortcut.take(self._place(key)).astype(np.intp)
        astray = np.flatnonzero(self._key.take(slots) != key)
        if astray.size and self.keys.size:
            lost = key[astray]
            at = np.minimum(np.searchsorted(self.keys, lost), self.keys.size - 1)
            slots[astray] = np.where(self.keys[at] == lost, self.slots[at], ABSENT)
        return slots

    def _place(self, key: Ints) -> Ints:
        """Fibonacci hashing: the upper bits of a product."""
        return ((key.view(np.uint64) * GOLDEN) >> self._shift).view(np.int64)

    def _shortcuts(self) -> NDArray[np.int32]:
        bits = (SPREAD * self.ts.size - 1).bit_length()
        self._shift = np.uint64(64 - bits)
        places = np.full(1 << bits, ABSENT, np.int32)
        places[self._place(self.keys)] = self.slots
        return places

    def _enter(self, key: Ints) -> None:
        fresh, first = np.unique(key, return_index=True)
        room = self._limit - self.keys.size
        if fresh.size > room:
            fresh = np.sort(fresh[np.argsort(first)[:room]])
        if not fresh.size:
            return
        slots = np.arange(self.keys.size + 1, self.keys.size + 1 + fresh.size)
        self._grow(int(slots[-1]) + 1)
        self._key[slots] = fresh
        self._shortcut[self._place(fresh)] = slots
        at = np.searchsorted(self.keys, fresh)
        self.keys = np.insert(self.keys, at, fresh)
        self.slots = np.insert(self.slots, at, slots)
        self.new_segments.update(np.unique(fresh >> SEGMENT_SHIFT).tolist())

    def _grow(self, size: int) -> None:
        if size <= self.ts.size:
            return
        more = max(size, 2 * self.ts.size) - self.ts.size
        self.ts = np.concatenate([self.ts, np.full(more, NEVER, np.int64)])
        self.bid = np.concatenate([self.bid, np.full(more, np.nan)])
        self.ask = np.concatenate([self.ask, np.full(more, np.nan)])
        self._winner = np.concatenate([self._winner, np.zeros(more, np.int64)])
        self._key = np.concatenate([self._key, np.full(more, NO_KEY, np.int64)])
        self._shortcut = self._shortcuts()


def in_order(ts: Ints) -> bool:
    """Whether no time is less than the one before."""
    return bool(np.logical_and.reduce(ts[1:] >= ts[:-1]))


def _duplicates(repeats: Repeats, ts: Ints, bid: Floats, ask: Floats) -> NDArray[np.intp]:
    """Rows that the next one of their contract repeats."""
    row, following = repeats
    if not row.size:
        return row
    same: NDArray[np.bool_] = (ts[row] == ts[following]) & (bid[row] == bid[following]) & (ask[row] == ask[following])
    return row[same]


def series_range(first: int, last: int) -> tuple[Ints, Ints]:
    """Key range of the series codes [first, last)."""
    return np.array([first << SERIES_SHIFT]), np.array([last << SERIES_SHIFT])
