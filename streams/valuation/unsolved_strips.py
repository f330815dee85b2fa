"""Strips with quotes of which no at-the-money vol could be solved, counted by why."""

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Ints
from analytics.atm import AtmStatus
from streams.catalogue.counters import IV_FAILURES
from streams.stage import Output
from streams.valuation.book import NEVER


class UnsolvedStrips:
    """Counts of one second."""

    def __init__(self) -> None:
        self._rows = np.zeros(len(AtmStatus), np.int64)

    def begin(self) -> None:
        """A second begins; what strips on the terms of the next session gave does not count."""
        self._rows[:] = 0

    def take(self, status: NDArray[np.int8], quote_ts: Ints) -> None:
        """Take in the `AtmStatus` of strips of one second; those never quoted do not count."""
        failed = status[(status != int(AtmStatus.OK)) & (quote_ts != NEVER)]
        if failed.size:
            self._rows += np.bincount(failed, minlength=self._rows.size)

    def put(self, output: Output) -> None:
        """Move the counts into an output."""
        for code in np.flatnonzero(self._rows).tolist():
            reason = AtmStatus(code).name.lower()
            output.counts[IV_FAILURES.of(reason)] += int(self._rows[code])
