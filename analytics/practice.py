"""Rules of practitioners' dashboards on daily closes.

A rule of our own must be measured against them. Every rule takes t closes without a gap and gives t
verdicts: 1 fires, 0 quiet, NaN not known, for want of history or of a level. Vols and correlations
are decimals.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.dispersion import correlation_share
from analytics.ewma import ewma_z
from analytics.rolling import rolling_high, rolling_quantile, rolling_rank

Flags = NDArray[np.bool_]

WINDOW, LEAST = 504, 60
"""Sessions of a rank, and how many it needs."""
YEAR = 252
WEEK = 5
WARM_UP = 20
"""Changes before the first z score that counts."""
# A move of exactly three points may come out a little smaller.
_HAIR = 1e-12


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
    """R1 (`back` 0) and R2 (1): rank of correlation below .25, correlation up 8 % on the day.

    The rank is today's or yesterday's.

    Source: methodology 8.6.

    >>> closes = np.full((4, 62), 0.2)
    >>> closes[3, 60:] = 0.10, 0.11
    >>> correlation_off_its_lows(Levels(*closes), back=0)[58:].tolist()
    [nan, 0.0, 0.0, 1.0]
    """
    rho = levels.implied_correlation
    rank, before = _earlier(rolling_rank(rho, WINDOW, LEAST), back), _earlier(rho, 1)
    return _verdict((rank < 0.25) & (rho >= 1.08 * before - _HAIR), rank, before, rho)


def collapse_of_spread(levels: Levels, rise: float, relative: float) -> Floats:
    """R3 ("unwind risk") and R4 ("unwind watch"): spread or dispersion down, index vol up.

    Spread or dispersion is down 20 % in 5 sessions and index vol up over the same 5.

    Args:
        levels: closes.
        rise: least rise of index vol; 0 for any.
        relative: the same as a share of its start; the greater of the two counts.

    Source: methodology 8.3 and 8.6.

    >>> closes = np.array([[0.15] * 5 + [0.20], [0.35] * 5 + [0.36], [0.32] * 6, [0.2] * 6])
    >>> collapse_of_spread(Levels(*closes), rise=0.03, relative=0.15)[4:].tolist()
    [nan, 1.0]
    """
    spread, now = levels.vol_spread, levels.index_vol
    start = _earlier(now, WEEK)
    up = (now > start) & (now - start >= np.maximum(rise, relative * start) - _HAIR)
    fell = _down_a_fifth(spread) | _down_a_fifth(levels.dispersion)
    return _verdict(
        fell & up,
        start,
        now,
        spread,
        _earlier(spread, WEEK),
        levels.dispersion,
        _earlier(levels.dispersion, WEEK),
    )


def z_pair(levels: Levels, least: float, spread_below: float = np.inf) -> Floats:
    """R5 (2), R6 (3) and R7 (2, -1): z of changes above `least`, z of d spread below a bound.

    The z above `least` are those of d ln(index_vol) and of d correlation.

    Source: methodology 8.6.

    >>> wave = 0.20 + 0.01 * (np.arange(24) % 2)
    >>> index_vol, rho = np.append(wave, 0.30), np.append(wave, 0.40)
    >>> levels = Levels(index_vol, np.full(25, 0.4), rho, rho)
    >>> z_pair(levels, least=3.0, spread_below=-1.0)[20:].tolist()
    [nan, 0.0, 0.0, 0.0, 1.0]
    """
    index_vol, rho, spread = (
        _z_of_change(x)
        for x in (np.log(levels.index_vol), levels.implied_correlation, levels.vol_spread)
    )
    return _verdict(
        (index_vol > least) & (rho > least) & (spread < spread_below), index_vol, rho, spread
    )


def spike_unwind_on_closes(levels: Levels) -> Floats:
    """R8: index vol up max(3 points, 15 %), correlation up 5 points, share at least half.

    The change of correlation is also beyond the 95th percentile of its changes.

    Source: methodology 8.5 (i) to (iii) and 8.6.

    >>> closes = np.full((4, 62), 0.2)
    >>> closes[:, 61] = 0.23, 0.205, 0.0, 0.25
    >>> spike_unwind_on_closes(Levels(*closes))[59:].tolist()
    [nan, nan, 1.0]
    """
    vol, basket, rho = levels.index_vol, levels.basket_vol, levels.implied_correlation
    before, step = _earlier(vol, 1), rho - _earlier(rho, 1)
    bound = rolling_quantile(_earlier(step, 1), 0.95, WINDOW, LEAST)
    share = np.asarray(correlation_share(before, vol, _earlier(basket, 1), basket))
    jump = vol - before >= np.maximum(0.03, 0.15 * before) - _HAIR
    return _verdict(
        jump & (step >= 0.05 - _HAIR) & (step >= bound) & (share >= 0.5),
        before,
        vol,
        basket,
        step,
        bound,
    )


def near_its_high(levels: Levels) -> Floats:
    """Dispersion or spread within 10 % of its high of 252 sessions, today's included.

    This is "dispersion extreme".

    Source: methodology 8.3.

    >>> closes = np.array([[0.15] * 61, [0.35] * 60 + [0.30], [0.30] * 60 + [0.26], [0.2] * 61])
    >>> near_its_high(Levels(*closes))[58:].tolist()
    [nan, 1.0, 0.0]
    """
    highs = [(x, rolling_high(x, YEAR, LEAST)) for x in (levels.dispersion, levels.vol_spread)]
    near = np.logical_or(*(x >= 0.9 * high - _HAIR for x, high in highs))
    return _verdict(near, *(high for _, high in highs))


def correlation_below(levels: Levels, bound: float) -> Floats:
    """Implied correlation below a fixed level: "red alert zone" at .08.

    Source: methodology 8.3.

    >>> correlation_below(Levels(*np.array([[0.2], [0.3], [0.2], [0.07]])), bound=0.08).tolist()
    [1.0]
    """
    return _verdict(levels.implied_correlation < bound, levels.implied_correlation)


def dispersion_over_index_vol(levels: Levels, bound: float) -> Floats:
    """Dispersion less index vol above a fixed level: "danger" at .20.

    Source: methodology 8.3.

    >>> closes = np.array([[0.16, 0.16], [0.4, 0.4], [0.36, 0.37], [0.1, 0.1]])
    >>> dispersion_over_index_vol(Levels(*closes), bound=0.20).tolist()
    [0.0, 1.0]
    """
    excess = levels.dispersion - levels.index_vol
    return _verdict(excess > bound + _HAIR, excess)


def correlation_out_of_band(levels: Levels, low: float, high: float) -> Floats:
    """Rank of implied correlation in two years outside a band, .10 to .90.

    Source: methodology 8.3.

    >>> closes = np.tile(np.arange(61) / 100, (4, 1))
    >>> correlation_out_of_band(Levels(*closes), low=0.10, high=0.90)[58:].tolist()
    [nan, 1.0, 1.0]
    """
    rank = rolling_rank(levels.implied_correlation, WINDOW, LEAST)
    return _verdict((rank < low) | (rank > high), rank)


def _verdict(fires: Flags, *inputs: Floats) -> Floats:
    """1 where a rule fires, NaN where it does not but an input is unknown, else 0.

    >>> _verdict(np.array([True, False, False]), np.array([1.0, np.nan, 0.0])).tolist()
    [1.0, nan, 0.0]
    """
    return np.where(fires, 1.0, np.where(np.isnan(np.sum(inputs, axis=0)), np.nan, 0.0))


def _earlier(x: Floats, rows: int) -> Floats:
    """The value so many rows before each of t; NaN before the first.

    >>> _earlier(np.array([1.0, 2.0, 3.0]), 1).tolist()
    [nan, 1.0, 2.0]
    """
    return np.concatenate([np.full(min(rows, len(x)), np.nan), x[: max(len(x) - rows, 0)]])


def _down_a_fifth(x: Floats) -> Flags:
    """Nothing falls by a share of zero or less."""
    start = _earlier(x, WEEK)
    return (start > 0) & (x <= 0.8 * start + _HAIR)


def _z_of_change(x: Floats) -> Floats:
    scores = ewma_z(np.diff(x))
    scores[:WARM_UP] = np.nan
    return np.concatenate([np.full(min(len(x), 1), np.nan), scores])
