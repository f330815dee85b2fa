"""Dividends that distort a strip of American options.

This tells which underlyings have one before an expiry, and how large it is.

The right to exercise early makes American options dearer than the European ones that the variance
formula means, and around a large dividend much dearer. Measured on a tree (methodology 6.4): a
strip errs by some 0.1 vol points with dividends of 0.5 %, by 2.4 with one of 2 % two days before
expiry.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from analytics.arrays import Floats, Ints
from streams.market import Dividend
from streams.valuation.universe import Universe

FLAG: Final = "dividend"
SIZES: Final = (0.005, 0.01, 0.02)
"""Least share of the forward of each size class; what is smaller is accepted."""
SIZE_FLAGS: Final = ("", *(f"{FLAG}:{100 * size:g}%" for size in SIZES))
"""Flag of a point by size class."""
NEVER: Final = -1


class ExDates:
    """Dividends by monitored underlying, in columns padded to the longest list."""

    def __init__(self, dividends: Sequence[Dividend], universe: Universe) -> None:
        lists: dict[int, list[Dividend]] = {}
        for one in dividends:
            if one.symbol in universe.position:
                lists.setdefault(universe.position[one.symbol], []).append(one)
        shape = (len(universe.symbols), max(map(len, lists.values()), default=0))
        self._day: Ints = np.full(shape, NEVER, np.int64)
        self._amount: Floats = np.zeros(shape)
        for row, known in lists.items():
            self._day[row, : len(known)] = [one.ex_day for one in known]
            self._amount[row, : len(known)] = [one.amount for one in known]

    def size_class(self, underlying: Ints, today: int, expiry: Ints, forward: Floats) -> Ints:
        """Class in `SIZE_FLAGS` of the largest dividend of n underlyings; 0 without a forward.

        The dividends are those with today < ex-date <= expiry.

        Args:
            underlying: positions among the monitored.
            today: days since 1970-01-01; an ex-date of today is already in the price.
            expiry: last day of the later strip, days since 1970-01-01.
            forward: USD.
        """
        if not self._day.shape[1]:
            return np.zeros(underlying.size, np.int64)
        inside = (self._day[underlying] > today) & (self._day[underlying] <= expiry[:, None])
        largest = np.where(inside, self._amount[underlying], 0.0).max(axis=1)
        classes: Ints = np.searchsorted(
            SIZES, largest / np.where(forward > 0, forward, np.inf), side="right"
        )
        return classes
