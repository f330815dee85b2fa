"""The measures of the closing reading beside their closes: changes and ranks."""

from typing import Final

from streams.catalogue.measure import Measure
from streams.catalogue.measures import MEASURES
from streams.detection.history.days import LEVELS
from streams.detection.rule_context import RuleContext
from streams.report.document import MeasureRow
from streams.report.figure import Figure, Unit, change, figure

SESSIONS: Final = (1, 5, 20)
SHOWN: Final = (
    "index_vol",
    "basket_vol",
    "dispersion",
    "vol_spread",
    "variance_ratio",
    "implied_correlation",
    "realized_correlation",
    "correlation_premium",
    "realized_dispersion",
)
_BY_FIELD: Final = {measure.field: measure for measure in MEASURES}


def measure_rows(context: RuleContext) -> tuple[MeasureRow, ...]:
    """Rows of `SHOWN`; a change is against the close so many stored sessions ago."""
    return tuple(_row(context, _BY_FIELD[field]) for field in SHOWN)


def _row(context: RuleContext, measure: Measure) -> MeasureRow:
    reading, field = context.reading, measure.field
    now, heading = getattr(reading, field), measure.heading
    if now is None and field in LEVELS and context.level(field) is not None:
        now, heading = context.level(field), f"{heading}, at the money"
    unit = _unit(measure)
    why = reading.reasons.get(field, measure.reason_when_null)
    return MeasureRow(
        field=field,
        heading=heading,
        now=figure(now, unit, why, reading.ts_event),
        changes={str(n): _change(context, measure, n) for n in SESSIONS},
        rank=_rank(context, field),
    )


def _change(context: RuleContext, measure: Measure, sessions: int) -> Figure:
    unit = _unit(measure)
    if measure.field not in LEVELS:
        return figure(None, unit, "its closes are not kept")
    close = context.baseline.close(sessions)
    if close is None:
        return figure(None, unit, f"{len(context.baseline.closes)} closes, {sessions} are needed")
    return change(context.level(measure.field), close.level(measure.field), unit)


def _rank(context: RuleContext, field: str) -> Figure:
    if field not in LEVELS:
        return figure(None, "rank", "its closes are not kept")
    baseline = context.baseline
    why = f"{len(baseline.closes)} closes, {baseline.minimum} are needed"
    return figure(baseline.rank(field, context.level(field)), "rank", why)


def _unit(measure: Measure) -> Unit:
    return "share" if measure.unit == "ratio" else measure.unit
