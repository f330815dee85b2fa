"""Who is watched: the symbols behind the indices of a market, and which index uses which."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.market import IndexSpec, Market


class Universe(NamedTuple):
    """n symbols in alphabetical order and k indices in the order of the market."""

    symbols: tuple[str, ...]
    position: dict[str, int]
    used: NDArray[np.bool_]
    """Of shape (k, n): the index uses the symbol."""


def underlyings(market: Market) -> Universe:
    """The indices themselves and the names of their baskets."""
    sets = [set(_underlyings(spec)) for spec in market.indices]
    return _universe(sets, set().union(*sets))


def ticking(market: Market) -> tuple[Universe, Universe]:
    """The symbols whose ticks matter, as used for prices and as used for published references.

    The symbols of both are the same.
    """
    prices, levels = (
        [set(_underlyings(spec)) for spec in market.indices],
        [set(spec.references) for spec in market.indices],
    )
    every = set().union(*prices, *levels)
    return _universe(prices, every), _universe(levels, every)


def _underlyings(spec: IndexSpec) -> list[str]:
    return [spec.symbol, *(one.symbol for one in spec.basket.constituents)]


def _universe(sets: list[set[str]], every: set[str]) -> Universe:
    symbols = tuple(sorted(every))
    used = np.array([[symbol in one for symbol in symbols] for one in sets], np.bool_).reshape(
        len(sets), len(symbols)
    )
    return Universe(symbols, {symbol: at for at, symbol in enumerate(symbols)}, used)
