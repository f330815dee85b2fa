"""Alerts on records and writes that were refused or lost."""

from collections.abc import Iterator

from config.service_alerts.service_alert import ServiceAlert


def refusals() -> Iterator[ServiceAlert]:
    """Dead letters, quotes without room, lost offsets, fenced writes, refused partitions."""
    dead = "sum by (job, topic, reason) (increase(dispersion_dead_letter_messages_total[5m]))"
    yield ServiceAlert(
        "DispersionDeadLetters",
        f"{dead} > 0",
        "info",
        ("job", "topic", "reason"),
        "Input that could not be decoded went to the dead-letter topic.",
        '{{ $value | printf "%.0f" }} records of {{ $labels.topic }} in five minutes, reason'
        " {{ $labels.reason }}.",
    )
    yield ServiceAlert(
        "DispersionDeadLetters",
        "sum by (job, topic) (increase(dispersion_dead_letter_messages_total[5m]))\n"
        "/ sum by (job, topic) (increase(dispersion_messages_consumed_total[5m])) > 0.01",
        "warning",
        ("job", "topic"),
        "More than one record of a hundred cannot be decoded.",
        "{{ $value | humanizePercentage }} of {{ $labels.topic }} in five minutes.",
    )
    yield ServiceAlert(
        "DispersionNoRoom",
        'sum by (job) (increase(dispersion_quotes_total{outcome="no_room"}[5m])) > 0',
        "warning",
        ("job",),
        "Quotes are left out because a source has no room for their contracts.",
        '{{ $value | printf "%.0f" }} quotes in five minutes: most likely a producer writes'
        " something else into the root.",
    )
    yield ServiceAlert(
        "DispersionOffsetGaps",
        "sum by (job, topic) (increase(dispersion_offset_gaps_total[5m])) > 0",
        "warning",
        ("job", "topic"),
        "Records were gone before they could be read.",
        '{{ $value | printf "%.0f" }} offsets of {{ $labels.topic }} in five minutes.',
    )
    yield ServiceAlert(
        "DispersionFencedWrites",
        "sum by (job) (increase(dispersion_fenced_writes_total[5m])) > 0",
        "info",
        ("job",),
        "A worker wrote for a partition that another one owns, and was refused.",
        '{{ $value | printf "%.0f" }} writes in five minutes.',
    )
    yield ServiceAlert(
        "DispersionPartitionsRefused",
        "max by (job, stage) (dispersion_refused_partitions) > 0",
        "critical",
        ("job", "stage"),
        "Partitions stand refused, and no restart heals it.",
        '{{ $value | printf "%.0f" }} partitions of stage {{ $labels.stage }} wait for a person:'
        " `dispersion takeover` shows them.",
    )
