"""Alerts on input that waits to be applied."""

from collections.abc import Iterator

from config.service_alerts.parameters import AlertingParameters
from config.service_alerts.service_alert import LIVE, ServiceAlert


def consumer_lag(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """A lag that grows, a partition without progress, and rebalances without end."""
    by = "max by (job, topic, partition)"
    at = ("job", "topic", "partition")
    yield ServiceAlert(
        "DispersionConsumerLagGrowing",
        f"{by} (dispersion_input_lag_messages) > {site.limits.lag_messages:g}\n"
        f"and on (job, topic, partition) {by} (deriv(dispersion_input_lag_messages[5m])) > 0{LIVE}",
        "warning",
        at,
        "Input comes faster than it is applied.",
        '{{ $value | printf "%.0f" }} records of {{ $labels.topic }}/{{ $labels.partition }}'
        " wait, and there are more and more.",
        waits="2m",
    )
    yield ServiceAlert(
        "DispersionConsumerStuck",
        f"{by} (delta(dispersion_input_lag_messages[2m])) > 0\n"
        f"and on (job, topic, partition) {by}"
        " (min_over_time(dispersion_input_lag_messages[2m])) > 0\n"
        "unless on (topic, partition) max by (topic, partition)"
        f" (changes(dispersion_kafka_watermark_offset[2m])) > 0{LIVE}",
        "critical",
        at,
        "A partition has input and makes no progress.",
        "Nothing of {{ $labels.topic }}/{{ $labels.partition }} has been applied for two minutes.",
        # Workers that have just started need some of it.
        waits="1m",
    )
    yield ServiceAlert(
        "DispersionRebalanceStorm",
        "max by (job) (increase(dispersion_rebalances_total[10m])) > 3.5\n"
        "and on (job) max by (job) (increase(dispersion_rebalances_total[2m])) > 0",
        "warning",
        ("job",),
        "The group rebalances again and again.",
        '{{ $value | printf "%.0f" }} rebalances in ten minutes, and it goes on.',
        waits="5m",
    )
