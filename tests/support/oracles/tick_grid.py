"""Ticks on a common clock: previous-tick prices of many names at the ends of bars.

The module also gives the returns that may be used.

Tick by tick, correlations are biased to zero because names do not trade at the same instants (the
Epps effect). On bars of one to five minutes the bias is small, provided that every name traded in
nearly every bar; one that did not is refused.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.arrays import Floats

Mask = NDArray[np.bool_]

TICKED = 0.90
"""A name is refused when it ticked in fewer of the bars than this share."""


class TickGrid(NamedTuple):
    """n names over b bars."""

    price: Floats
    """(b, n): last price at or before the end of the bar; NaN before a name's first tick."""
    ticked: Mask
    """(b, n): the name ticked inside the bar."""


class GridReturns(NamedTuple):
    """Log returns between the ends of bars."""

    returns: Floats
    """(b - 1, n); zero in the columns of refused names."""
    usable: Mask
    """n: ticked in the first bar and in enough of the others."""


def tick_grid(
    name: ArrayLike, ts: ArrayLike, price: ArrayLike, edges: ArrayLike, names: int
) -> TickGrid:
    """Previous-tick prices of `names` names at the b ends of the bars (edges[k], edges[k + 1]].

    Args:
        name: the name of each tick, 0 to names - 1.
        ts: times, in the unit of `edges`; in any order, at a tie the later row counts.
        price: prices; ticks whose price is not positive and finite, or that lie outside the bars,
            are passed over.
        edges: b + 1 ascending times.
        names: n.

    Source: methodology 4.3; previous-tick alignment.

    >>> grid = tick_grid(
    ...     [0, 0, 1, 0], [5, 58, 61, 130], [10.0, 10.2, 7.0, 10.1], [0, 60, 120, 180], 2
    ... )
    >>> grid.price.tolist(), grid.ticked.sum(axis=0).tolist()
    ([[10.2, nan], [10.2, 7.0], [10.1, 7.0]], [2, 1])
    """
    who, when, paid, ends = (
        np.asarray(name, dtype=np.int64),
        np.asarray(ts),
        np.asarray(price, dtype=np.float64),
        np.asarray(edges),
    )
    bars = len(ends) - 1
    inside = np.flatnonzero(
        (paid > 0)
        & (paid < np.inf)
        & (when > ends[0])
        & (when <= ends[-1])
        & (who >= 0)
        & (who < names)
    )
    inside = inside[np.argsort(when[inside], kind="stable")]
    bar = np.searchsorted(ends, when[inside], side="left") - 1
    last = np.full((bars, names), np.nan)
    # A repeated cell keeps the value assigned last.
    last[bar, who[inside]] = paid[inside]
    return TickGrid(carried(last), np.isfinite(last))


def carried(price: ArrayLike) -> Floats:
    """(b, n) prices with every NaN replaced by the price before it.

    Source: methodology 4.3, previous tick.

    >>> carried([[1.0, float("nan")], [float("nan"), 2.0]]).tolist()
    [[1.0, nan], [1.0, 2.0]]
    """
    values = np.asarray(price, dtype=np.float64)
    row = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    return np.asarray(np.take_along_axis(values, np.maximum.accumulate(row, axis=0), axis=0))


# Refused names pass through as NaN.
@np.errstate(all="ignore")
def grid_returns(grid: TickGrid, least: float = TICKED) -> GridReturns:
    """Log returns of a grid, and which names are usable.

    A usable name ticked in the first bar and in at least `least` of the bars after it.

    Source: methodology 4.3.

    >>> grid = tick_grid([0, 0, 1], [1, 2, 2], [10.0, 11.0, 7.0], [0, 1, 2], 2)
    >>> result = grid_returns(grid)
    >>> result.returns.round(6).tolist(), result.usable.tolist()
    ([[0.09531, 0.0]], [True, False])
    """
    returns = np.diff(np.log(grid.price), axis=0)
    usable: Mask = np.asarray(np.isfinite(grid.price).all(axis=0))
    if len(returns):
        usable = np.asarray(usable & (grid.ticked[1:].mean(axis=0) >= least))
    return GridReturns(np.where(usable, returns, 0.0), usable)
