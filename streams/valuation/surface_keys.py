"""Surface keys: everything that can have a surface point, one for each underlying, rule and tenor.

An index is valued by the rules of VIX, a constituent by those of DSPX. An underlying in both roles
has lines of both kinds.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.market import Market
from streams.valuation.universe import Universe


class SurfaceKeys(NamedTuple):
    """n lines, ordered by symbol, rule and tenor."""

    underlying: NDArray[np.int64]
    """Position among the monitored underlyings."""
    constituent: NDArray[np.bool_]
    """Valued as a constituent, otherwise as an index."""
    tenor_days: NDArray[np.int32]
    of_index: tuple[NDArray[np.int64], ...]
    """Keys of each index of the market, ordered by symbol and tenor."""


def surface_keys_of(market: Market, universe: Universe) -> SurfaceKeys:
    """The lines that the indices of a market need."""
    wanted = []
    for spec in market.indices:
        roles = [
            (spec.symbol, False),
            *((one.symbol, True) for one in spec.basket.constituents if one.symbol != spec.symbol),
        ]
        wanted.append(
            sorted(
                {
                    (universe.position[symbol], role, tenor)
                    for symbol, role in roles
                    for tenor in spec.tenors
                }
            )
        )
    every = sorted({line for lines in wanted for line in lines})
    at = {line: row for row, line in enumerate(every)}
    return SurfaceKeys(
        np.array([line[0] for line in every], np.int64),
        np.array([line[1] for line in every], np.bool_),
        np.array([line[2] for line in every], np.int32),
        tuple(np.array([at[line] for line in lines], np.int64) for lines in wanted),
    )
