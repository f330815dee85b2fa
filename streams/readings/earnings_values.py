"""Basket vol and implied correlation without what coming reports add to the names' vols."""

from collections.abc import Iterator

import numpy as np

from analytics.arrays import Floats
from analytics.correlation import implied_correlation
from analytics.dispersion import basket_vol
from streams.calendar.sessions import date_of
from streams.catalogue.vocabulary import PARTIAL_BASKET
from streams.reading import Earnings, ReportingName
from streams.readings.coverage import coverage_of, too_thin
from streams.readings.fields import Fields
from streams.readings.session_state import SessionState
from streams.readings.valid_names import ValidNames


def earnings_of(fields: Fields, state: SessionState, names: ValidNames) -> Earnings | None:
    """The record; None without a calendar, and `fields` has the reasons.

    A name whose report cannot be told apart drops out of both values.
    """
    if not state.has_calendar:
        fields.set_null("no_calendar", "earnings")
        return None
    weights, effects = state.basket.weights, state.reports
    variance, vols = names.variance * effects.variance_ratio, names.atm_vol * effects.atm_ratio
    level = _level(fields, state, variance)
    index = fields.values.get("index_vol")
    if level is not None and index is None:
        fields.set_null(fields.reason_for("index_vol"), "earnings.vol_spread")
    strips, atm = (
        coverage_of(weights, known, known) for known in map(np.isfinite, (variance, vols))
    )
    return Earnings(
        names=tuple(_reporting(state)),
        weight=float(weights[effects.in_near].sum() / weights.sum()),
        coverage=strips.valid_weight,
        coverage_atm=atm.valid_weight,
        basket_vol=level,
        vol_spread=None if level is None or index is None else level - index,
        implied_correlation=_correlation(fields, state, vols),
    )


def _level(fields: Fields, state: SessionState, variance: Floats) -> float | None:
    missing = fields.reason_for("basket_vol") or too_thin(
        state.gates, state.basket.weights, variance
    )
    if missing:
        fields.set_null(missing, "earnings.basket_vol", "earnings.vol_spread")
        return None
    return basket_vol(state.basket.weights, variance)


def _correlation(fields: Fields, state: SessionState, vols: Floats) -> float | None:
    """Over the largest names, as `implied_correlation`; raw like that."""
    largest = state.basket.largest
    weights, chosen = state.basket.weights[largest], vols[largest]
    untaken = PARTIAL_BASKET if state.spec.basket.partial else ""
    missing = (
        untaken
        or fields.reason_for("implied_correlation")
        or too_thin(state.gates, weights, chosen)
    )
    rho = (
        np.nan if missing else implied_correlation(fields.values["index_atm_vol"], weights, chosen)
    )
    if np.isnan(rho):
        fields.set_null(missing or "one_name", "earnings.implied_correlation")
        return None
    return float(rho)


def _reporting(state: SessionState) -> Iterator[ReportingName]:
    """Names that report before their near expiry: by day, the heaviest of a day first."""
    effects, weights = state.reports, state.basket.weights
    rows = np.flatnonzero(effects.in_near)
    total = float(weights.sum())
    for at in rows[np.lexsort((-weights[rows], effects.day[rows]))].tolist():
        yield ReportingName(
            symbol=state.basket.symbols[at],
            day=date_of(int(effects.day[at])),
            weight=float(weights[at]) / total,
        )
