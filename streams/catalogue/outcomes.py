"""Closed sets of words for what became of a row of the input: label values of counters."""

from enum import IntEnum
from typing import Final


class Outcome(IntEnum):
    """What became of a row; `label` is the label value of `quotes_total`."""

    ACCEPTED = 0
    NON_FINITE = 1
    NEGATIVE = 2
    STRIKE = 3
    CROSSED = 4
    UNKNOWN = 5
    FUTURE = 6
    OUTSIDE_SESSION = 7
    LATE = 8
    EXPIRED = 9
    FAR_EXPIRY = 10
    DUPLICATE = 11
    TIME = 12

    @property
    def label(self) -> str:
        """Lower-case name."""
        return self.name.lower()


UNREAD: Final = ("missing_field", "type", "symbol", "expiry")
"""Rows that could not be read beside others of their record.

Those without a time count as `time`.
"""

OUTCOMES: Final = (*(outcome.label for outcome in Outcome), "no_bid", "no_room", *UNREAD)
"""What becomes of a quote, for the counts, beside what the screen says.

It is let in without a bid or an ask, or of a contract for which there is no room, or not to be
read.
"""

NO_ROOM: Final = OUTCOMES.index("no_room")

STRIP_QUOTE_REASONS: Final = (
    *("out_of_line", "beyond_payoff", "vertical", "butterfly", "parity", "conflict"),
)
"""What is wrong with a quote among the others of its strip: `analytics.found_quotes`."""

UNSOLVED: Final = (
    *("expired", "no_forward", "too_few", "not_bracketed", "thousandths", "off_scale"),
)
"""Why a strip has no at-the-money vol: `analytics.atm.AtmStatus`."""

TICK_OUTCOMES: Final = (
    *("accepted", "non_finite", "negative", "unknown", "future", "late", "outside_session"),
    *("time", "type", "missing_field"),
)
"""What becomes of a tick: a part of `OUTCOMES`."""
