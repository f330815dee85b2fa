"""Gauges of the measures of a reading, and of the published levels beside them."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.market_view import View, gauge, readings_of
from streams.catalogue.measure import Measure
from streams.catalogue.measures import GAUGES, RULE_TENOR
from streams.reading import Reading
from streams.readings.realized_values import WINDOW


def level_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """One family for each measure that has a gauge, in decimals."""
    for measure in GAUGES:
        family = gauge(f"{measure.field}_ratio", measure.help, *measure.gauge_labels)
        for symbol, reading in readings_of(views):
            value, shown = getattr(reading, measure.field), _last_label(measure, reading)
            if value is not None and shown is not None:
                family.add_metric([symbol, *shown], value)
        yield family


def _last_label(measure: Measure, reading: Reading) -> list[str] | None:
    """Value of the label behind `index`, if there is one; None where the gauge is not shown."""
    if measure.gauge == "tenor":
        return [reading.tenor]
    if measure.gauge == "window":
        sessions = WINDOW.get(reading.tenor_days)
        return None if sessions is None else [f"{sessions}d"]
    return [] if reading.tenor == RULE_TENOR else None


def reference_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """Published levels, and ours less them; of several indices the first that has one counts."""
    level = gauge("reference_index_ratio", "Published index level.", "reference")
    error = gauge("reference_tracking_error_ratio", "Ours minus the published level.", "reference")
    known: dict[str, tuple[float, float | None]] = {}
    for view in views:
        reading = view.snapshot.readings.get(RULE_TENOR)
        for reference, value in (reading.references if reading else {}).items():
            known.setdefault(
                reference, (value, reading.tracking_error.get(reference) if reading else None)
            )
    for reference, (value, difference) in known.items():
        level.add_metric([reference], value)
        if difference is not None:
            error.add_metric([reference], difference)
    yield from (level, error)
