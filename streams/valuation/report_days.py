"""Days of coming reports by underlying: which terms hold one, and when the next comes."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.arrays import Ints
from streams.market import EarningsReport
from streams.valuation.universe import Universe

NONE_KNOWN: Final = np.iinfo(np.int64).max


class ReportDays:
    """Reports by monitored underlying, in columns padded to the longest list."""

    def __init__(self, reports: Sequence[EarningsReport] | None, universe: Universe) -> None:
        lists: dict[int, set[int]] = {}
        for one in reports or ():
            if one.symbol in universe.position:
                lists.setdefault(universe.position[one.symbol], set()).add(one.day)
        width = max(map(len, lists.values()), default=0)
        self._day: Ints = np.full((len(universe.symbols), width), NONE_KNOWN, np.int64)
        for row, days in lists.items():
            self._day[row, : len(days)] = sorted(days)

    def next(self, underlying: Ints, today: int) -> Ints:
        """The next report's first session after today, `NONE_KNOWN` without one.

        Args:
            underlying: n positions among the monitored.
            today: days since 1970-01-01; a report that today trades on is in the price.
        """
        day = self._day[underlying]
        coming: Ints = np.where(day > today, day, NONE_KNOWN)
        return np.asarray(coming.min(axis=1, initial=NONE_KNOWN), np.int64)

    def before(self, underlying: Ints, today: int, expiry: Ints) -> Ints:
        """How many reports n underlyings have after today, up to the day of an expiry."""
        day = self._day[underlying]
        return np.asarray(((day > today) & (day <= expiry[:, None])).sum(axis=1), np.int64)
