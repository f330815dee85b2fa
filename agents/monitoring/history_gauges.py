"""Gauges of a measure among its earlier values."""

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.market_view import View, gauge
from streams.catalogue.measures import RULE_TENOR


def history_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """Moves, ranks and bands of measures, at the tenor of the rules."""
    labels = ("index", "tenor", "measure", "window")
    change = gauge(
        "change_ratio", "Move of a measure over a window; 1d is since the prior close.", *labels
    )
    rank = gauge("percentile_ratio", "Rank of a measure among the closes of a window.", *labels)
    band = gauge(
        "percentile_band_ratio",
        "Percentiles of a measure's closes.",
        "index",
        "tenor",
        "measure",
        "bound",
    )
    for view in views:
        sources: tuple[tuple[GaugeMetricFamily, Mapping[str, Mapping[str, float]]], ...] = (
            (change, view.snapshot.changes),
            (rank, view.snapshot.percentiles),
            (band, view.snapshot.bands),
        )
        for family, measures in sources:
            for measure, by_window in measures.items():
                for window, value in by_window.items():
                    family.add_metric([view.spec.symbol, RULE_TENOR, measure, window], value)
    yield from (change, rank, band)
