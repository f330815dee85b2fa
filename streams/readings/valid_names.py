"""The names of a basket that count in a reading: valid, fresh or carried."""

from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.readings.coverage import Coverage, coverage_of
from streams.readings.freshness import fresh_names
from streams.readings.session_state import SessionState
from streams.valuation.ex_dates import FLAG


class Names(NamedTuple):
    """Which names count at a second; arrays over the n names of the basket, NaN where a name does not count."""

    valid: NDArray[np.bool_]
    variance: NDArray[np.float64]
    atm_vol: NDArray[np.float64]
    coverage: Coverage
    flags: set[str]
    dividends: dict[str, str]
    """Names with a large dividend inside a strip → its size."""
    refresh_seconds: float


def names_at(state: SessionState, tenor: int, at: int) -> Names:
    """Valid and fresh names at second `at` (ns) of the state's session.

    The basis decides which of the two values makes a name valid: the variance, or for a source of ATM vols the ATM vol. Names of
    the other basis do not count, for the two are never mixed, nor do names that arrive from two sources.
    """
    points = state.points[tenor]
    counts = ~state.origins.split[:-1] & (points.atm_only == state.atm_only)
    value, quote_ts, refresh = (
        (points.atm_vol, points.atm_ts, points.atm_refresh)
        if state.atm_only
        else (points.variance, points.variance_ts, points.variance_refresh)
    )
    valid = counts & np.isfinite(value)
    fresh = fresh_names(quote_ts, refresh, at=at, equity_close=state.hours.equity_close, quote_age=state.gates.name_quote_age)
    flags = state.flags.union(points.flags[valid])
    dividends = _dividends(state, np.where(valid, points.flags, 0), flags)
    if (valid & (points.superseded | ~fresh)).any():
        flags.add("carried")
    return Names(
        valid=valid,
        variance=np.where(valid, points.variance, np.nan),
        atm_vol=np.where(valid, points.atm_vol, np.nan),
        coverage=coverage_of(state.basket.weights, valid, fresh),
        flags=flags,
        dividends=dividends,
        refresh_seconds=float(refresh[valid].max(initial=0.0)),
    )


def _dividends(state: SessionState, codes: NDArray[np.int64], flags: set[str]) -> dict[str, str]:
    """Names by size of their dividend; the sizes among the flags become the one flag `dividend`."""
    sizes = sorted(flag for flag in flags if flag.startswith(f"{FLAG}:"))
    if not sizes:
        return {}
    flags.difference_update(sizes)
    flags.add(FLAG)
    found = {
        symbol: size.partition(":")[2]
        for size in sizes
        for symbol in compress(state.basket.symbols, state.flags.having(codes, size).tolist())
    }
    return dict(sorted(found.items()))
