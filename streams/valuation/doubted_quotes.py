"""Quotes that the judge of strips has found, each counted once, with an example of each reason."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.arrays import Ints
from analytics.found_quotes import FoundQuotes, QuoteReason
from streams.calendar.sessions import date_of
from streams.catalogue.counters import STRIP_QUOTES
from streams.left_out import LeftOut, left_out
from streams.records import Series
from streams.stage import Output
from streams.valuation.book import NEVER, QuoteBook
from streams.valuation.contract_key import (
    SEGMENT_SHIFT,
    day_of,
    is_call,
    series_of,
    strike_of,
)
from streams.valuation.option_chains import Quoted

_WORDS: Final = {
    QuoteReason.OUT_OF_LINE: "no neighbour allows its mid; it is left out of its strip",
    QuoteReason.BEYOND_PAYOFF: "more than the option can ever pay; it is left out of its strip",
    QuoteReason.VERTICAL: "its bid is above the ask of an option that is worth more",
    QuoteReason.PARITY: "with its call it does not allow the forward",
    QuoteReason.CONFLICT: (
        "its source has other prices of the contract at the same time, and the last one counts; "
        "two classes without a root?"
    ),
    QuoteReason.BUTTERFLY: "its bid is above the line between the asks either side of it",
}

_NONE: Final[Ints] = np.empty(0, np.int64)


class DoubtedQuotes:
    """Counts of one source since they were last put into an output.

    A quote stands for as long as no newer one of its contract comes, and is judged every second: it
    is counted once.
    """

    def __init__(self, book: QuoteBook) -> None:
        self._book = book
        self._counted: Ints = _NONE
        """By slot, the time of the quote that was counted last."""
        self._rows: Counter[QuoteReason] = Counter()
        self._examples: dict[QuoteReason, int] = {}
        """Slots."""

    def clear(self) -> None:
        """The book has been cleared."""
        self._counted = _NONE

    def take(self, found: FoundQuotes, quoted: Quoted) -> None:
        """Take in what was found among rows of a chain."""
        if not found.row.size:
            return
        slots = np.where(found.call, quoted.call[found.row], quoted.put[found.row])
        ts = self._book.ts[slots]
        if self._counted.size < self._book.ts.size:
            grown = np.full(self._book.ts.size, NEVER, np.int64)
            grown[: self._counted.size] = self._counted
            self._counted = grown
        new = self._counted[slots] != ts
        self._counted[slots] = ts
        for reason in QuoteReason:
            at = np.flatnonzero(new & (found.reason == reason))
            if at.size:
                self._rows[reason] += at.size
                self._examples[reason] = int(slots[at[0]])

    def put(self, output: Output, series: Sequence[Series]) -> None:
        """Move the counts and an example of each reason into an output; `series` by code."""
        for reason, rows in self._rows.items():
            output.counts[STRIP_QUOTES.of(reason.label)] += rows
        for reason, slot in self._examples.items():
            output.examples["quotes", reason.label] = self._example(reason, slot, series)
        self._rows.clear()
        self._examples.clear()

    def _example(self, reason: QuoteReason, slot: int, series: Sequence[Series]) -> LeftOut:
        book = self._book
        key = book.key_of(slot)
        right = "C" if is_call(key)[0] else "P"
        expiry = date_of(int(day_of(key >> SEGMENT_SHIFT)[0])).isoformat()
        root = series[int(series_of(key)[0])].root
        contract = f"{root} {expiry} {right} {strike_of(key)[0]:g}"
        value = f"bid {book.bid[slot]:g}, ask {book.ask[slot]:g}: {_WORDS[reason]}"
        return left_out(reason.label, value, contract, ts_event=int(book.ts[slot]))
