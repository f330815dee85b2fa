"""Where a value stands in its own history: percentile rank, robust z."""

import numpy as np
from numpy.typing import ArrayLike

from analytics.arrays import Floats


def percentile_rank(history: ArrayLike, x: float) -> float:
    """Rank of x among `history` and itself, in (0, 1]; ties share their average rank.

    NaN when x is.

    Args:
        history: observations before x, without it; NaN entries do not count.
        x: the value to rank.

    Source: methodology 8.6.

    >>> percentile_rank([1.0, 2.0, 3.0], 2.5), percentile_rank([1.0, 2.0, 2.0], 2.0)
    (0.75, 0.75)
    """
    known = np.asarray(history, dtype=np.float64)
    below, equal = int(np.count_nonzero(known < x)), int(np.count_nonzero(known == x))
    counted = len(known) - int(np.count_nonzero(np.isnan(known)))
    return float("nan") if np.isnan(x) else (below + 1 + 0.5 * equal) / (counted + 1)


def rolling_rank(x: ArrayLike, window: int, minimum: int) -> Floats:
    """`percentile_rank` of each of t values in the `window` values that end with it.

    NaN with fewer than `minimum`.

    Source: methodology 8.6.

    >>> rolling_rank([3.0, 1.0, 2.0, 2.0], window=3, minimum=2).round(4).tolist()
    [nan, 0.5, 0.6667, 0.8333]
    """
    values = np.asarray(x, dtype=np.float64)
    windows = _windows(values, window)
    below, equal = (windows < values[:, None]).sum(axis=1), (windows == values[:, None]).sum(axis=1)
    counted = np.count_nonzero(~np.isnan(windows), axis=1)
    known = (counted >= minimum) & (equal > 0)
    return np.where(known, (below + 0.5 * (equal + 1)) / np.maximum(counted, 1), np.nan)


def rolling_quantile(x: ArrayLike, share: float, window: int, minimum: int) -> Floats:
    """Quantile of the `window` values that end with each of t, linear between neighbours.

    NaN with fewer than `minimum`.

    Source: methodology 8.6.

    >>> rolling_quantile([1.0, 3.0, 2.0], 0.5, window=2, minimum=2).tolist()
    [nan, 2.0, 2.5]
    """
    windows = [row[~np.isnan(row)] for row in _windows(np.asarray(x, dtype=np.float64), window)]
    return np.array(
        [np.quantile(row, share) if len(row) >= minimum else np.nan for row in windows],
        dtype=np.float64,
    )


def rolling_high(x: ArrayLike, window: int, minimum: int) -> Floats:
    """Highest of the `window` values that end with each of t.

    NaN with fewer than `minimum`, and where the value itself is.

    Source: methodology 8.3.

    >>> rolling_high([1.0, 3.0, 2.0, 2.0], window=2, minimum=2).tolist()
    [nan, 3.0, 3.0, 2.0]
    """
    values = np.asarray(x, dtype=np.float64)
    windows = _windows(values, window)
    known = (np.count_nonzero(~np.isnan(windows), axis=1) >= minimum) & ~np.isnan(values)
    return np.where(
        known,
        np.max(np.where(np.isnan(windows), -np.inf, windows), axis=1, initial=-np.inf),
        np.nan,
    )


def _windows(values: Floats, window: int) -> Floats:
    """The `window` values that end with each of t, NaN before the first.

    The shape is (t, window), without a copy.
    """
    return np.lib.stride_tricks.sliding_window_view(
        np.concatenate([np.full(window - 1, np.nan), values]), window
    )
