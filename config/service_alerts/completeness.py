"""Alerts on numbers of a part of the basket, or away from what is published."""

from collections.abc import Iterator

from config.service_alerts.parameters import AlertingParameters
from config.service_alerts.recording import PUBLISHED, REFRESH
from config.service_alerts.service_alert import IN_SESSION, LIVE, LIVE_OF_INDEX, ServiceAlert


def completeness(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """Coverage, distance from the published index, and implied correlation outside its range."""
    age = f"time() - ({PUBLISHED} + {REFRESH})"
    fresh = f"\nand on (job, index) ({age} < {site.limits.stale_seconds:g})"
    for severity, share in (
        ("warning", site.limits.coverage),
        ("critical", site.limits.coverage_critical),
    ):
        yield ServiceAlert(
            "DispersionCoverageLow",
            f"max by (job, index) (dispersion_coverage_ratio) < {share:g}"
            f"{fresh}{IN_SESSION}{LIVE_OF_INDEX}",
            severity,
            ("job", "index"),
            "Names are without fresh quotes, so numbers are of a part of the basket.",
            "{{ $value | humanizePercentage }} of the weight of {{ $labels.index }} is covered.",
            waits="1m",
        )
    yield ServiceAlert(
        "DispersionTrackingError",
        "max by (job, reference) (abs(dispersion_reference_tracking_error_ratio))"
        f" > {site.limits.tracking_error:g}\n"
        "and on (job, reference)"
        " (max by (job, reference) (changes(dispersion_reference_index_ratio[1h])) > 0)"
        f"{IN_SESSION}{LIVE}",
        "warning",
        ("job", "reference"),
        "Our number is away from the published one.",
        "{{ $value | humanizePercentage }} between ours and {{ $labels.reference }}.",
        waits="10m",
    )
    yield ServiceAlert(
        "DispersionImpliedCorrelationOutOfRange",
        "sum by (job, index, bound)"
        " (rate(dispersion_implied_correlation_out_of_range_total[5m])) > 0",
        "info",
        ("job", "index", "bound"),
        "Implied correlation is outside [0, 1].",
        "Of {{ $labels.index }}, on the {{ $labels.bound }} side, for five minutes.",
        waits="5m",
    )
