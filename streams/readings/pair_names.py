"""The names of a basket that count in one pair of vols, and why the others do not."""

from typing import NamedTuple

import numpy as np

from streams.readings.coverage import Coverage, Mask, coverage_of
from streams.readings.freshness import fresh_names
from streams.readings.name_points import NamePoints
from streams.readings.session_state import SessionState


class PairNames(NamedTuple):
    """Masks are over the n names of the basket."""

    valid: Mask
    carried: Mask
    """Valid by an old value."""
    coverage: Coverage
    missing: dict[str, str]
    """Names without a value → why."""
    carried_why: dict[str, str]
    """Names with an old value → why there is no new one."""


def pair_names(
    state: SessionState, points: NamePoints, counts: Mask, boundary: int, *, atm: bool
) -> PairNames:
    """Names by their ATM vol or by their variance, at second `boundary` (ns).

    `counts` says which names may count at all.
    """
    value, quote_ts, refresh, superseded, reason = (
        (
            points.atm_vol,
            points.atm_ts,
            points.atm_refresh,
            points.atm_superseded,
            points.atm_reason,
        )
        if atm
        else (
            points.variance,
            points.variance_ts,
            points.variance_refresh,
            points.superseded,
            points.reason,
        )
    )
    valid = counts & np.isfinite(value)
    fresh = fresh_names(
        quote_ts,
        refresh,
        boundary=boundary,
        equity_close=state.hours.equity_close,
        quote_age=state.gates.name_quote_age,
    )
    carried = valid & (superseded | ~fresh)
    texts = state.words.texts(reason)
    return PairNames(
        valid,
        carried,
        coverage_of(state.basket.weights, valid, fresh),
        _missing(state, points, texts, ~valid),
        {state.basket.symbols[at]: texts[at] or "stale" for at in _in_order(state, carried)},
    )


def _missing(
    state: SessionState, points: NamePoints, texts: list[str], chosen: Mask
) -> dict[str, str]:
    """Why these names count for nothing.

    The reason is two sources, the other basis, no point yet, or that of the latest one.
    """
    places = _in_order(state, chosen)
    if not places:
        return {}
    split, seen = state.origins.split.tolist(), (state.origins.code >= 0).tolist()
    foreign = (points.atm_only != state.atm_only).tolist()
    other = "basis_atm" if not state.atm_only else "basis_quotes"
    return {
        state.basket.symbols[at]: "split_name"
        if split[at]
        else "no_quotes"
        if not seen[at]
        else other
        if foreign[at]
        else texts[at] or "unknown"
        for at in places
    }


def _in_order(state: SessionState, chosen: Mask) -> list[int]:
    """Positions of the chosen names in the order of their symbols."""
    places: list[int] = np.flatnonzero(chosen).tolist()
    return sorted(places, key=state.basket.symbols.__getitem__)
