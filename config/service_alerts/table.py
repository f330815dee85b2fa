"""Every alert on the service, by the question that it answers.

Market alerts are decided in the stream and never here. A clause that no unit test needs is not
here either: `tests/integration/test_rules.py` takes out each in turn.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from config.service_alerts.parameters import COMPONENTS, REPORTER, AlertingParameters
from config.service_alerts.recording import (
    COVERED,
    FRESH,
    LIVE_INDEX,
    LIVE_JOB,
    PUBLISH_LATE,
    PUBLISHED,
    READ,
    REFRESH,
    SESSION,
)

IN_SESSION: Final = f"\nand on (job) ({SESSION} == 1)"
LIVE: Final = f"\nand on (job) {LIVE_JOB}"
LIVE_OF_INDEX: Final = f"\nand on (job, index) {LIVE_INDEX}"
SOMEWHERE_LIVE: Final = f"\nand on () max({LIVE_JOB})"
OUTLASTS: Final = "2m"
"""How long a cause goes on firing: until what followed from it is over, or that would be a page."""
INPUTS: Final = 'topic=~".*(quotes|ticks).*"'
LOST: Final = {
    "exporter": "No exporter answers, so the wall is dark.",
    "worker": "No worker answers, so nothing is computed.",
    "bridge": "No bridge answers, so market alerts do not reach Alertmanager.",
    "ingest": "No ingest answers, so quotes of the feed do not reach the monitor.",
}
FAST: Final = ("1h", "5m", 7, "critical")
SLOW: Final = ("6h", "30m", 2, "warning")
"""Long window, short window, times the budget, severity: 5 and 9 % of the budget of 21 sessions."""


class ServiceAlert(NamedTuple):
    """One rule. `by` are the labels that its expression leaves."""

    name: str
    expr: str
    severity: str
    by: tuple[str, ...]
    summary: str
    description: str
    waits: str = ""
    """How long the condition must hold."""
    keeps: str = ""
    """How long it goes on firing after it."""
    labels: tuple[tuple[str, str], ...] = ()


def service_alerts(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """All of them, in the order of the questions."""
    yield from _up(site)
    yield from _servers()
    yield from _fresh(site)
    yield from _complete(site)
    yield from _delay(site)
    yield from _burns(site)
    yield from _refused()
    yield from _input_refused()
    yield from _saturation(site)
    yield from _delivery()
    yield from _reports(site)


def _up(site: AlertingParameters) -> Iterator[ServiceAlert]:
    for component in COMPONENTS:
        yield from _down(site, component)
    worker = site.job("worker")
    yield ServiceAlert(
        "DispersionWorkerMissing",
        f'count by (job) (up{{job="{worker}"}} == 0)',
        "warning",
        ("job",),
        "A worker does not answer; the others carry its partitions.",
        "{{ $value }} of the workers of job {{ $labels.job }} have not answered for two minutes.",
        waits="2m",
    )
    yield ServiceAlert(
        "DispersionWatchdog",
        f'count(up{{job=~"{_names(site)}"}})',
        "none",
        (),
        "Always firing; its absence means that alerting itself is broken.",
        "Route it to a dead man's switch.",
    )
    yield ServiceAlert(
        "DispersionMonitoringBroken",
        "sum by (job) (rate(prometheus_notifications_errors_total[5m])) > 0\n"
        'or up{job="alertmanager"} == 0\n'
        "or sum by (job) (rate(prometheus_rule_evaluation_failures_total[5m])) > 0",
        "critical",
        ("job",),
        "Prometheus or Alertmanager does not work, so other pages may not come.",
        "Job {{ $labels.job }}: notifications fail, rules fail, or Alertmanager does not answer.",
        waits="2m",
    )


def _names(site: AlertingParameters) -> str:
    return "|".join(site.job(component) for component in COMPONENTS)


def _down(site: AlertingParameters, component: str) -> Iterator[ServiceAlert]:
    """Critical in the session and where nobody knows of it, else a warning."""
    job = site.job(component)
    silent = f'sum by (job) (up{{job="{job}"}}) == 0'
    if site.expected(component):
        silent = f'(absent(up{{job="{job}"}}) or {silent})'
    closed = f"(max({SESSION}) == 0)"
    for severity, gate in (("critical", "unless"), ("warning", "and")):
        yield ServiceAlert(
            "DispersionDown",
            f"{silent}\n{gate} on () {closed}",
            severity,
            ("job",),
            LOST[component],
            "Job {{ $labels.job }} has no living target.",
            waits="15s",
            keeps=OUTLASTS,
            labels=(("component", component),),
        )


def _servers() -> Iterator[ServiceAlert]:
    yield ServiceAlert(
        "DispersionKafkaDown",
        f"min(max by (job) (dispersion_kafka_up)) == 0{SOMEWHERE_LIVE}",
        "critical",
        (),
        "Kafka does not answer, so nothing is read and nothing published.",
        "It has not told the ends of the logs.",
        waits="15s",
        keeps=OUTLASTS,
    )
    yield ServiceAlert(
        "DispersionRedisDown",
        f"min(max by (job) (dispersion_redis_up)) == 0{SOMEWHERE_LIVE}",
        "critical",
        (),
        "Redis does not answer or takes no write, so readings stop.",
        "One of the jobs has had no answer.",
        waits="15s",
        keeps=OUTLASTS,
    )


def _fresh(site: AlertingParameters) -> Iterator[ServiceAlert]:
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


def _complete(site: AlertingParameters) -> Iterator[ServiceAlert]:
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


def _delay(site: AlertingParameters) -> Iterator[ServiceAlert]:
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


def _burns(site: AlertingParameters) -> Iterator[ServiceAlert]:
    limits = site.limits
    for long, short, times, severity in (FAST, SLOW):
        burnt = f"> {times} * {limits.late_budget:g}"
        yield ServiceAlert(
            "DispersionLatencyBudgetBurn",
            f"{PUBLISH_LATE}{long} {burnt} and {PUBLISH_LATE}{short} {burnt}\n"
            "and on (job)"
            " sum by (job) (increase(dispersion_event_to_publish_seconds_count[1h])) > 300",
            severity,
            ("job",),
            "Readings come late so often that the month's budget will not last.",
            f"{{{{ $value | humanizePercentage }}}} of the readings of the last {long} came later"
            " than a second.",
            labels=(("window", long),),
        )
        for name, series, budget, words in (
            ("Freshness", FRESH, limits.stale_budget, "without a fresh reading"),
            ("Coverage", COVERED, limits.coverage_budget, "below the wanted coverage"),
        ):
            burnt = f"> {times} * {budget:g}"
            yield ServiceAlert(
                f"Dispersion{name}BudgetBurn",
                f"1 - avg_over_time({series}[{long}]) {burnt}\n"
                f"and 1 - avg_over_time({series}[{short}]) {burnt}\n"
                f"and count_over_time({series}[1h]) > 180",
                severity,
                ("index",),
                f"So much of the session is {words} that the month's budget will not last.",
                "{{ $value | humanizePercentage }} of the session time of the last "
                f"{long}, index {{{{ $labels.index }}}}.",
                labels=(("window", long),),
            )


def _refused() -> Iterator[ServiceAlert]:
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


def _input_refused() -> Iterator[ServiceAlert]:
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


def _saturation(site: AlertingParameters) -> Iterator[ServiceAlert]:
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


def _delivery() -> Iterator[ServiceAlert]:
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


def _reports(site: AlertingParameters) -> Iterator[ServiceAlert]:
    """A reporter that is dead counts too, for it is asked for nothing else."""
    job = site.job(REPORTER)
    dead = f'sum by (job) (up{{job="{job}"}}) == 0'
    if site.expected(REPORTER):
        dead = f'absent(up{{job="{job}"}}) or {dead}'
    yield ServiceAlert(
        "DispersionReportMissing",
        f"max by (job, index) (dispersion_reports_missing) > 0\nor {dead}",
        "warning",
        ("job", "index"),
        "A session has ended without a report, or no reporter answers.",
        "Job {{ $labels.job }}, index {{ $labels.index }}: the report that follows the close is not"
        " there yet, and nothing makes it.",
        waits="20m",
    )
