"""Quotes in any order of time: row by row, as if one came after the other, but in columns."""

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
    above = head * times.size  # so that the ranks of a contract are above all of the one before
    floor, rank = above + rank[slots.size :], above + rank[: slots.size]
    latest = np.maximum.accumulate(np.where(first, np.maximum(floor, rank), rank))
    wins = rank >= np.where(first, floor, np.roll(latest, 1))
    latest = np.maximum.accumulate(np.where(wins, np.arange(slots.size), -1))
    former = np.roll(latest, 1)
    known = ~first & (former >= head)  # else the row meets what the book holds
    met = QuoteColumns(*(np.where(known, ours[former], theirs) for ours, theirs in zip(rows, held, strict=True)))
    same = (rows.ts == met.ts) & (rows.bid == met.bid) & (rows.ask == met.ask)
    tail = np.append(first[1:], True)
    last = latest[tail]
    return LatestQuotes(order[same], order[last[last >= head[tail]]])
