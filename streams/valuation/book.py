"""QuoteBook: the latest quote of every contract of one source, in flat columns.

A contract owns one *slot* of the columns for as long as the book lives; a sorted index of the keys
leads to the slots, and for most contracts an index by hash leads there faster. Slot 0 belongs to no
contract: its prices are NaN, so an absent side of a strike reads as "no quote" without a branch.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats, Ints
from streams.uniform import in_order
from streams.valuation.contract_key import SEGMENT_SHIFT
from streams.valuation.out_of_order import QuoteColumns, latest_quotes

NEVER = int(np.iinfo(np.int64).min)
"""`ts_event` of a slot without a quote."""
ABSENT = 0
"""The slot of no contract."""
SPREAD = 16
"""Entries of the hash index for each slot: the more, the fewer contracts share one."""

NO_KEY = -1
"""Of a slot without a contract; keys are not negative."""
_NONE: NDArray[np.intp] = np.empty(0, np.intp)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio."""

Slots = NDArray[np.intp]


class Repeats(NamedTuple):
    """Pairs of rows of one contract, one the next of the other."""

    row: NDArray[np.intp]
    following: NDArray[np.intp]


@dataclass(slots=True)
class ContractSlots:
    """Where the contracts of n rows are kept."""

    slots: Slots
    """ABSENT where the book has no room."""
    complete: bool
    """None is absent."""
    repeats: Repeats | None = None
    """Once it has been asked."""


class Applied(NamedTuple):
    """Which rows offered to the book do not count: their positions."""

    duplicate: NDArray[np.intp]
    """Says what the latest quote of its contract says, at the same time."""
    no_room: NDArray[np.intp]
    """Of a contract for which the book had no room."""


class QuoteBook:
    """Latest quotes of at most `limit` contracts.

    One writer, no clock: the greater `ts_event` wins, at a tie the later row.
    """

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
        self.conflict_ts: Ints = np.full(1024, NEVER, np.int64)
        """By slot, the latest time for which it was given two prices."""
        self.has_conflicts = False
        self._latest: Slots = np.zeros(1024, np.intp)
        self._newest = NEVER
        """Greatest `ts_event` applied."""
        self._key: Ints = np.full(1024, NO_KEY, np.int64)
        self._hash_index = self._new_hash_index()
        self.new_segments: set[int] = set()
        """Strips that gained their first contract; whoever chooses expiries empties it."""

    def __len__(self) -> int:
        """Number of contracts."""
        return self.keys.size

    def slots_of(self, key: Ints) -> ContractSlots:
        """Where contracts are kept, new ones entered in order of arrival while there is room."""
        slots = self._find(key)
        if _complete(slots):
            return ContractSlots(slots, complete=True)
        self._enter(key[slots == ABSENT])
        slots = self._find(key)
        return ContractSlots(slots, _complete(slots))

    def apply(self, located: ContractSlots, quoted: QuoteColumns) -> Applied:
        """Take over n quotes in order of arrival.

        How they are cut into calls changes neither the book nor what is told.
        """
        slots, ts = located.slots, quoted.ts
        if located.complete and ts.size and in_order(ts) and self._follow(slots, ts):
            self._write(slots, quoted, ts[-1])
            return Applied(self._repeating(located, quoted), _NONE)
        no_room, taken = np.flatnonzero(slots == ABSENT), np.flatnonzero(slots != ABSENT)
        if not taken.size:
            return Applied(_NONE, no_room)
        slots, quoted = slots[taken], quoted.take(taken)
        duplicate, latest, conflict = latest_quotes(
            slots, quoted, QuoteColumns(self.ts[slots], self.bid[slots], self.ask[slots])
        )
        self._note_conflicts(slots[conflict], quoted.ts[conflict])
        self._write(slots[latest], quoted.take(latest), quoted.ts.max())
        return Applied(taken[duplicate], no_room)

    def _follow(self, slots: Slots, ts: Ints) -> bool:
        """Whether rows in order of time are all later than what is held of their contracts."""
        return bool(ts[0] > self._newest or np.logical_and.reduce(self.ts[slots] < ts))

    def _write(self, slots: Slots, quoted: QuoteColumns, newest: np.int64) -> None:
        """Of rows of one contract the last is kept."""
        self.ts[slots], self.bid[slots], self.ask[slots] = quoted
        self._newest = max(self._newest, int(newest))

    def _repeating(self, located: ContractSlots, quoted: QuoteColumns) -> NDArray[np.intp]:
        """Rows in order of time that repeat the one before of their contract.

        They say what that one says, at the same time.
        """
        if not np.count_nonzero(quoted.ts[1:] == quoted.ts[:-1]):
            return _NONE
        if located.repeats is None:
            located.repeats = self._repeats(located.slots)
        row, following = located.repeats
        (ts, bid, ask), (then, its_bid, its_ask) = quoted.take(row), quoted.take(following)
        same: NDArray[np.bool_] = (ts == then) & (bid == its_bid) & (ask == its_ask)
        other = (ts == then) & ~same
        self._note_conflicts(located.slots[following[other]], ts[other])
        return following[same]

    def mark_conflicts(self, slots: Slots) -> None:
        """The quotes that these hold are in conflict with others of their time."""
        self._note_conflicts(slots, self.ts[slots])

    def _note_conflicts(self, slots: Slots, ts: Ints) -> None:
        if slots.size:
            # A slot may be named for several times, in any order.
            np.maximum.at(self.conflict_ts, slots, ts)
            self.has_conflicts = True

    def _repeats(self, slots: Slots) -> Repeats:
        """Where n rows name a contract again."""
        rows = np.arange(slots.size)
        self._latest[slots] = rows
        row = np.flatnonzero(self._latest[slots] != rows)
        row = row[np.argsort(slots[row], kind="stable")]
        last = np.append(slots[row[1:]] != slots[row[:-1]], True)[: row.size]
        return Repeats(row, np.where(last, self._latest[slots[row]], np.roll(row, -1)))

    def span(self, low: Ints, high: Ints) -> tuple[Ints, Ints]:
        """Positions in `keys` of the half-open key ranges [low, high)."""
        return np.searchsorted(self.keys, low), np.searchsorted(self.keys, high)

    def key_of(self, slot: int) -> Ints:
        """The key of the contract that owns a slot, as an array of one."""
        return self._key[slot : slot + 1]

    def _find(self, key: Ints) -> Slots:
        """Slots by the hash index.

        They are by the sorted one for contracts that lost their entry to another.
        """
        slots = self._hash_index.take(self._hash(key)).astype(np.intp)
        misses = np.flatnonzero(self._key.take(slots) != key)
        if misses.size and self.keys.size:
            missed = key[misses]
            at = np.minimum(np.searchsorted(self.keys, missed), self.keys.size - 1)
            slots[misses] = np.where(self.keys[at] == missed, self.slots[at], ABSENT)
        return slots

    def _hash(self, key: Ints) -> Ints:
        """Fibonacci hashing: the upper bits of a product."""
        return ((key.view(np.uint64) * GOLDEN) >> self._shift).view(np.int64)

    def _new_hash_index(self) -> NDArray[np.int32]:
        bits = (SPREAD * self.ts.size - 1).bit_length()
        self._shift = np.uint64(64 - bits)
        entries = np.full(1 << bits, ABSENT, np.int32)
        entries[self._hash(self.keys)] = self.slots
        return entries

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
        self._hash_index[self._hash(fresh)] = slots
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
        self.conflict_ts = np.concatenate([self.conflict_ts, np.full(more, NEVER, np.int64)])
        self._latest = np.concatenate([self._latest, np.zeros(more, np.intp)])
        self._key = np.concatenate([self._key, np.full(more, NO_KEY, np.int64)])
        self._hash_index = self._new_hash_index()


def _complete(slots: Slots) -> bool:
    """Whether each is the slot of a contract."""
    return int(np.count_nonzero(slots)) == slots.size  # ABSENT is 0
