"""The width of the index's quotes in its own past: a sample a minute of the latest hour with one.

The past goes on over the night, so that the first seconds of a session have one.
"""

from statistics import median
from typing import Final

import msgspec

from streams.records import NS

MINUTE: Final = 60 * NS
KEPT: Final = 60
"""Minutes."""
LEAST: Final = 5
"""Minutes below which their median says nothing."""


class WidthPast(msgspec.Struct):
    """Vol on asks less vol on bids, over the vol, by minute; oldest first."""

    samples: list[tuple[int, float]] = []

    def exceeded(self, ts: int, width: float, multiple: float) -> bool:
        """Whether a width at `ts` (ns) is more than a multiple of the median of earlier minutes.

        >>> past = WidthPast([(minute, 0.02) for minute in range(5)])
        >>> past.exceeded(5 * MINUTE, 0.11, 5.0), past.exceeded(5 * MINUTE, 0.09, 5.0)
        (True, False)
        """
        earlier = [known for minute, known in self.samples if minute < ts // MINUTE]
        return len(earlier) >= LEAST and width > multiple * median(earlier)

    def add(self, ts: int, width: float) -> None:
        """Take in the width at `ts` (ns); the first of a minute counts."""
        minute = ts // MINUTE
        if not self.samples or self.samples[-1][0] < minute:
            self.samples = [*self.samples[1 - KEPT :], (minute, width)]
