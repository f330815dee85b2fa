"""The delta skew of a reading: implied correlation on the vols at other deltas than the half."""

import math

import numpy as np

from analytics.correlation import implied_correlation_skew
from streams.readings.coverage import too_thin
from streams.readings.fields import Fields
from streams.readings.session_state import SessionState
from streams.readings.skew_vols import NAMES
from streams.readings.valid_names import ValidNames

FIELD = "implied_correlation_skew"


def skew_of(
    fields: Fields, state: SessionState, tenor: int, names: ValidNames | None, reason: str
) -> dict[str, float]:
    """Implied correlation by delta over the largest names that count.

    `fields` gets a reason for what is missing.

    `fields` has `index_atm_vol` or the reason for its absence: without the middle of the index's
    smile its wings are not believed.
    """
    missing = reason or fields.reason_for("index_atm_vol")
    if missing or names is None:
        fields.set_null(missing or "no_basket", FIELD)
        return {}
    largest, vols = state.basket.largest, state.skew.at_tenor[tenor]
    weights = state.basket.weights[largest]
    of_names = np.where(names.atm.valid[largest, None], vols[largest], np.nan)
    values = implied_correlation_skew(vols[-1], weights, of_names)
    skew: dict[str, float] = {}
    for name, index_vol, column, value in zip(
        NAMES, vols[-1].tolist(), of_names.T, values.tolist(), strict=True
    ):
        why = "no_quotes" if math.isnan(index_vol) else too_thin(state.gates, weights, column)
        if why or math.isnan(value):
            fields.set_null(why or "one_name", f"{FIELD}.{name}")
        else:
            skew[name] = value
    return skew
