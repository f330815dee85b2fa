"""Scores for events: how unusual a session's change and a level are, and whether changes drift.

The change is that since the prior close, on the common set of names, scored with the mean and sd
before it. Within a session it is a part of a day's change against whole ones. Source: methodology,
"Statistics and defaults".
"""

import math

from analytics.changepoint import cusum
from analytics.robust import robust_z
from streams.catalogue.measures import SCORED
from streams.detection.history.change import Change
from streams.detection.rule_context import RuleContext


def scores(context: RuleContext) -> dict[str, float | None]:
    """EWMA z and two-sided CUSUM of the change, robust z of the level, by measure.

    None while the history is too short.
    """
    close = context.baseline.close(1)
    change = None if close is None else context.change(close)
    out: dict[str, float | None] = {}
    for measure in SCORED:
        chart = context.baseline.chart(measure)
        move = None if change is None else _move(context, change, measure)
        z = None if chart is None or move is None else (move - chart.mean) / chart.sd
        drift = None if chart is None or z is None else cusum([z], start=(chart.up, chart.down))
        out[f"{measure}_change_z"] = z
        out[f"{measure}_robust_z"] = _robust(context, measure)
        out[f"{measure}_cusum_up"] = None if drift is None else float(drift.up[0])
        out[f"{measure}_cusum_down"] = None if drift is None else float(drift.down[0])
    return out


def _move(context: RuleContext, change: Change, measure: str) -> float | None:
    """The change that belongs to `Baseline.changes`: of index vol the log change."""
    if measure == "index_vol":
        return math.log(change.index_to / change.index_from)
    if measure in change.moves:
        return change.moves[measure][1]
    close = context.baseline.close(1)
    if change.names:
        return change.dispersion_move
    before, now = None if close is None else close.dispersion, context.level(measure)
    return None if before is None or now is None else now - before


def _robust(context: RuleContext, measure: str) -> float | None:
    level, history = context.level(measure), context.baseline.levels(measure)
    if level is None or len(history) < context.baseline.minimum:
        return None
    z = robust_z(history, level)
    return z if math.isfinite(z) else None
