"""What can be wrong with a quote among the others of its strip."""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Bools, Ints

ROUNDING_USD: Final = 1e-4
"""Less than half a cent, more than sums of prices lose: no tie depends on the strips beside it."""


class QuoteReason(IntEnum):
    """What is wrong with a quote; `label` is its word on the wire."""

    OUT_OF_LINE = 0
    BEYOND_PAYOFF = 1
    VERTICAL = 2
    BUTTERFLY = 3
    PARITY = 4
    CONFLICT = 5
    """Two prices of one contract at one time: `streams.valuation.conflicts`."""

    @property
    def label(self) -> str:
        """Lower-case name."""
        return self.name.lower()


class FoundQuotes(NamedTuple):
    """k quotes of a chain, by row and side, and what is wrong with them."""

    row: Ints
    call: Bools
    reason: Ints
    """`QuoteReason` codes."""


_NO_ROWS: NDArray[np.int64] = np.empty(0, np.int64)
NO_QUOTES = FoundQuotes(_NO_ROWS, np.empty(0, np.bool_), _NO_ROWS)
