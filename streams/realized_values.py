"""Realized correlation and dispersion of the largest names over the window that belongs to a tenor."""

import math
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.realized import basket_returns, realized_correlation, realized_dispersion, realized_variance
from streams.grid_window import GridWindow, grid_window
from streams.market import Gates
from streams.realized_grid import RealizedGrid

WINDOW: Mapping[int, int] = {30: 21, 91: 63}
"""Tenor in days → sessions; other tenors have no realized fields."""
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
    reason: str = ""


class RealizedValues:
    """Values over the grid of the k largest names, worked out anew only when a bar ends or other names are wanted."""

    def __init__(self, grid: RealizedGrid, weights: NDArray[np.float64], gates: Gates) -> None:
        self._grid = grid
        self._weights = weights
        self._gates = gates
        self._windows: dict[int, tuple[WindowKey, GridWindow | None]] = {}
        self._values: dict[tuple[int, bytes], Realized] = {}

    def at(self, at: int, tenor_days: int, wanted: NDArray[np.bool_]) -> Realized:
        """Values at second `at` over the wanted names that the grid can serve.

        Not demeaned, overnight included, 252 sessions a year, against the synthetic basket of the same names and renormalised weights
        (methodology 4.3, published definition). Reasons: `no_window` without enough sessions, `coverage` when the usable names are
        fewer than the basket gate asks for, `one_name`.
        """
        sessions = WINDOW.get(tenor_days)
        window = self._window(at, sessions) if sessions else None
        if window is None:
            return Realized(reason="no_window")
        names = wanted & window.usable
        key = (tenor_days, names.tobytes())
        if key not in self._values:
            self._values[key] = self._over(window, names)
        return self._values[key]

    def _window(self, at: int, sessions: int) -> GridWindow | None:
        done = self._grid.done(at)
        key = WindowKey(self._grid.session, done, self._grid.version)
        known = self._windows.get(sessions)
        if known is not None and known[0] == key:
            return known[1]
        self._grid.seal(done)
        window = grid_window(self._grid, at, sessions)
        self._windows[sessions] = (key, window)
        self._values.clear()
        return window

    def _over(self, window: GridWindow, names: NDArray[np.bool_]) -> Realized:
        share = self._weights[names].sum() / self._weights.sum()
        if share < self._gates.basket_coverage_valid or names.mean() < self._gates.basket_names:
            return Realized(reason="coverage")
        weights = self._weights[names]
        returns = window.returns[names].T
        periods_a_year = SESSIONS_A_YEAR * len(returns) / window.sessions
        variances = realized_variance(returns, periods_a_year)
        basket_variance = float(realized_variance(basket_returns(returns, weights), periods_a_year))
        correlation = realized_correlation(basket_variance, weights, variances)
        spread = realized_dispersion(basket_variance, weights, variances)
        return Realized(correlation, spread, "" if math.isfinite(correlation) else "one_name")
