"""Alerts on what should leave the monitor or reach it, and does not."""

from collections.abc import Iterator

from config.service_alerts.service_alert import ServiceAlert


def delivery() -> Iterator[ServiceAlert]:
    """Market alerts on their way out, and quotes of feeds on their way in."""
    yield ServiceAlert(
        "DispersionAlertPublishFailing",
        'sum by (job) (increase(dispersion_alert_events_total{outcome="error"}[5m])) > 0\n'
        "or max by (job) (time() - (dispersion_outbox_oldest_timestamp_seconds > 0)) > 10",
        "critical",
        ("job",),
        "Market alerts do not get out.",
        "Job {{ $labels.job }}: an event was refused, or the oldest has waited for ten seconds.",
        waits="30s",
    )
    yield ServiceAlert(
        "DispersionBridgeFailing",
        "time() - max by (job) (dispersion_bridge_last_success_timestamp_seconds) > 180",
        "critical",
        ("job",),
        "Market alerts do not reach Alertmanager.",
        "Job {{ $labels.job }} has not had Kafka and Alertmanager at once for three minutes.",
        waits="1m",
    )
    yield ServiceAlert(
        "DispersionIngestFailing",
        "time() - max by (job) (dispersion_ingest_last_commit_timestamp_seconds) > 60",
        "critical",
        ("job",),
        "Quotes of the feed do not reach the monitor.",
        "Kafka has taken nothing from job {{ $labels.job }} for a minute.",
        waits="30s",
    )
    yield ServiceAlert(
        "DispersionFeedFailing",
        "(time() - max by (job, feed) (dispersion_feed_last_beat_timestamp_seconds) > 60) "
        "and max by (job, feed) (dispersion_feed_open) == 1",
        "critical",
        ("job", "feed"),
        "The vendor's quotes do not reach the monitor.",
        "Feed {{ $labels.feed }} has published no heartbeat for a minute of the session.",
        waits="15s",
    )
    yield ServiceAlert(
        "DispersionFeedFailing",
        '(sum by (job, feed) (dispersion_feed_names{state="fresh"}) '
        "< 0.9 * sum by (job, feed) (dispersion_feed_names)) "
        "and max by (job, feed) (dispersion_feed_open) == 1",
        "warning",
        ("job", "feed"),
        "The vendor's quotes are incomplete.",
        "{{ $value }} names of feed {{ $labels.feed }} are fresh, fewer than nine in ten.",
        waits="5m",
    )
