"""Returns of the trailing sessions on the five-minute grid, and the names that may be used."""

from datetime import date
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.readings.realized_grid import RealizedGrid

TICKED = 0.90
"""A name is refused when it ticked in fewer of the window's bars than this share."""
JUMP = 0.40
"""A name is refused when one log return is beyond this.

Such a return is a split or another corporate action, or a bad print. A 3:2 split is 0.405.
"""
FEWEST_BARS = 12
"""A window of the current session alone starts an hour after the open."""
GAP_DAYS = 10
"""A longer gap between sessions, in calendar days, ends the window."""


class GridWindow(NamedTuple):
    """n names over the last `sessions` sessions."""

    sessions: int
    returns: NDArray[np.float64]
    """(n, periods) log returns, overnight included; zero in the rows of refused names."""
    usable: NDArray[np.bool_]


def grid_window(grid: RealizedGrid, boundary: int, sessions: int) -> GridWindow | None:
    """The window that ends with the last complete bar at second `boundary`.

    None while too few sessions are stored.

    It starts at the same bar of the session that lies `sessions` back, so that it always holds the
    returns of exactly that many sessions, each with its night. A session without any tick is not
    counted. Before the first complete bar of a day the window ends with the previous session.
    """
    done = grid.done(boundary)
    days = _days(grid, done, sessions)
    if days is None or any((later - day).days > GAP_DAYS for day, later in pairwise(days)):
        return None
    parts = [matrix for day in days if (matrix := grid.day(day)) is not None]
    base = parts[0].shape[1]
    if days[-1] == grid.session:
        whole = done == parts[-1].shape[1]
        base = base if whole else min(done, base)
        parts[-1] = parts[-1][:, :done]
    return _window(np.concatenate(parts, axis=1), base - 1, sessions)


def session_window(grid: RealizedGrid, boundary: int) -> GridWindow | None:
    """The current session up to the last complete bar at second `boundary`.

    The night before is left out. None before `FEWEST_BARS` bars.
    """
    session, done = grid.session, grid.done(boundary)
    matrix = None if session is None else grid.day(session)
    return None if matrix is None or done < FEWEST_BARS else _window(matrix[:, :done], 0, 1)


def _days(grid: RealizedGrid, done: int, sessions: int) -> list[date] | None:
    """The session of the base price and the `sessions` that follow it."""
    current = grid.session
    if current is None:
        return None
    days = grid.days_before(current)
    if done and grid.day(current) is not None:
        days.append(current)
    return days[-sessions - 1 :] if len(days) > sessions else None


def _window(prices: NDArray[np.float64], base: int, sessions: int) -> GridWindow:
    """Previous-tick returns from column `base` on."""
    ticked = np.isfinite(prices)
    columns = np.where(ticked, np.arange(prices.shape[1]), 0)
    np.maximum.accumulate(columns, axis=1, out=columns)
    filled = np.log(np.take_along_axis(prices, columns, axis=1)[:, base:])
    returns = np.diff(filled, axis=1)
    share = ticked[:, base + 1 :].mean(axis=1)
    usable = np.isfinite(filled[:, 0]) & (share >= TICKED)
    usable &= np.abs(np.where(usable[:, None], returns, 0.0)).max(axis=1, initial=0.0) <= JUMP
    returns[~usable] = 0.0
    return GridWindow(sessions, returns, usable)
