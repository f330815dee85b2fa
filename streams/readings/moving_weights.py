"""Weights of a basket of share counts: shares at the latest prices, in percent of the whole."""

import numpy as np
from numpy.typing import NDArray

from streams.basket_columns import BasketColumns, basket_columns
from streams.market import Basket

Column = NDArray[np.float64]


class MovingWeights:
    """n names with their shares.

    What a name weighs follows from prices alone, so nothing here is part of the state.
    """

    def __init__(self, basket: Basket) -> None:
        self._shares = np.array([name.shares for name in basket.constituents], np.float64)
        given = np.array([name.weight for name in basket.constituents], np.float64)
        self._given = np.where(given > 0, given, np.nan)
        self.columns = basket_columns(basket)
        self._configured = self.columns.weights
        self.start = self._configured
        """Weights at the closes before the session: what returns of a session are taken at."""

    def move(self, now: Column, prior: Column) -> BasketColumns:
        """The columns at these prices, NaN where a name has none.

        The largest names are chosen at the prior closes, so they stay the same within a session.

        Args:
            now: of this session, USD.
            prior: the latest close before it; the price of now stands in for one that is unknown.
        """
        start = self._weights(np.where(np.isfinite(prior), prior, now))
        if not np.array_equal(start, self.start):
            self.start = start
            self.columns = self.columns.led(start)
        self.columns = self.columns.weighed(self._weights(np.where(np.isfinite(now), now, prior)))
        return self.columns

    def _weights(self, prices: Column) -> Column:
        """In percent.

        A name without a price has the weight that its basket gives, moved as the others have moved,
        else the median of theirs. Without any price the weights are as configured.
        """
        value = self._shares * prices
        known = np.isfinite(value) & (value > 0)
        if not known.any():
            return self._configured
        if not known.all():
            value = np.where(known, value, self._stand_in(value, known))
        return np.asarray(100.0 * value / value.sum())

    def _stand_in(self, value: Column, known: NDArray[np.bool_]) -> Column:
        anchors = known & np.isfinite(self._given)
        median = np.full(len(value), np.median(value[known]))
        if not anchors.any():
            return median
        moved = self._given * (value[anchors].sum() / self._given[anchors].sum())
        return np.where(np.isfinite(moved), moved, median)
