"""Rules of practitioners' dashboards on daily closes: what a rule of our own must be measured against.

Every rule takes t closes without a gap and gives t verdicts: 1 fires, 0 quiet, NaN not known, for want of history or of
a level. Vols and correlations are decimals. Source: methodology 8.3 and 8.6.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.dispersion import correlation_share
from analytics.ewma import ewma_z
from analytics.rolling import rolling_rank

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WINDOW, LEAST = 504, 60
"""Sessions of a rank, and how many it needs."""
YEAR = 252
WEEK = 5
WARM_UP = 20
"""Changes before the first z score that counts."""
_HAIR = 1e-12  # a move of exactly three points may come out a little smaller


class Levels(NamedTuple):
    """Closes of one run, arrays of length t; NaN where a level is missing."""

    index_vol: Floats
    basket_vol: Floats
    dispersion: Floats
    implied_correlation: Floats

    @property
    def vol_spread(self) -> Floats:
        """basket_vol - index_vol."""
        return self.basket_vol - self.index_vol


def correlation_off_its_lows(levels: Levels, back: int) -> Floats:
    """R1 (`back` 0) and R2 (1): rank of correlation below .25, today's or yesterday's, and correlation up 8 % on the day."""
    rho = levels.implied_correlation
    rank, before = earlier(rolling_rank(rho, WINDOW, LEAST), back), earlier(rho, 1)
    return verdict((rank < 0.25) & (rho >= 1.08 * before - _HAIR), rank, before, rho)


def collapse_of_spread(levels: Levels, rise: float, relative: float) -> Floats:
    """R3 ("unwind risk") and R4 ("unwind watch"): spread or dispersion down 20 % in 5 sessions and index vol up over the same 5.

    Args:
        levels: closes.
        rise: least rise of index vol; 0 for any.
        relative: the same as a share of its start; the greater of the two counts.
    """
    spread, now = levels.vol_spread, levels.index_vol
    start = earlier(now, WEEK)
    up = (now > start) & (now - start >= np.maximum(rise, relative * start) - _HAIR)
    fell = _down_a_fifth(spread) | _down_a_fifth(levels.dispersion)
    return verdict(fell & up, start, now, spread, earlier(spread, WEEK), levels.dispersion, earlier(levels.dispersion, WEEK))


def z_pair(levels: Levels, least: float, spread_below: float = np.inf) -> Floats:
    """R5 (2), R6 (3) and R7 (2, -1): z of d ln(index_vol) and of d correlation above `least`, z of d spread below a bound."""
    index_vol, rho, spread = (_z_of_change(x) for x in (np.log(levels.index_vol), levels.implied_correlation, levels.vol_spread))
    return verdict((index_vol > least) & (rho > least) & (spread < spread_below), index_vol, rho, spread)


def spike_unwind_on_closes(levels: Levels) -> Floats:
    """R8: index vol up max(3 points, 15 %), correlation up 5 points and beyond the 95th percentile of its changes, share at least half."""
    vol, basket, rho = levels.index_vol, levels.basket_vol, levels.implied_correlation
    before, step = earlier(vol, 1), rho - earlier(rho, 1)
    bound = _trailing_quantile(step, 0.95)
    share = np.asarray(correlation_share(before, vol, earlier(basket, 1), basket))
    jump = vol - before >= np.maximum(0.03, 0.15 * before) - _HAIR
    return verdict(jump & (step >= 0.05 - _HAIR) & (step >= bound) & (share >= 0.5), before, vol, basket, step, bound)


def near_its_high(levels: Levels) -> Floats:
    """Dispersion or spread within 10 % of its high of 252 sessions, today's included: "dispersion extreme"."""
    highs = [(x, _trailing_high(x)) for x in (levels.dispersion, levels.vol_spread)]
    near = np.logical_or(*(x >= 0.9 * high - _HAIR for x, high in highs))
    return verdict(near, *(high for _, high in highs))


def correlation_below(levels: Levels, bound: float) -> Floats:
    """Implied correlation below a fixed level: "red alert zone" at .08."""
    return verdict(levels.implied_correlation < bound, levels.implied_correlation)


def dispersion_over_index_vol(levels: Levels, bound: float) -> Floats:
    """Dispersion less index vol above a fixed level: "danger" at .20."""
    excess = levels.dispersion - levels.index_vol
    return verdict(excess > bound + _HAIR, excess)


def correlation_out_of_band(levels: Levels, low: float, high: float) -> Floats:
    """Rank of implied correlation in two years outside a band, .10 to .90."""
    rank = rolling_rank(levels.implied_correlation, WINDOW, LEAST)
    return verdict((rank < low) | (rank > high), rank)


def verdict(fires: Flags, *inputs: Floats) -> Floats:
    """1 where a rule fires, NaN where it does not but an input is unknown, else 0.

    >>> verdict(np.array([True, False, False]), np.array([1.0, np.nan, 0.0])).tolist()
    [1.0, nan, 0.0]
    """
    return np.where(fires, 1.0, np.where(np.isnan(np.sum(inputs, axis=0)), np.nan, 0.0))


def earlier(x: Floats, rows: int) -> Floats:
    """The value so many rows before each of t; NaN before the first.

    >>> earlier(np.array([1.0, 2.0, 3.0]), 1).tolist()
    [nan, 1.0, 2.0]
    """
    return np.concatenate([np.full(min(rows, len(x)), np.nan), x[: max(len(x) - rows, 0)]])


def _down_a_fifth(x: Floats) -> Flags:
    """Nothing falls by a share of zero or less."""
    start = earlier(x, WEEK)
    return (start > 0) & (x <= 0.8 * start + _HAIR)


def _z_of_change(x: Floats) -> Floats:
    scores = ewma_z(np.diff(x))
    scores[:WARM_UP] = np.nan
    return np.concatenate([np.full(min(len(x), 1), np.nan), scores])


def _trailing(x: Floats, window: int) -> Floats:
    """The `window` values that end with each of t, NaN before the first; (t, window)."""
    return np.lib.stride_tricks.sliding_window_view(np.concatenate([np.full(window - 1, np.nan), x]), window)


def _trailing_quantile(x: Floats, share: float) -> Floats:
    """Quantile of the `WINDOW` values before each of t; NaN with fewer than `LEAST`."""
    windows = _trailing(earlier(x, 1), WINDOW)
    known = np.count_nonzero(~np.isnan(windows), axis=1)
    bounds = [np.nanquantile(row, share) if many >= LEAST else np.nan for row, many in zip(windows, known.tolist(), strict=True)]
    return np.array(bounds, dtype=np.float64)


def _trailing_high(x: Floats) -> Floats:
    windows = _trailing(x, YEAR)
    enough = (np.count_nonzero(~np.isnan(windows), axis=1) >= LEAST) & ~np.isnan(x)
    return np.where(enough, np.max(np.where(np.isnan(windows), -np.inf, windows), axis=1, initial=-np.inf), np.nan)
