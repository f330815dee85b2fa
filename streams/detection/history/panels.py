"""Panels: the names of an instant in columns, and what two instants have in common."""

from typing import NamedTuple

import numpy as np

from analytics.arrays import Floats
from streams.detection.history.instant import Instant
from streams.reading import Constituents


class Panel(NamedTuple):
    """The names of one instant in columns of length n, NaN where a name has no value."""

    symbols: tuple[str, ...]
    weights: Floats
    variances: Floats
    atm_vols: Floats


class Panels:
    """Panels of the few instants in use, so that columns are made once.

    Results never depend on what is cached.
    """

    def __init__(self, keep: int = 24) -> None:
        self._keep = keep
        self._panels: dict[int, tuple[Constituents, Panel]] = {}

    def of(self, instant: Instant) -> Panel | None:
        """Columns of an instant's names; None for a source without constituents."""
        if instant.constituents is None:
            return None
        known = self._panels.get(instant.ts)
        # The names of a close are other ones on the terms of a later session.
        if known is not None and known[0] is instant.constituents:
            return known[1]
        panel = _panel(instant.constituents)
        self._panels[instant.ts] = (instant.constituents, panel)
        if len(self._panels) > self._keep:
            del self._panels[next(iter(self._panels))]
        return panel


def _panel(names: Constituents) -> Panel:
    return Panel(
        names.symbols,
        np.array(names.weights, dtype=np.float64),
        np.array(names.variances, dtype=np.float64),
        np.array(names.atm_vols, dtype=np.float64),
    )
