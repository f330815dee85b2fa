"""Members: the names that two instants have in common."""

from collections.abc import Set as AbstractSet
from typing import NamedTuple

import numpy as np

from analytics.arrays import Floats
from streams.detection.history.instant import Instant
from streams.detection.history.panels import Panel, Panels


class Members(NamedTuple):
    """The names behind the basket level of a change.

    Weights sum to 1. Values are variances, or ATM vols for basis `atm`.
    """

    symbols: tuple[str, ...]
    weights: Floats
    before: Floats
    after: Floats


def common_names(start: Instant, end: Instant, panels: Panels) -> tuple[Panel, Panel] | None:
    """Both instants' panels cut to the names that appear in both.

    Names have the order and the weights of `end`.
    """
    before, after = panels.of(start), panels.of(end)
    if before is None or after is None:
        return None
    if before.symbols == after.symbols:
        return before._replace(weights=after.weights), after
    place = {symbol: row for row, symbol in enumerate(before.symbols)}
    kept = [row for row, symbol in enumerate(after.symbols) if symbol in place]
    symbols = tuple(after.symbols[row] for row in kept)
    rows = np.array([place[symbol] for symbol in symbols], dtype=np.intp)
    after = Panel(symbols, after.weights[kept], after.variances[kept], after.atm_vols[kept])
    return Panel(symbols, after.weights, before.variances[rows], before.atm_vols[rows]), after


def members(
    start: Instant, end: Instant, panels: Panels, core: AbstractSet[str] | None = None
) -> Members | None:
    """Names valid at both instants with their values.

    None without constituents or without one common name.
    """
    common = common_names(start, end, panels)
    if common is None:
        return None
    before, after = common
    if end.basis == "atm":
        return members_of(after.symbols, after.weights, before.atm_vols, after.atm_vols, core)
    return members_of(after.symbols, after.weights, before.variances, after.variances, None)


def members_of(
    symbols: tuple[str, ...],
    weights: Floats,
    before: Floats,
    after: Floats,
    core: AbstractSet[str] | None,
) -> Members | None:
    """Names of `core` (None: all) with a value at both ends, and their renormalised weights.

    None without one.
    """
    valid = np.isfinite(before) & np.isfinite(after)
    if core is not None:
        valid &= np.fromiter(
            (symbol in core for symbol in symbols), dtype=np.bool_, count=len(symbols)
        )
    if not valid.any():
        return None
    kept = tuple(
        symbol for symbol, is_valid in zip(symbols, valid.tolist(), strict=True) if is_valid
    )
    return Members(kept, weights[valid] / weights[valid].sum(), before[valid], after[valid])
