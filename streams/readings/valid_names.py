"""The names of a basket that count in a reading: valid, fresh or carried."""

from itertools import compress
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.catalogue.vocabulary import DOUBTFUL_NAMES, STRIP_DOUBTS
from streams.readings.coverage import Coverage, coverage_of
from streams.readings.freshness import fresh_names
from streams.readings.name_points import NamePoints
from streams.readings.session_state import SessionState
from streams.valuation.ex_dates import FLAG

DOUBTED_WEIGHT: Final = 0.10
"""Share of the valid weight with a doubted strip above which the basket is not believed."""


class ValidNames(NamedTuple):
    """Which names count at a second.

    Arrays are over the n names of the basket, NaN where a name does not count.
    """

    valid: NDArray[np.bool_]
    variance: NDArray[np.float64]
    atm_vol: NDArray[np.float64]
    coverage: Coverage
    flags: set[str]
    doubted: dict[str, str]
    """Names with a strip that is not believed → why."""
    dividends: dict[str, str]
    """Names with a large dividend inside a strip → its size."""
    refresh_seconds: float
    missing: dict[str, str]
    """Names without a value → why."""
    carried: dict[str, str]
    """Names with an old value → why there is no new one."""


def names_at(state: SessionState, tenor: int, boundary: int) -> ValidNames:
    """Valid and fresh names at second `boundary` (ns) of the state's session.

    The basis decides which of the two values makes a name valid: the variance, or for a source of
    ATM vols the ATM vol. Names of the other basis do not count, for the two are never mixed, nor do
    names that arrive from two sources.
    """
    points = state.points[tenor]
    counts = ~state.origins.split[:-1] & (points.atm_only == state.atm_only)
    value, quote_ts, refresh = (
        (points.atm_vol, points.atm_ts, points.atm_refresh)
        if state.atm_only
        else (points.variance, points.variance_ts, points.variance_refresh)
    )
    valid = counts & np.isfinite(value)
    fresh = fresh_names(
        quote_ts,
        refresh,
        boundary=boundary,
        equity_close=state.hours.equity_close,
        quote_age=state.gates.name_quote_age,
    )
    flags = state.flags.union(points.flags[valid])
    dividends = _dividends(state, np.where(valid, points.flags, 0), flags)
    doubted = _doubted(state, valid, np.where(valid, points.flags, 0), flags)
    carried = valid & (points.superseded | ~fresh)
    if carried.any():
        flags.add("carried")
    return ValidNames(
        valid=valid,
        variance=np.where(valid, points.variance, np.nan),
        atm_vol=np.where(valid, points.atm_vol, np.nan),
        coverage=coverage_of(state.basket.weights, valid, fresh),
        flags=flags,
        doubted=doubted,
        dividends=dividends,
        refresh_seconds=float(refresh[valid].max(initial=0.0)),
        missing=_missing(state, points, ~valid),
        carried=_carried(state, points, carried),
    )


def _doubted(
    state: SessionState, valid: NDArray[np.bool_], codes: NDArray[np.int64], flags: set[str]
) -> dict[str, str]:
    """Names by the doubts about their strips, which leave the flags.

    `doubtful_names` stands among the flags where more than a tenth of the valid weight is doubted.
    """
    kinds = [flag for flag in STRIP_DOUBTS if flag in flags]
    if not kinds:
        return {}
    flags.difference_update(kinds)
    having = {kind: state.flags.having(codes, kind) for kind in kinds}
    doubted = np.logical_or.reduce(list(having.values()))
    weights = state.basket.weights
    if weights[doubted].sum() > DOUBTED_WEIGHT * weights[valid].sum():
        flags.add(DOUBTFUL_NAMES)
    found = {
        state.basket.symbols[at]: ",".join(kind for kind in kinds if having[kind][at])
        for at in np.flatnonzero(doubted).tolist()
    }
    return dict(sorted(found.items()))


def _missing(state: SessionState, points: NamePoints, chosen: NDArray[np.bool_]) -> dict[str, str]:
    """Why these names count for nothing.

    The reason is two sources, the other basis, no point yet, or that of the latest one.
    """
    if not chosen.any():
        return {}
    seen = state.origins.code[:-1] >= 0
    other = "basis_atm" if not state.atm_only else "basis_quotes"
    found = {}
    for at in np.flatnonzero(chosen).tolist():
        if state.origins.split[at]:
            why = "split_name"
        elif not seen[at]:
            why = "no_quotes"
        else:
            why = (
                other
                if points.atm_only[at] != state.atm_only
                else state.words.text(int(points.reason[at]))
            )
        found[state.basket.symbols[at]] = why or "unknown"
    return dict(sorted(found.items()))


def _carried(state: SessionState, points: NamePoints, chosen: NDArray[np.bool_]) -> dict[str, str]:
    """Why these names have no newer value.

    It is the reason of their latest point, or `stale` where none has come.
    """
    places = np.flatnonzero(chosen).tolist()
    found = {
        state.basket.symbols[at]: state.words.text(int(points.reason[at])) or "stale"
        for at in places
    }
    return dict(sorted(found.items()))


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
