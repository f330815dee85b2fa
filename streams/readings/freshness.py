"""How old the newest quote behind a point may be (methodology 8.7)."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from streams.records import NS, REPETITIONS

Seconds = TypeVar("Seconds", float, NDArray[np.float64])


def age_limit(quote_age: float, refresh_seconds: Seconds) -> Seconds:
    """Seconds a point stays fresh: the quote age, or three repetitions of its source if longer.

    >>> age_limit(60.0, 0.0), age_limit(60.0, 300.0)
    (60.0, 900.0)
    """
    if isinstance(refresh_seconds, float):
        return max(quote_age, REPETITIONS * refresh_seconds)
    return np.maximum(quote_age, REPETITIONS * refresh_seconds)


def fresh_names(
    quote_ts: NDArray[np.int64],
    refresh_seconds: NDArray[np.float64],
    *,
    boundary: int,
    equity_close: int,
    quote_age: float,
) -> NDArray[np.bool_]:
    """Which points of single names are fresh at second `boundary`.

    Options on single names stop at 16:00 ET (13:00) while the index goes on to 16:15 (13:15). What
    is fresh at their close stays fresh to the session's. All times are ns.
    """
    limit = age_limit(quote_age, refresh_seconds)
    return min(boundary, equity_close) - quote_ts <= limit * NS


def fresh_index(
    quote_ts: int, refresh_seconds: float | None, *, boundary: int, quote_age: float
) -> bool:
    """Whether the index's point is fresh at second `boundary`."""
    return boundary - quote_ts <= age_limit(quote_age, float(refresh_seconds or 0.0)) * NS
