"""Prices: the last price of every symbol in a closed second."""

import numpy as np
from numpy.typing import NDArray

from streams.points import PricePoints
from streams.valuation.universe import Universe


class LastPrices:
    """Last prices of n monitored symbols in one second."""

    def __init__(
        self, symbols: int, at: NDArray[np.int64], ts: NDArray[np.int64], price: NDArray[np.float64]
    ) -> None:
        """Take ticks in order of arrival, `at` the position of the symbol.

        The greatest time wins, at a tie the later arrival.
        """
        order = np.argsort(ts, kind="stable")
        self.ticks: NDArray[np.int64] = np.bincount(at, minlength=symbols)
        """Number of ticks by symbol."""
        self._ts = np.zeros(symbols, np.int64)
        self._price = np.full(symbols, np.nan)
        # A repeated index keeps the last value assigned: that of the greatest time.
        self._ts[at[order]] = ts[order]
        self._price[at[order]] = price[order]

    def of_index(self, universe: Universe, index: int) -> PricePoints | None:
        """The prices an index uses, by symbol; None when none of them ticked."""
        at = np.flatnonzero(universe.used[index] & (self.ticks > 0))
        if not at.size:
            return None
        return PricePoints(
            tuple([universe.symbols[one] for one in at.tolist()]), self._price[at], self._ts[at]
        )
