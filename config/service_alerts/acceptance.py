"""The alert on an input of which less than half is accepted."""

from collections.abc import Iterator

from config.service_alerts.service_alert import IN_SESSION, INPUTS, ServiceAlert


def acceptance() -> Iterator[ServiceAlert]:
    """The least share over quotes, ticks and records, by what came in the last minute."""
    shares = " or\n".join(
        [
            _accepted("quotes", "accepted|no_bid|duplicate"),
            _accepted("ticks", "accepted"),
            (
                "label_replace(1 -\n"
                "  sum by (job, topic)"
                f" (rate(dispersion_dead_letter_messages_total{{{INPUTS}}}[1m]))\n"
                "  / sum by (job, topic) (rate(dispersion_messages_consumed_total[1m])),\n"
                '  "stream", "$1", "topic", ".*(quotes|ticks).*")'
            ),
        ]
    )
    yield ServiceAlert(
        "DispersionInputRefused",
        f"min by (job, stream) (\n{shares}\n) < 0.5{IN_SESSION}",
        "warning",
        ("job", "stream"),
        "Less than half of an input is accepted.",
        "{{ $value | humanizePercentage }} of the {{ $labels.stream }} of the last minute were"
        " accepted.",
        waits="1m",
    )


def _accepted(stream: str, outcomes: str) -> str:
    """The accepted share of the rows of names that somebody watches; 0 where none is accepted."""
    metric = f"dispersion_{stream}_total"
    taken = f'sum by (job) (rate({metric}{{outcome=~"{outcomes}"}}[1m]))'
    return (
        f"label_replace({taken} == 0 and sum by (job) (rate({metric}[1m])) > 0,"
        f' "stream", "{stream}", "", "") or\n'
        f"label_replace({taken}\n"
        f'  / sum by (job) (rate({metric}{{outcome!="unknown"}}[1m])),'
        f' "stream", "{stream}", "", "")'
    )
