"""Quotes in any order of time: row by row, as if one came after the other, but in columns.

Five rows of one contract, of which the book holds a quote of second 10, bid 1.0 and ask 2.0:

    row  ts  bid  ask
    0    11  1.0  2.0   newer: it is the latest now
    1     9  5.0  6.0   older than the latest: passed over
    2    11  1.0  2.0   the same time and the same prices as the latest: a duplicate
    3    11  1.5  2.5   the same time, other prices: the later row is the latest
    4    10  1.0  2.0   older again, whatever the book held of that time

The latest is row 3, the duplicate row 2; row 3 is in conflict with row 2.

>>> ts = np.array([11, 9, 11, 11, 10])
>>> every = (ts, np.array([1.0, 5.0, 1.0, 1.5, 1.0]), np.array([2.0, 6.0, 2.0, 2.5, 2.0]))
>>> held = QuoteColumns(np.full(5, 10), np.full(5, 1.0), np.full(5, 2.0))
>>> found = latest_quotes(np.zeros(5, np.intp), QuoteColumns(*every), held)
>>> found.latest.tolist(), found.duplicate.tolist(), found.conflict.tolist()
([3], [2], [3])
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats, Ints


class QuoteColumns(NamedTuple):
    """n quotes, or the latest quote of each of n contracts."""

    ts: Ints
    bid: Floats
    ask: Floats

    def take(self, rows: NDArray[np.intp]) -> "QuoteColumns":
        """Some of them."""
        return QuoteColumns(self.ts[rows], self.bid[rows], self.ask[rows])


class LatestQuotes(NamedTuple):
    """How n rows in order of arrival did; all are positions of rows."""

    duplicate: NDArray[np.intp]
    """Rows that say what the latest quote of their contract says, at the same time."""
    latest: NDArray[np.intp]
    """The latest quote of each contract for which it is among the rows."""
    conflict: NDArray[np.intp]
    """Rows that say something else than the latest quote of their contract, at the same time."""


def latest_quotes(slots: NDArray[np.intp], rows: QuoteColumns, held: QuoteColumns) -> LatestQuotes:
    """The greater time wins, at a tie the later row.

    Args:
        slots: of the contract of each of n rows, n > 0.
        rows: the quotes, in order of arrival.
        held: for each row, what the book holds of its contract beforehand.
    """
    order = np.argsort(slots, kind="stable")
    slots, rows, held = slots[order], rows.take(order), held.take(order)
    first = np.concatenate([[True], slots[1:] != slots[:-1]])
    head = np.flatnonzero(first)[np.cumsum(first) - 1]
    times, rank = np.unique(np.concatenate([rows.ts, held.ts]), return_inverse=True)
    # So that the ranks of a contract are above all of the one before.
    above = head * times.size
    floor, rank = above + rank[slots.size :], above + rank[: slots.size]
    greatest = np.maximum.accumulate(np.where(first, np.maximum(floor, rank), rank))
    wins = rank >= np.where(first, floor, np.roll(greatest, 1))
    latest = np.maximum.accumulate(np.where(wins, np.arange(slots.size), -1))
    former = np.roll(latest, 1)
    # Else the row meets what the book holds.
    known = ~first & (former >= head)
    met = QuoteColumns(
        *(np.where(known, ours[former], theirs) for ours, theirs in zip(rows, held, strict=True))
    )
    then = rows.ts == met.ts
    same = then & (rows.bid == met.bid) & (rows.ask == met.ask)
    tail = np.append(first[1:], True)
    last = latest[tail]
    return LatestQuotes(order[same], order[last[last >= head[tail]]], order[then & ~same])
