"""Alerts on servers, memory and clocks near their limits."""

from collections.abc import Iterator

from config.service_alerts.parameters import AlertingParameters
from config.service_alerts.service_alert import ServiceAlert


def saturation(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """Redis, the event loops, and the memory and clocks of workers."""
    yield ServiceAlert(
        "DispersionRedisSlow",
        "histogram_quantile(0.99, sum by (job, le)"
        f" (rate(dispersion_redis_operation_seconds_bucket[5m]))) > {site.limits.redis_seconds:g}",
        "warning",
        ("job",),
        "Redis is slow.",
        "One operation in a hundred takes more than {{ $value | humanizeDuration }}.",
        waits="2m",
    )
    yield ServiceAlert(
        "DispersionEventLoopBlocked",
        "histogram_quantile(0.99, sum by (job, instance, le)"
        f" (rate(dispersion_event_loop_lag_seconds_bucket[5m]))) > {site.limits.loop_seconds:g}",
        "warning",
        ("job", "instance"),
        "A worker is late with its own timers.",
        "On {{ $labels.instance }} one of a hundred is late by {{ $value | humanizeDuration }}.",
        waits="2m",
    )
    yield ServiceAlert(
        "DispersionEventLoopBlocked",
        "time() - max by (job, instance) (dispersion_loop_beat_timestamp_seconds) > 5",
        "critical",
        ("job", "instance"),
        "A worker's event loop stands still while its page answers.",
        "{{ $labels.instance }} has not run a timer for {{ $value | humanizeDuration }}.",
        waits="15s",
    )
    worker = site.job("worker")
    yield ServiceAlert(
        "DispersionStateGrowth",
        "max by (job, instance)"
        f' (predict_linear(process_resident_memory_bytes{{job="{worker}"}}[1h], 4 * 3600))'
        f" > {site.limits.memory_bytes:.0f}\n"
        "and on (job, instance) time() - process_start_time_seconds > 3600",
        "warning",
        ("job", "instance"),
        "A worker's memory will pass its limit within four hours.",
        "{{ $labels.instance }} will have {{ $value | humanize1024 }}B.",
        waits="15m",
    )
    yield ServiceAlert(
        "DispersionClockSkew",
        "max by (job, instance) (abs(dispersion_redis_clock_skew_seconds)) > 2",
        "warning",
        ("job", "instance"),
        "A worker's clock is off.",
        '{{ $labels.instance }} is {{ $value | printf "%.1f" }} s away from Redis; at 60 s it'
        " stops.",
        waits="2m",
    )
