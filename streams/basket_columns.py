"""A basket in columns.

They are the position of each name, its weight, and the positions of the largest names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streams.market import Basket
from streams.reading import Constituents

LARGEST = 50
"""Names behind `implied_correlation`.

The published index takes the top 50 by market value (methodology 3.3).
"""


@dataclass(frozen=True, slots=True)
class BasketColumns:
    """n names in the order of the configuration; arrays of length n unless said otherwise."""

    symbols: tuple[str, ...]
    weights: NDArray[np.float64]
    """As configured, not normalised; of a basket of shares in percent."""
    largest: NDArray[np.int64]
    """Positions of the at most `LARGEST` heaviest names, heaviest first.

    Ties are in the order of the symbols.
    """
    position: Mapping[str, int]

    @property
    def is_largest(self) -> NDArray[np.bool_]:
        """Whether a name is among `largest`."""
        mask = np.zeros(len(self.symbols), np.bool_)
        mask[self.largest] = True
        return mask

    @property
    def largest_symbols(self) -> tuple[str, ...]:
        """The symbols at `largest`."""
        return tuple(self.symbols[at] for at in self.largest)

    def positions_of(self, symbols: tuple[str, ...]) -> NDArray[np.int64]:
        """Position of each symbol, -1 for one that is not in the basket."""
        place = self.position.get
        return np.fromiter((place(symbol, -1) for symbol in symbols), np.int64, len(symbols))

    def weighed(self, weights: NDArray[np.float64]) -> "BasketColumns":
        """The same names, the same largest, at other weights."""
        return replace(self, weights=weights)

    def led(self, weights: NDArray[np.float64]) -> "BasketColumns":
        """The same names and weights, the largest chosen by these weights."""
        return replace(self, largest=heaviest(self.symbols, weights)[:LARGEST])


def basket_columns(basket: Basket) -> BasketColumns:
    """The columns of a basket.

    Raises `ValueError` when a name stands twice or a weight is not positive.

    >>> from streams.market import Constituent
    >>> names = (Constituent("B", 1.0), Constituent("A", 1.0), Constituent("C", 2.0))
    >>> basket_columns(Basket(constituents=names)).largest_symbols
    ('C', 'A', 'B')
    """
    symbols = tuple(name.symbol for name in basket.constituents)
    weights = _configured(basket)
    position = {symbol: at for at, symbol in enumerate(symbols)}
    if len(position) != len(symbols):
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        raise ValueError(f"basket {basket.name!r} names {', '.join(twice)} more than once")
    if not (np.isfinite(weights) & (weights > 0)).all() or (
        basket.in_shares and not all(name.shares > 0 for name in basket.constituents)
    ):
        raise ValueError(
            f"basket {basket.name!r} has a weight that is not a positive number, or no shares"
        )
    return BasketColumns(symbols, weights, heaviest(symbols, weights)[:LARGEST], position)


def _configured(basket: Basket) -> NDArray[np.float64]:
    """Weights before any price: of a basket of shares those given beside, the median for others."""
    weights = np.array([name.weight for name in basket.constituents], np.float64)
    if not basket.in_shares:
        return weights
    given = weights > 0
    return np.where(given, weights, np.median(weights[given]) if given.any() else 1.0)


def core_of(basket: Basket, names: Constituents | None) -> frozenset[str]:
    """The names behind implied correlation of a reading.

    Where weights move and the basket has more names than these, they are the heaviest valid ones.
    """
    if names is None or not basket.in_shares or len(basket.constituents) <= LARGEST:
        return frozenset(basket_columns(basket).largest_symbols)
    chosen = heaviest(names.symbols, np.array(names.weights))[:LARGEST]
    return frozenset(names.symbols[at] for at in chosen)


def heaviest(symbols: tuple[str, ...], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions, heaviest first; ties are in the order of the symbols."""
    order = sorted(range(len(symbols)), key=lambda at: (-weights[at], symbols[at]))
    return np.array(order, np.int64)
