"""Alerts on readings and inputs that have stopped or are old."""

from collections.abc import Iterator

from config.service_alerts.parameters import AlertingParameters
from config.service_alerts.recording import PUBLISHED, READ, REFRESH
from config.service_alerts.service_alert import (
    IN_SESSION,
    INPUTS,
    LIVE,
    LIVE_OF_INDEX,
    ServiceAlert,
)


def freshness(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """Indices and input partitions, in the session."""
    limits = site.limits
    moving = "(max by (job, index) (changes(dispersion_last_reading_timestamp_seconds[15s])) > 0)"
    # Both of one scrape: what is recorded is of an earlier one, which may have failed.
    never = (
        f'(max by (job, index) (dispersion_config_info{{job="{site.job("exporter")}"}})'
        " unless on (job, index) dispersion_last_publish_timestamp_seconds)"
    )
    old = (
        f"(\n  (time() - ({PUBLISHED} + {REFRESH}) > {limits.stale_seconds:g}"
        f" unless on (job, index) {moving})\n  or {never}\n)"
    )
    mode = 'max by (job, index, mode) (dispersion_config_info{mode=~"live|delayed"})'
    yield ServiceAlert(
        "DispersionStale",
        f"({old}{IN_SESSION})\n* on (job, index) group_left (mode) {mode}",
        "critical",
        ("job", "index", "mode"),
        "Readings have stopped while the market is open.",
        "Index {{ $labels.index }} has published nothing for more than "
        f"{limits.stale_seconds:g} seconds, beyond the refresh of its sources.",
        waits="20s",
    )
    yield ServiceAlert(
        "DispersionBehind",
        f"time() - {READ} > {limits.behind_seconds:g}\nand on (job, index) {moving}"
        f"{IN_SESSION}{LIVE_OF_INDEX}",
        "critical",
        ("job", "index"),
        "Readings are published, but they are of an earlier time.",
        "The newest reading of {{ $labels.index }} is of {{ $value | humanizeDuration }} ago.",
        waits="15s",
        labels=(("mode", "live"),),
    )
    yield ServiceAlert(
        "DispersionInputStalled",
        "time() - max by (job, topic, partition)"
        f" (dispersion_last_event_timestamp_seconds{{{INPUTS}}}) > {limits.input_seconds:g}"
        f"{IN_SESSION}{LIVE}",
        "critical",
        ("job", "topic", "partition"),
        "A partition of the input is silent while the market is open.",
        "{{ $labels.topic }}/{{ $labels.partition }} has had nothing new for "
        "{{ $value | humanizeDuration }}.",
        waits="30s",
    )
