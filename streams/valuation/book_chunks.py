"""State chunks of a quote book: the contracts of 64 series each.

So a checkpoint writes only what has changed.
"""

from collections.abc import Mapping

import numpy as np

from analytics.arrays import Ints
from streams.column_chunk import pack_columns, unpack_columns
from streams.valuation.book import QuoteBook
from streams.valuation.contract_key import SERIES_SHIFT, series_of
from streams.valuation.out_of_order import QuoteColumns
from streams.valuation.reorder_buffer import looked_up

SERIES_BITS = 6
PREFIX = "book/"
_EMPTY = {
    "key": np.empty(0, np.int64),
    "ts": np.empty(0, np.int64),
    "bid": np.empty(0),
    "ask": np.empty(0),
    "conflict": np.empty(0, np.bool_),
}
_ADDED = frozenset({"conflict"})
"""Columns that are there when they say something; earlier releases do not have them."""


class BookChunks:
    """Knows which parts of a book the checkpoint does not have yet."""

    def __init__(self, book: QuoteBook) -> None:
        self._book = book
        self._saved: set[int] = set()
        self._changed: set[int] = set()

    def touch(self, series: Ints) -> None:
        """Contracts of these series have changed."""
        self._changed.update(np.flatnonzero(np.bincount(series >> SERIES_BITS)).tolist())

    def cleared(self) -> None:
        """The book has been cleared."""
        self._changed = set(self._saved)

    def changed(self) -> dict[str, bytes]:
        """Chunks since the last call; an empty value for one that has lost its last contract."""
        chunks = {f"{PREFIX}{part}": self._encode(part) for part in sorted(self._changed)}
        self._saved = (self._saved - self._changed) | {
            part for part in self._changed if chunks[f"{PREFIX}{part}"]
        }
        self._changed.clear()
        return chunks

    def restore(self, chunks: Mapping[str, bytes], underlying: Ints) -> None:
        """Fill the book from a checkpoint. Raises `ValueError`.

        `underlying` is negative for series that are no longer monitored.
        """
        self._book.clear()
        self._changed.clear()
        self._saved = set()
        for name in sorted(name for name in chunks if name.startswith(PREFIX)):
            columns, _ = unpack_columns("book", chunks[name], _EMPTY, _ADDED)
            part, key = int(name.removeprefix(PREFIX)), columns["key"]
            self._saved.add(part)
            kept = looked_up(underlying, series_of(key)) >= 0
            # Another series may get the code of what is left out.
            if not kept.all():
                self._changed.add(part)
            quoted = QuoteColumns(columns["ts"], columns["bid"], columns["ask"]).take(
                np.flatnonzero(kept)
            )
            located = self._book.slots_of(key[kept])
            self._book.apply(located, quoted)
            if "conflict" in columns:
                self._book.mark_conflicts(located.slots[columns["conflict"][kept]])

    def _encode(self, part: int) -> bytes:
        first, last = (
            part << (SERIES_BITS + SERIES_SHIFT),
            ((part + 1) << (SERIES_BITS + SERIES_SHIFT)) - 1,
        )
        start = int(np.searchsorted(self._book.keys, np.int64(first)))
        stop = int(np.searchsorted(self._book.keys, np.int64(last), side="right"))
        if start == stop:
            return b""
        slots = self._book.slots[start:stop]
        book = self._book
        columns = {
            "key": book.keys[start:stop],
            "ts": book.ts[slots],
            "bid": book.bid[slots],
            "ask": book.ask[slots],
        }
        if book.has_conflicts and (conflict := book.conflict_ts[slots] == columns["ts"]).any():
            columns["conflict"] = conflict
        return pack_columns("book", columns)
