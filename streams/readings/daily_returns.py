"""Returns from one price a session, and the names that may be used."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.readings.grid_window import JUMP

Prices = NDArray[np.float64]


class DailyTable(NamedTuple):
    """n symbols, the index last."""

    closes: Prices
    """(sessions, n) before the current session, oldest first, none before the last long gap.

    NaN where a name did not tick.
    """
    today: Prices
    """(n,) last prices of the current session, NaN alike."""

    def steps(self, sessions: int) -> Prices:
        """Simple returns of each of the last sessions, the current one included.

        The shape is (at most `sessions`, n).

        NaN without a price at either end, and for a move beyond `JUMP`, which is a split or a bad
        print.
        """
        return steps(np.vstack((self.closes[-sessions:], self.today)))

    def over(self, sessions: int) -> Prices:
        """Simple returns over so many sessions up to now: (n,).

        NaN without a price at either end or with a jump between.
        """
        if len(self.closes) < sessions:
            return np.full(self.today.shape, np.nan)
        prices = np.vstack((self.closes[-sessions:], self.today))
        rows = np.where(np.isfinite(prices), np.arange(len(prices))[:, None], 0)
        filled = np.take_along_axis(prices, np.maximum.accumulate(rows, axis=0), axis=0)
        jumped = (np.abs(np.diff(np.log(filled), axis=0)) > JUMP).any(axis=0)
        return np.where(jumped, np.nan, prices[-1] / prices[0] - 1)


def steps(prices: Prices) -> Prices:
    """Simple returns between (s, n) prices of neighbouring sessions.

    The shape is (s - 1, n); NaN across a jump or a missing price.
    """
    moves = prices[1:] / prices[:-1] - 1
    return np.where(np.abs(np.log1p(moves)) > JUMP, np.nan, moves)
