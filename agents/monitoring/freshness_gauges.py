"""Gauges of when an index was last told, and of which day its weights are."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.freshness import allowed_refresh
from agents.monitoring.market_view import View, gauge
from streams.catalogue.measures import RULE_TENOR


def freshness_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """Ages are for PromQL to compute: these are times, Unix seconds."""
    since = (
        "When the latest reading was published, "
        "or its event where that counts and was earlier, Unix seconds."
    )
    published = gauge("last_publish_timestamp_seconds", since, "index")
    event = gauge(
        "last_reading_timestamp_seconds", "Event time of the latest reading, Unix seconds.", "index"
    )
    refresh = gauge(
        "reading_refresh_seconds",
        "How much older a reading may be because its sources are slow; 0 for a stream of quotes.",
        "index",
    )
    stale = gauge("stale_symbols", "Names of the basket without fresh quotes.", "index")
    weights = gauge("weights_sum_ratio", "Sum of the configured weights over 100.", "index")
    dated = gauge(
        "weights_timestamp_seconds", "Day of a basket's weights or shares, Unix seconds.", "index"
    )
    for view in views:
        symbol, names = view.spec.symbol, view.spec.basket.constituents
        published.add_metric([symbol], view.fresh_from)
        weights.add_metric([symbol], sum(c.weight for c in names) / 100.0)
        if (day := view.spec.basket.as_of) is not None:
            dated.add_metric([symbol], datetime.combine(day, time.min, UTC).timestamp())
        reading = view.snapshot.readings.get(RULE_TENOR)
        if reading is None:
            continue
        event.add_metric([symbol], reading.ts_event.timestamp())
        allowed = allowed_refresh(view.snapshot.mode, reading.refresh_seconds)
        refresh.add_metric([symbol], allowed)
        if reading.coverage_names is not None:
            stale.add_metric([symbol], round(len(names) * (1.0 - reading.coverage_names)))
    yield from (published, event, refresh, stale, weights, dated)
