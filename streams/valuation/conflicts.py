"""Contracts of a snapshot that have two prices at one time: which of them counts is chance.

So it looks where two classes of a date, one settled at the open and one at the close, come without
their roots.
"""

from typing import Final, NamedTuple

import numpy as np

from analytics.arrays import Bools, Ints
from analytics.found_quotes import NO_QUOTES, FoundQuotes, QuoteReason
from analytics.strip_doubts import Doubt
from streams.valuation.book import ABSENT, QuoteBook, Slots
from streams.valuation.option_chains import Quoted

LEAST: Final = 3
"""Options of a strip with two prices from which on it is doubted."""


class Conflicts(NamedTuple):
    """Those of m strips."""

    found: FoundQuotes
    doubts: Ints
    """`Doubt` bits."""


def conflicts_in(book: QuoteBook, quoted: Quoted, snapshots: Bools) -> Conflicts:
    """Options whose latest quote has another one beside it of the same time.

    Args:
        book: that holds them.
        quoted: m strips.
        snapshots: whether each is of a source that repeats itself. In a feed of changes several
            quotes of a contract may share a time, and their order is that of the market.
    """
    nothing = np.zeros(len(snapshots), np.int64)
    if not book.has_conflicts or not snapshots.any():
        return Conflicts(NO_QUOTES, nothing)
    owner = np.repeat(np.arange(len(snapshots)), np.diff(quoted.chain.offsets))
    sides = [snapshots[owner] & _in_conflict(book, slots) for slots in (quoted.call, quoted.put)]
    if not any(side.any() for side in sides):
        return Conflicts(NO_QUOTES, nothing)
    rows = [np.flatnonzero(side) for side in sides]
    row = np.concatenate(rows)
    many = np.bincount(owner[row], minlength=len(snapshots)) >= LEAST
    return Conflicts(
        FoundQuotes(
            row,
            np.repeat([True, False], [one.size for one in rows]),
            np.full(row.size, int(QuoteReason.CONFLICT)),
        ),
        np.where(many, int(Doubt.CONFLICT), 0),
    )


def _in_conflict(book: QuoteBook, slots: Slots) -> Bools:
    return np.asarray((slots != ABSENT) & (book.conflict_ts[slots] == book.ts[slots]))
