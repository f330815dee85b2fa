"""Realized correlation and dispersion of the largest names.

They are taken over the window that belongs to a tenor.
"""

import math
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.realized import realized_basket
from streams.market import Gates
from streams.readings.grid_window import GridWindow, grid_window, session_window
from streams.readings.realized_grid import RealizedGrid

WINDOW: Mapping[int, int] = {30: 21, 91: 63}
"""Tenor in days → sessions; other tenors have no realized fields but that of the session."""
SESSION = 1
"""The window of the current session alone: it has no overnight term."""
SESSIONS_A_YEAR = 252


class WindowKey(NamedTuple):
    """What a window depends on."""

    session: date | None
    done: int
    version: int


class Realized(NamedTuple):
    """Decimals, NaN with a reason."""

    correlation: float = math.nan
    dispersion: float = math.nan
    correlation_index: float = math.nan
    """Against the index's own returns instead of the synthetic basket's."""
    basket_gap: float = math.nan
    """Realized vol of the index less that of the synthetic basket."""
    reason: str = ""
    index_reason: str = ""
    """Why `correlation_index` and `basket_gap` are NaN."""
    basket_vol: float = math.nan
    """sqrt(SUM w RV) of the names."""
    portfolio_vol: float = math.nan
    """Of the synthetic basket, which stands for the index."""


class RealizedValues:
    """Values over the grid of the k largest names.

    They are worked out anew only when a bar ends or other names are wanted. The grid's first k rows
    are the names; a row after them is the index.
    """

    def __init__(self, grid: RealizedGrid, weights: NDArray[np.float64], gates: Gates) -> None:
        self._grid = grid
        self.weights = weights
        """Of the k names; 0 for one that is not among the largest."""
        self._gates = gates
        self._windows: dict[int, tuple[WindowKey, GridWindow | None]] = {}
        self._values: dict[tuple[int, bytes, bytes], Realized] = {}

    def at(self, boundary: int, tenor_days: int, wanted: NDArray[np.bool_]) -> Realized:
        """Values at second `boundary` over the wanted names that the grid can serve.

        They are over the sessions that belong to the tenor. Not demeaned, overnight included, 252
        sessions a year, against the synthetic basket of the same names and renormalised weights
        (methodology 4.3, published definition). Reasons: `no_window` without enough sessions,
        `coverage` when the usable names are fewer than the basket gate asks for, `one_name`, and
        for the index `no_index_ticks`.
        """
        return self._over_sessions(boundary, WINDOW.get(tenor_days, 0), wanted)

    def in_session(self, boundary: int, wanted: NDArray[np.bool_]) -> Realized:
        """The same over the current session so far, without the night before it."""
        return self._over_sessions(boundary, SESSION, wanted)

    def _over_sessions(self, boundary: int, sessions: int, wanted: NDArray[np.bool_]) -> Realized:
        window = self._window(boundary, sessions) if sessions else None
        if window is None:
            return Realized(reason="no_window", index_reason="no_window")
        names = wanted & window.usable[: len(self.weights)] & (self.weights > 0)
        key = (sessions, names.tobytes(), self.weights.tobytes())
        if key not in self._values:
            self._values[key] = self._over(window, names)
        return self._values[key]

    def _window(self, boundary: int, sessions: int) -> GridWindow | None:
        done = self._grid.done(boundary)
        key = WindowKey(self._grid.session, done, self._grid.version)
        known = self._windows.get(sessions)
        if known is not None and known[0] == key:
            return known[1]
        self._grid.seal(done)
        window = (
            session_window(self._grid, boundary)
            if sessions == SESSION
            else grid_window(self._grid, boundary, sessions)
        )
        self._windows[sessions] = (key, window)
        self._values = {name: value for name, value in self._values.items() if name[0] != sessions}
        return window

    def _over(self, window: GridWindow, names: NDArray[np.bool_]) -> Realized:
        k = len(self.weights)
        share = self.weights[names].sum() / self.weights.sum()
        count = names.sum() / (self.weights > 0).sum()
        if share < self._gates.basket_coverage_valid or count < self._gates.basket_names:
            return Realized(reason="coverage", index_reason="coverage")
        returns = window.returns[:k][names].T
        index = window.returns[k] if window.usable[k:].any() else None
        periods_a_year = SESSIONS_A_YEAR * len(returns) / window.sessions
        basket = realized_basket(returns, self.weights[names], periods_a_year, index)
        reason = "" if math.isfinite(basket.correlation) else "one_name"
        index_reason = (
            "no_index_ticks"
            if index is None
            else ""
            if math.isfinite(basket.correlation_index)
            else "one_name"
        )
        return Realized(
            basket.correlation,
            basket.dispersion,
            basket.correlation_index,
            basket.basket_gap,
            reason,
            index_reason,
            basket.basket_vol,
            basket.portfolio_vol,
        )
