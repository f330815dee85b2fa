"""When each rule of Prometheus fires, when it is silent, and the trap that it must not fall into.

`tests/integration/test_rules.py` plays them, also on rules that lack a clause.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

E, W, B, N = "dispersion-exporter", "dispersion-worker", "dispersion-bridge", "dispersion-ingest"
FEED = "dispersion-feed"
R = "dispersion-reporter"
F = f'job="{FEED}", feed="cboe"'
Series = Mapping[str, str]


class RuleCase(NamedTuple):
    """Series of one story, and what of one rule stands at which time."""

    rule: str
    """An alert, or a recorded series."""
    why: str
    series: Series
    at: Mapping[str, Sequence[str]]
    """Time → labels of each alert (`a=1 b=2`), or of each sample with `value=`."""
    every: str = "5s"
    """Between samples."""
    judged: str = "5s"
    """Between evaluations."""


def known(*jobs: str, mode: str = "live", opened: str = "1x9999", index: str = "SPY") -> Series:
    """What every process tells of its configuration and the session."""
    found = {}
    for job in jobs:
        labels = f'job="{job}", config_hash="c", index="{index}", mode="{mode}"'
        found[f"dispersion_config_info{{{labels}}}"] = "1x9999"
        found[f'dispersion_market_session_open{{job="{job}", calendar="XNYS"}}'] = opened
    return found


def published(values: str, index: str = "SPY", instance: str = "a") -> Series:
    """When a reading was published."""
    at = f'{{job="{E}", index="{index}", instance="{instance}"}}'
    return {f"dispersion_last_publish_timestamp_seconds{at}": values}


def refreshed(values: str, index: str = "SPY") -> Series:
    """How much older a reading may be because its sources are slow."""
    return {f'dispersion_reading_refresh_seconds{{job="{E}", index="{index}"}}': values}


def read(values: str, index: str = "SPY") -> Series:
    """Event time of the newest reading."""
    return {f'dispersion_last_reading_timestamp_seconds{{job="{E}", index="{index}"}}': values}


def up(job: str, values: str, instance: str = "a") -> Series:
    """Whether a target answers."""
    return {f'up{{job="{job}", instance="{instance}"}}': values}


def _down(component: str, job: str) -> list[RuleCase]:
    other = W if job == E else E
    name, fired = "DispersionDown", f"component={component} job={job}"
    return [
        RuleCase(
            name,
            f"{component} is killed in the session, and comes back; others live",
            {**known(other), **up(other, "1x99"), **up(job, "1x11 0x11 1x99")},
            {
                "1m10s": [],
                "1m20s": [f"severity=critical {fired}"],
                "1m50s": [f"severity=critical {fired}"],
                "3m50s": [f"severity=critical {fired}"],
                "4m10s": [],
            },
        ),
        RuleCase(
            name,
            f"{component} is away while the exchange is closed",
            {**known(other, opened="0x99"), **up("other", "0x99"), **up(job, "1x11 0x11 1x99")},
            {
                "50s": [],
                "1m10s": [],
                "1m30s": [f"severity=warning {fired}"],
                "3m50s": [f"severity=warning {fired}"],
                "4m10s": [],
            },
        ),
        RuleCase(
            name,
            f"one of two of {component} is away, and another job is",
            {**known(other), **up(job, "0x99"), **up(job, "1x99", "b"), **up("other", "0x99")},
            {"1m": []},
        ),
    ]


def _taken_out(component: str, job: str, *others: str) -> list[RuleCase]:
    fired = f"component={component} job={job}"
    there = {key: text for other in others for key, text in up(other, "1x99").items()}
    return [
        RuleCase(
            "DispersionDown",
            f"{component} is taken out of the scrape configuration, or was forgotten there",
            {**known(*others[:1]), **there, **up(job, "1x11 stale")},
            {"1m": [], "2m": [f"severity=critical {fired}"]},
        ),
        RuleCase(
            "DispersionDown",
            f"{component} is not scraped while the exchange is closed",
            {**known(*others[:1], opened="0x99"), **there},
            {"2m": [f"severity=warning {fired}"]},
        ),
    ]


ALL_UP = {**up(E, "1x999"), **up(W, "1x999"), **up(B, "1x999")}
UP = [
    *(
        case._replace(series={**ALL_UP, **case.series})
        for component, job in (("exporter", E), ("worker", W), ("bridge", B), ("ingest", N))
        for case in _down(component, job)
    ),
    *_taken_out("exporter", E, W, B),
    *_taken_out("worker", W, E, B),
    *_taken_out("bridge", B, E, W),
    RuleCase(
        "DispersionDown",
        "nothing is scraped at all, and nobody knows whether the session is open",
        {"unrelated": "1x99"},
        {
            "1m": [
                f"severity=critical component={component} job={job}"
                for component, job in (("exporter", E), ("worker", W), ("bridge", B))
            ]
        },
    ),
    RuleCase(
        "DispersionWorkerMissing",
        "one of two is dead for long; a restart of the other takes less than two minutes",
        {**up(W, "0x99"), **up(W, "1x35 0x11 1x60", "b"), **up(E, "0x99")},
        {"1m50s": [], "2m10s": [f"severity=warning job={W}"]},
    ),
    RuleCase(
        "DispersionWorkerMissing",
        "a rolling restart",
        {**up(W, "1x11 0x11 1x99"), **up(W, "1x35 0x11 1x99", "b")},
        {"1m50s": [], "3m50s": [], "6m": []},
    ),
    RuleCase(
        "DispersionWatchdog",
        "speaks while anything of ours is scraped, be it dead",
        up(W, "0x99"),
        {"1m": ["severity=none"]},
    ),
    RuleCase(
        "DispersionWatchdog",
        "ends where Prometheus has lost us",
        {**up(W, "1x11 stale"), **up("node", "1x99")},
        {"50s": ["severity=none"], "2m": []},
    ),
    RuleCase(
        "DispersionMonitoringBroken",
        "notifications fail, then rules, then Alertmanager is away",
        {
            'prometheus_notifications_errors_total{job="prometheus"}': "0x12 0+1x24 24x300",
            'prometheus_rule_evaluation_failures_total{job="rules"}': "0x12 0+1x24 24x300",
            **up("alertmanager", "1x200 0x60"),
            **up("other", "0x300"),
        },
        {
            "2m50s": [],
            "4m": ["severity=critical job=prometheus", "severity=critical job=rules"],
            "10m": [],
            "18m": [],
            "19m30s": ["severity=critical job=alertmanager instance=a"],
        },
    ),
]
SERVERS = [
    case
    for name, metric in (("Kafka", "dispersion_kafka_up"), ("Redis", "dispersion_redis_up"))
    for case in (
        RuleCase(
            f"Dispersion{name}Down",
            "one job has no answer from 1m to 2m, whatever the other says",
            {
                **known(E, W),
                f'{metric}{{job="{E}", instance="a"}}': "1x99",
                f'{metric}{{job="{W}", instance="b"}}': "1x11 0x11 1x99",
            },
            {
                "1m10s": [],
                "1m20s": ["severity=critical"],
                "3m50s": ["severity=critical"],
                "4m10s": [],
            },
        ),
        RuleCase(
            f"Dispersion{name}Down",
            "one of two processes of a job has an answer",
            {
                **known(E),
                f'{metric}{{job="{E}", instance="a"}}': "1x99",
                f'{metric}{{job="{E}", instance="b"}}': "0x99",
            },
            {"3m": []},
        ),
        RuleCase(
            f"Dispersion{name}Down",
            "a scenario has lost it",
            {**known(E, mode="scenario"), f'{metric}{{job="{E}", instance="a"}}': "0x99"},
            {"3m": []},
        ),
    )
]
EVERY_TWO_MINUTES = "0x23 120x23 240x99"
STALE = f"severity=critical mode=live job={E} index=SPY"
FRESHNESS = [
    RuleCase(
        "DispersionStale",
        "readings stop at 1m and come back at 3m; another index goes on",
        {
            **known(E, W),
            **known(E, index="QQQ"),
            **published("0+5x12 60x23 180+5x60"),
            **published("0+5x90", "QQQ"),
            **read("0+5x12 60x23 180+5x60"),
        },
        {"1m35s": [], "1m45s": [STALE], "3m30s": []},
    ),
    RuleCase(
        "DispersionStale",
        "the exchange is closed until 3m",
        {**known(E, W, opened="0x35 1x99"), **published("0x99")},
        {"2m55s": [], "3m30s": [STALE]},
    ),
    RuleCase(
        "DispersionStale",
        "an index that has never published",
        {**known(E, W), **known(E, index="QQQ"), **published("0+5x90", "QQQ")},
        {"10s": [], "1m": [STALE]},
    ),
    RuleCase(
        "DispersionStale",
        "a replay in session hours, and a scenario that has ended",
        {**known(E, W, mode="scenario"), **published("0x99")},
        {"3m": []},
    ),
    RuleCase(
        "DispersionStale",
        "a delayed feed tells its mode, so that it pages nobody",
        {**known(E, W, mode="delayed"), **published("0x99")},
        {"3m": [f"severity=critical mode=delayed job={E} index=SPY"]},
    ),
    RuleCase(
        "DispersionStale",
        "a delayed feed whose exchange is closed",
        {**known(E, W, mode="delayed", opened="0x99"), **published("0x99")},
        {"3m": []},
    ),
    RuleCase(
        "DispersionStale",
        "the exporter is dead: that is DispersionDown",
        {
            **known(W),
            **dict.fromkeys(known(E), "1x11 stale"),
            **published("0+5x11 stale"),
        },
        {"3m": []},
    ),
    RuleCase(
        "DispersionStale",
        "of two exporters one reads an old replica",
        {**known(E), **published("0x99"), **published("0+5x99", instance="b")},
        {"3m": []},
    ),
    RuleCase(
        "DispersionStale",
        "a source that is fetched every two minutes is silent between, and stops after 4m",
        {**known(E, W), **published(EVERY_TWO_MINUTES), **refreshed("120x99")},
        {"1m55s": [], "3m55s": [], "6m15s": [], "6m40s": [STALE]},
    ),
    RuleCase(
        "DispersionStale",
        "of a slow and a quick index both stop; the slow one has its time left",
        {
            **known(E, W),
            **known(E, index="QQQ"),
            **published("0x99"),
            **published("0x99", "QQQ"),
            **refreshed("0x99"),
            **refreshed("120x99", "QQQ"),
        },
        {"1m": [STALE], "2m30s": [STALE], "3m": [STALE, STALE.replace("SPY", "QQQ")]},
    ),
    RuleCase(
        "DispersionStale",
        "a slow source gives way to a quick one, whose readings stop",
        {**known(E, W), **published("0x99"), **refreshed("120x11 0x99")},
        {"55s": [], "1m30s": [STALE]},
    ),
    RuleCase(
        "DispersionStale",
        "an outage is worked off: that is DispersionBehind",
        {**known(E, W), **published("0+4x99"), **read("0+4x99")},
        {"4m": []},
    ),
    RuleCase(
        "DispersionBehind",
        "an outage of a minute is worked off from 2m on",
        {**known(E, W), **published("0+5x99"), **read("0+5x12 60x11 65+6x99")},
        {
            "1m55s": [],
            "2m30s": [f"severity=critical mode=live job={E} index=SPY"],
            "5m": [],
        },
    ),
    RuleCase(
        "DispersionBehind",
        "ten seconds of it are nobody's business",
        {**known(E, W), **read("0+5x12 30+5x2 80+5x60")},
        {"1m10s": [], "1m15s": [], "1m30s": []},
    ),
    RuleCase(
        "DispersionBehind",
        "readings do not move at all: that is DispersionStale",
        {**known(E, W), **read("0x99")},
        {"4m": []},
    ),
    RuleCase(
        "DispersionBehind",
        "a scenario plays another day",
        {**known(E, W, mode="scenario"), **read("0+1x99")},
        {"4m": []},
    ),
    RuleCase(
        "DispersionBehind",
        "what comes after the close",
        {**known(E, W, opened="0x99"), **read("0+1x99")},
        {"4m": []},
    ),
]


def event(partition: str, values: str, topic: str = "market.option-quotes.v1") -> Series:
    """Event time of the newest input of a partition."""
    at = f'{{job="{W}", topic="{topic}", partition="{partition}"}}'
    return {f"dispersion_last_event_timestamp_seconds{at}": values}


STALLED = f"severity=critical job={W} topic=market.option-quotes.v1 partition=2"
INPUT = [
    RuleCase(
        "DispersionInputStalled",
        "one partition of four is silent from 1m on, and so is a topic that is no input",
        {
            **known(W),
            **event("0", "0+5x99"),
            **event("2", "0+5x12 60x99"),
            **event("0", "0x99", "dispersion.points.v1"),
        },
        {"1m55s": [], "2m10s": [STALLED]},
    ),
    RuleCase(
        "DispersionInputStalled",
        "the exchange is closed",
        {**known(W, opened="0x99"), **event("2", "0x99")},
        {"4m": []},
    ),
    RuleCase(
        "DispersionInputStalled",
        "a replay of another day",
        {**known(W, mode="replay"), **event("2", "0x99")},
        {"4m": []},
    ),
]
COVER = f'dispersion_coverage_ratio{{job="{E}", index="SPY"}}'
LOW = f"job={E} index=SPY"
COVERAGE = [
    RuleCase(
        "DispersionCoverageLow",
        "0.8 from 1m on, 0.6 from 4m on, whole at 6m",
        {**known(E), **published("0+5x999"), COVER: "0.97x11 0.8x35 0.6x23 0.97x60"},
        {
            "1m50s": [],
            "2m10s": [f"severity=warning {LOW}"],
            "4m30s": [f"severity=warning {LOW}"],
            "5m10s": [f"severity=warning {LOW}", f"severity=critical {LOW}"],
            "6m10s": [],
        },
    ),
    RuleCase(
        "DispersionCoverageLow",
        "a source that is fetched every two minutes lacks names, and then stops",
        {**known(E), **published(EVERY_TWO_MINUTES), **refreshed("120x99"), COVER: "0.8x99"},
        {"3m55s": [f"severity=warning {LOW}"], "7m": []},
    ),
    *(
        RuleCase("DispersionCoverageLow", why, {**series, COVER: "0.5x99"}, {"4m": []})
        for why, series in (
            ("what is shown is of long ago", {**known(E), **published("0x99")}),
            ("closed", {**known(E, opened="0x99"), **published("0+5x99")}),
            ("a scenario", {**known(E, mode="scenario"), **published("0+5x99")}),
        )
    ),
]
ERROR = f'dispersion_reference_tracking_error_ratio{{job="{E}", reference="VIX"}}'
LEVEL = f'dispersion_reference_index_ratio{{job="{E}", reference="VIX"}}'
TRACKING = [
    RuleCase(
        "DispersionTrackingError",
        "two points and a half below for ten minutes",
        {**known(E), ERROR: "-0.025x40", LEVEL: "0.18+0.0001x40"},
        {"9m": [], "13m": [f"severity=warning job={E} reference=VIX"]},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionTrackingError",
        "one point",
        {**known(E), ERROR: "0.01x40", LEVEL: "0.18+0.0001x40"},
        {"20m": []},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionTrackingError",
        "the level is of yesterday and does not move",
        {**known(E), ERROR: "0.05x40", LEVEL: "0.18x40"},
        {"20m": []},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionTrackingError",
        "closed, and a scenario",
        {**known(E, opened="0x40"), ERROR: "0.05x40", LEVEL: "0.18+0.0001x40"},
        {"20m": []},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionTrackingError",
        "a scenario",
        {**known(E, mode="scenario"), ERROR: "0.05x40", LEVEL: "0.18+0.0001x40"},
        {"20m": []},
        "1m",
        "1m",
    ),
]
OUT = 'dispersion_implied_correlation_out_of_range_total{job="w", index="SPY", bound="high"}'
RANGE = [
    RuleCase(
        "DispersionImpliedCorrelationOutOfRange",
        "goes on for minutes; a side that stands at 0 is no news",
        {OUT: "0x6 0+1x60", OUT.replace("high", "low"): "0x99"},
        {"4m": [], "8m": ["severity=info job=w index=SPY bound=high"]},
    ),
    RuleCase(
        "DispersionImpliedCorrelationOutOfRange",
        "one reading alone is forgotten within five minutes",
        {OUT: "0x6 1x99"},
        {"4m": [], "5m20s": [], "6m": []},
    ),
]


def lag(values: str, partition: str = "1") -> Series:
    """Records that wait, from outside."""
    at = f'{{job="{E}", topic="q", partition="{partition}"}}'
    return {f"dispersion_input_lag_messages{at}": values}


def watermark(values: str, partition: str = "1") -> Series:
    """A worker's progress."""
    at = f'{{job="{W}", topic="q", partition="{partition}"}}'
    return {f"dispersion_kafka_watermark_offset{at}": values}


WAITS = f"job={E} topic=q partition=1"
DELAY = [
    RuleCase(
        "DispersionConsumerLagGrowing",
        "more and more waits, whose owner is frozen; a backlog that shrinks, and a small one",
        {**known(E), **lag("0+500x99"), **lag("50000-100x99", "2"), **lag("0+1x99", "3")},
        {"1m30s": [], "3m": [], "5m": [f"severity=warning {WAITS}"]},
    ),
    RuleCase(
        "DispersionConsumerLagGrowing",
        "a replay is ahead of its workers",
        {**known(E, mode="replay"), **lag("0+500x99")},
        {"5m": []},
    ),
    RuleCase(
        "DispersionConsumerStuck",
        "the owner is frozen, its series are gone; other partitions advance, are idle, or stand",
        {
            **known(E),
            **lag("5x11 5+5x99"),
            **watermark("0+10x11 stale"),
            **lag("5+5x99", "2"),
            **watermark("0+10x99", "2"),
            **lag("0x99", "3"),
            **lag("7x99", "4"),
            **watermark("9x99", "4"),
        },
        {"50s": [], "5m": [f"severity=critical {WAITS}"]},
    ),
    RuleCase(
        "DispersionConsumerStuck",
        "the owner lives and makes no progress",
        {**known(E), **lag("5+5x99"), **watermark("9x99")},
        {"30s": [], "3m": [f"severity=critical {WAITS}"]},
    ),
    RuleCase(
        "DispersionConsumerStuck",
        "what comes after a silence has not waited for long",
        {**known(E), **lag("0x36 5+5x99"), **watermark("9x99")},
        {"3m30s": [], "5m30s": [], "6m30s": [f"severity=critical {WAITS}"]},
    ),
    RuleCase(
        "DispersionConsumerStuck",
        "a scenario",
        {**known(E, mode="scenario"), **lag("5+5x99"), **watermark("9x99")},
        {"3m": []},
    ),
    RuleCase(
        "DispersionRebalanceStorm",
        "a rebalance a minute",
        {f'dispersion_rebalances_total{{job="{W}", outcome="completed", instance="a"}}': "0+1x60"},
        {"3m": [], "12m": [f"severity=warning job={W}"]},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionRebalanceStorm",
        "a rolling restart of four within two minutes",
        {
            f'dispersion_rebalances_total{{job="{W}", outcome="completed", instance="a"}}': (
                "0x4 4x1 8x60"
            )
        },
        {"6m": [], "9m": [], "12m": [], "15m": []},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionRebalanceStorm",
        "three within five minutes after a quiet time",
        {
            f'dispersion_rebalances_total{{job="{W}", outcome="completed", instance="a"}}': (
                "0x79 1x7 2x7 3x60"
            )
        },
        {"24m30s": [], "25m30s": [], "30m": []},
        "15s",
        "15s",
    ),
]


def histogram(name: str, edge: str, good: str, count: str, job: str = W) -> Series:
    """Buckets of a histogram: the edge and all."""
    return {
        f'{name}_bucket{{job="{job}", instance="a", le="{edge}"}}': good,
        f'{name}_bucket{{job="{job}", instance="a", le="+Inf"}}': count,
        f'{name}_count{{job="{job}", instance="a"}}': count,
    }


PUBLISH = "dispersion_event_to_publish_seconds"
DELIVER = "dispersion_alert_delivery_seconds"


def late(good: str, count: str = "0+60x500") -> Series:
    """Readings within a second, and all."""
    return histogram(PUBLISH, "1.0", good, count)


def burning(name: str, window: str, severity: str, rest: str) -> str:
    """Labels of a budget that burns."""
    return f"severity={severity} window={window} {rest}"


LATENCY = [
    RuleCase(
        "DispersionLatencyBudgetBurn",
        "of a hundred readings ten are late from 1h on",
        late("0+60x60 3600+54x60 6840+60x400"),
        {
            "55m": [],
            "1h50m": [
                burning("l", "1h", "critical", f"job={W}"),
                burning("l", "6h", "warning", f"job={W}"),
            ],
            "2h40m": [],
        },
        "1m",
        "5m",
    ),
    RuleCase(
        "DispersionLatencyBudgetBurn",
        "one of a hundred, for hours",
        late("0+59.4x500"),
        {"3h": [], "7h": []},
        "1m",
        "5m",
    ),
    RuleCase(
        "DispersionLatencyBudgetBurn",
        "five of a hundred for hours is slow, and no page",
        late("0+57x500"),
        {"7h": [burning("l", "6h", "warning", f"job={W}")]},
        "1m",
        "5m",
    ),
    RuleCase(
        "DispersionLatencyBudgetBurn",
        "a bad minute within a good day",
        late("0+60x300 18010+60x200"),
        {"5h5m": []},
        "1m",
        "5m",
    ),
    RuleCase(
        "DispersionLatencyBudgetBurn",
        "an hour's outage that is over",
        late("0+60x300 18000+30x60 19860+60x100"),
        {"6h10m": [burning("l", "6h", "warning", f"job={W}")], "6h40m": []},
        "1m",
        "5m",
    ),
    RuleCase(
        "DispersionLatencyBudgetBurn",
        "the first readings of a day, and no traffic at all",
        late("0+1x500", "0+4x500"),
        {"30m": [], "7h": []},
        "1m",
        "5m",
    ),
    RuleCase(
        "DispersionLatencyBudgetBurn",
        "no readings",
        late("0x500", "0x500"),
        {"7h": []},
        "1m",
        "5m",
    ),
]


def _burn_cases(name: str, record: str, fast: float, slow: float) -> list[RuleCase]:
    """Of a recorded share of good time, given as a series of 0 and 1 each 15 s."""
    at = f'{record}{{index="SPY"}}'
    hit = "index=SPY"
    both = [burning(name, "1h", "critical", hit), burning(name, "6h", "warning", hit)]
    return [
        RuleCase(
            name,
            "well above the fast budget, for an hour",
            {at: f"1x240 {1 - fast * 2}x240 1x400"},
            {"55m": [], "1h50m": both, "3h": []},
            "15s",
            "5m",
        ),
        RuleCase(
            name,
            "above the slow budget alone",
            {at: f"{1 - slow * 1.5}x1600"},
            {"5h": [both[1]]},
            "15s",
            "5m",
        ),
        RuleCase(name, "within the budget", {at: f"{1 - slow / 3}x1600"}, {"5h": []}, "15s", "5m"),
        RuleCase(
            name,
            "one bad minute in hours",
            {at: "1x1400 0x4 1x100"},
            {"5h55m": []},
            "15s",
            "5m",
        ),
        RuleCase(
            name,
            "an outage that is over, and one that has just begun the day",
            {at: f"1x1200 {1 - fast * 3}x200 1x100"},
            {"5h55m": [both[1]]},
            "15s",
            "5m",
        ),
        RuleCase(name, "the first minutes of a day", {at: "0x100"}, {"20m": []}, "15s", "5m"),
    ]


BURNS = [
    *LATENCY,
    *_burn_cases(
        "DispersionFreshnessBudgetBurn", "index:dispersion_session_fresh:bool", 0.035, 0.01
    ),
    *_burn_cases(
        "DispersionCoverageBudgetBurn", "index:dispersion_session_covered:bool", 0.14, 0.04
    ),
]
DEAD = f'dispersion_dead_letter_messages_total{{job="{W}", topic="q", reason="%s"}}'
TAKEN = f'dispersion_messages_consumed_total{{job="{W}", topic="q"}}'


def quotes(outcome: str, values: str, stream: str = "quotes") -> Series:
    """Rows by what became of them."""
    return {f'dispersion_{stream}_total{{job="{W}", outcome="{outcome}"}}': values}


ACCEPT = f"severity=warning job={W}"
REFUSALS = [
    RuleCase(
        "DispersionDeadLetters",
        "one is news for five minutes when its counter was there at 0",
        {
            DEAD % "json": "0x11 1x120",
            DEAD % "arrow": "0x131",
            DEAD % "sudden": "_x12 1x120",
            TAKEN: "0+900x131",
        },
        {"55s": [], "4m": [f"severity=info job={W} topic=q reason=json"], "8m": []},
    ),
    RuleCase(
        "DispersionDeadLetters",
        "two of a hundred",
        {DEAD % "json": "0+2x60", TAKEN: "0+100x60"},
        {
            "4m": [
                f"severity=info job={W} topic=q reason=json",
                f"severity=warning job={W} topic=q",
            ]
        },
    ),
    RuleCase(
        "DispersionNoRoom",
        "from 1m on for a minute; other outcomes are no matter",
        {
            f'dispersion_quotes_total{{job="{W}", outcome="no_room"}}': "0x12 0+3x12 36x120",
            'dispersion_quotes_total{job="x", outcome="accepted"}': "0+1000x144",
        },
        {"55s": [], "5m": [f"severity=warning job={W}"], "11m": []},
    ),
    RuleCase(
        "DispersionOffsetGaps",
        "a gap is told for five minutes, a counter that stands is not",
        {
            f'dispersion_offset_gaps_total{{job="{W}", topic="q"}}': "0x12 40x132",
            f'dispersion_offset_gaps_total{{job="{W}", topic="t"}}': "7x144",
        },
        {"55s": [], "5m": [f"severity=warning job={W} topic=q"], "11m": []},
    ),
    RuleCase(
        "DispersionFencedWrites",
        "told for five minutes",
        {
            f'dispersion_fenced_writes_total{{job="{W}"}}': "0x12 1x132",
            'dispersion_fenced_writes_total{job="x"}': "7x144",
        },
        {"55s": [], "5m": [f"severity=info job={W}"], "11m": []},
    ),
    RuleCase(
        "DispersionPartitionsRefused",
        "until a person decides; two exporters tell the same",
        {
            f'dispersion_refused_partitions{{job="{E}", instance="a", stage="d"}}': "0x12 2x12 0x9",
            f'dispersion_refused_partitions{{job="{E}", instance="b", stage="d"}}': "0x12 2x12 0x9",
            f'dispersion_refused_partitions{{job="{E}", instance="a", stage="s"}}': "0x36",
        },
        {"1m": [], "1m30s": [f"severity=critical job={E} stage=d"], "2m30s": []},
    ),
    RuleCase(
        "DispersionInputRefused",
        "half of the quotes are late from 2m on, ticks are all unknown, others are no matter",
        {
            **known(W),
            **quotes("accepted", "0+10x23 230x60"),
            **quotes("no_bid", "0+10x23 240+4x60"),
            **quotes("unknown", "0+900x90"),
            **quotes("late", "0+19x23 437+16x60"),
            **quotes("accepted", "0x90", "ticks"),
            **quotes("unknown", "0x11 0+5x80", "ticks"),
        },
        {
            "1m55s": [],
            "2m30s": [f"{ACCEPT} stream=ticks"],
            "5m": [f"{ACCEPT} stream=ticks", f"{ACCEPT} stream=quotes"],
        },
    ),
    RuleCase(
        "DispersionInputRefused",
        "quotes are all unknown, three of four ticks late",
        {
            **known(W),
            **quotes("accepted", "0x90"),
            **quotes("unknown", "0+5x90"),
            **quotes("accepted", "0+1x90", "ticks"),
            **quotes("late", "0+3x90", "ticks"),
            **quotes("unknown", "0+3x90", "ticks"),
        },
        {"5m": [f"{ACCEPT} stream=ticks", f"{ACCEPT} stream=quotes"]},
    ),
    RuleCase(
        "DispersionInputRefused",
        "ticks of unknown names beside accepted ones; no more than a row in ten seconds",
        {
            **known(W),
            **quotes("accepted", "0+0.2x90"),
            **quotes("accepted", "0+0.2x90", "ticks"),
            **quotes("unknown", "0+90x90", "ticks"),
        },
        {"5m": []},
    ),
    RuleCase(
        "DispersionInputRefused",
        "accepted rows of each kind, one in ten seconds and nothing else",
        {
            **known(W),
            **quotes("accepted", "0+0.2x90"),
            **quotes("accepted", "0+0.2x90", "ticks"),
        },
        {"5m": []},
    ),
    RuleCase(
        "DispersionInputRefused",
        "no input at all",
        {
            **known(W),
            **quotes("accepted", "5x90"),
            **quotes("accepted", "5x90", "ticks"),
        },
        {"5m": []},
    ),
    RuleCase(
        "DispersionInputRefused",
        "two records of three are dead letters; commands are no input; closed from 5m on",
        {
            **known(W, opened="1x60 0x30"),
            **quotes("accepted", "0+2000x90"),
            (DEAD % "time").replace('"q"', '"market.option-quotes.v1"'): "0+2x90",
            TAKEN.replace('"q"', '"market.option-quotes.v1"'): "0+3x90",
            (DEAD % "schema").replace('"q"', '"dispersion.alerts.commands.v1"'): "0+3x90",
            TAKEN.replace('"q"', '"dispersion.alerts.commands.v1"'): "0+3x90",
        },
        {"4m": [f"{ACCEPT} stream=quotes"], "6m": []},
    ),
]
BEAT = f'dispersion_loop_beat_timestamp_seconds{{job="{W}", instance="%s"}}'
SATURATION = [
    RuleCase(
        "DispersionRedisSlow",
        "two of a hundred operations take longer than 50 ms; a job without operations is silent",
        {
            f'dispersion_redis_operation_seconds_bucket{{job="{W}", le="0.05"}}': "0+98x90",
            f'dispersion_redis_operation_seconds_bucket{{job="{W}", le="0.1"}}': "0+100x90",
            f'dispersion_redis_operation_seconds_bucket{{job="{W}", le="+Inf"}}': "0+100x90",
            f'dispersion_redis_operation_seconds_bucket{{job="{E}", le="0.05"}}': "0x90",
            f'dispersion_redis_operation_seconds_bucket{{job="{E}", le="+Inf"}}': "0x90",
            'dispersion_redis_operation_seconds_bucket{job="fast", le="0.05"}': "0+100x90",
            'dispersion_redis_operation_seconds_bucket{job="fast", le="+Inf"}': "0+100x90",
        },
        {"1m50s": [], "5m": [f"severity=warning job={W}"]},
    ),
    RuleCase(
        "DispersionEventLoopBlocked",
        "two of a hundred timers are late",
        {
            f'dispersion_event_loop_lag_seconds_bucket{{job="{W}", instance="a", le="0.25"}}': (
                "0+98x90"
            ),
            f'dispersion_event_loop_lag_seconds_bucket{{job="{W}", instance="a", le="0.5"}}': (
                "0+100x90"
            ),
            f'dispersion_event_loop_lag_seconds_bucket{{job="{W}", instance="a", le="+Inf"}}': (
                "0+100x90"
            ),
            f'dispersion_event_loop_lag_seconds_bucket{{job="{W}", instance="b", le="0.25"}}': (
                "0+100x90"
            ),
            f'dispersion_event_loop_lag_seconds_bucket{{job="{W}", instance="b", le="+Inf"}}': (
                "0+100x90"
            ),
        },
        {"1m50s": [], "5m": [f"severity=warning job={W} instance=a"]},
    ),
    RuleCase(
        "DispersionEventLoopBlocked",
        "one loop hangs from 1m on while its page answers; a moment of it is nobody's business",
        {BEAT % "a": "0+5x12 60x60", BEAT % "b": "0+5x12 60x2 75+5x60"},
        {"1m10s": [], "1m40s": [f"severity=critical job={W} instance=a"]},
    ),
    RuleCase(
        "DispersionStateGrowth",
        "half a gigabyte an hour; another process, and one that has just started, grow as well",
        {
            f'process_resident_memory_bytes{{job="{W}", instance="a"}}': "400e6+8e6x120",
            f'process_start_time_seconds{{job="{W}", instance="a"}}': "0x120",
            f'process_resident_memory_bytes{{job="{W}", instance="b"}}': "400e6+8e6x120",
            f'process_start_time_seconds{{job="{W}", instance="b"}}': "3600x120",
            f'process_resident_memory_bytes{{job="{E}", instance="c"}}': "400e6+8e6x120",
            f'process_start_time_seconds{{job="{E}", instance="c"}}': "0x120",
            f'process_resident_memory_bytes{{job="{W}", instance="d"}}': "400e6x120",
            f'process_start_time_seconds{{job="{W}", instance="d"}}': "0x120",
        },
        {"50m": [], "1h10m": [], "1h20m": [f"severity=warning job={W} instance=a"]},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionClockSkew",
        "off by seconds for two minutes, in either direction; a moment of it is no matter",
        {
            f'dispersion_redis_clock_skew_seconds{{job="{W}", instance="a"}}': "-30x60",
            f'dispersion_redis_clock_skew_seconds{{job="{W}", instance="b"}}': "0.3x60",
            f'dispersion_redis_clock_skew_seconds{{job="{W}", instance="c"}}': "0x12 5x12 0x36",
        },
        {"1m": [], "3m": [f"severity=warning job={W} instance=a"]},
    ),
]
OLDEST = f'dispersion_outbox_oldest_timestamp_seconds{{job="{W}", partition="%s"}}'
EVENTS = f'dispersion_alert_events_total{{job="{W}", alert="a", transition="t", outcome="%s"}}'
DELIVERY = [
    RuleCase(
        "DispersionAlertPublishFailing",
        "an event is refused at 1m; others are published",
        {EVENTS % "error": "0x11 1x120", EVENTS % "published": "0+1x132", OLDEST % "0": "0x132"},
        {"1m10s": [], "2m": [f"severity=critical job={W}"], "8m": []},
    ),
    RuleCase(
        "DispersionAlertPublishFailing",
        "the oldest waits from 1m to 3m; 0 means that none does, and each may wait a moment",
        {
            OLDEST % "0": "0x11 60x24 0x60",
            OLDEST % "1": "0x99",
            OLDEST.replace(W, "quick") % "0": "0+5x99",
        },
        {"1m30s": [], "2m": [f"severity=critical job={W}"], "3m10s": []},
    ),
    RuleCase(
        "DispersionBridgeFailing",
        "neither side from 1m on, well again at 6m; its death is DispersionDown",
        {
            f'dispersion_bridge_last_success_timestamp_seconds{{job="{B}"}}': (
                "0+5x12 60x59 360+5x35 stale"
            )
        },
        {"4m55s": [], "5m10s": [f"severity=critical job={B}"], "8m": [], "20m": []},
    ),
    RuleCase(
        "DispersionIngestFailing",
        "no Kafka from 1m on, well again at 4m; its death is DispersionDown",
        {
            f'dispersion_ingest_last_commit_timestamp_seconds{{job="{N}"}}': (
                "0+5x12 60x35 240+5x35 stale"
            )
        },
        {"2m20s": [], "2m40s": [f"severity=critical job={N}"], "5m": [], "20m": []},
    ),
    RuleCase(
        "DispersionFeedFailing",
        "no heartbeat from 1m on, well again at 4m; closed from 8m on",
        {
            f"dispersion_feed_last_beat_timestamp_seconds{{{F}}}": (
                "0+5x12 60x35 240+5x48 480x100"
            ),
            f"dispersion_feed_open{{{F}}}": "1x96 0x60",
        },
        {
            "2m10s": [],
            "2m20s": [f"severity=critical job={FEED} feed=cboe"],
            "5m": [],
            "10m": [],
        },
    ),
    RuleCase(
        "DispersionFeedFailing",
        "two of ten names are stale from 1m to 8m",
        {
            f'dispersion_feed_names{{{F}, state="fresh"}}': "10x11 8x83 10x60",
            f'dispersion_feed_names{{{F}, state="stale"}}': "0x11 2x83 0x60",
            f"dispersion_feed_open{{{F}}}": "1x160",
        },
        {
            "5m": [],
            "6m10s": [f"severity=warning job={FEED} feed=cboe"],
            "9m": [],
        },
    ),
    RuleCase(
        "DispersionFeedFailing",
        "after the close no name is fresh any more",
        {
            f'dispersion_feed_names{{{F}, state="fresh"}}': "10x11 0x99",
            f'dispersion_feed_names{{{F}, state="stale"}}': "0x11 10x99",
            f"dispersion_feed_open{{{F}}}": "1x11 0x99",
        },
        {"8m": []},
    ),
]
REPORTS = [
    RuleCase(
        "DispersionReportMissing",
        "a session is over at 5m and gets no report until 40m",
        {
            **up(R, "1x99"),
            f'dispersion_reports_missing{{job="{R}", index="SPY"}}': "0x4 1x34 0x60",
        },
        {"24m": [], "27m": [f"severity=warning job={R} index=SPY"], "42m": []},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionReportMissing",
        "the reporter is dead from 1m on, and back at 30m",
        {**up(R, "1x0 0x28 1x40"), **up(W, "0x70")},
        {"20m": [], "25m": [f"severity=warning job={R}"], "32m": []},
        "1m",
        "1m",
    ),
    RuleCase(
        "DispersionReportMissing",
        "the reporter is taken out of the scrape configuration",
        {"unrelated": "1x99"},
        {"19m": [], "25m": [f"severity=warning job={R}"]},
        "1m",
        "1m",
    ),
]
FRESH_BOOL = "index:dispersion_session_fresh:bool"
COVER_BOOL = "index:dispersion_session_covered:bool"
RECORDED = [
    RuleCase(
        FRESH_BOOL,
        "1 while fresh, 0 while not",
        {**known(E, W), **published("0+5x24 120x99")},
        {"2m": ["index=SPY value=1"], "3m": ["index=SPY value=0"]},
    ),
    RuleCase(
        FRESH_BOOL,
        "1 between two rounds of a source that is fetched every two minutes, 0 without the next",
        {**known(E, W), **published("0x99"), **refreshed("120x99")},
        {"2m": ["index=SPY value=1"], "2m10s": ["index=SPY value=0"]},
    ),
    RuleCase(
        FRESH_BOOL,
        "0, not a gap, once the exporter is dead and the worker lives",
        {
            **known(W),
            **dict.fromkeys(known(E), "1x11 stale"),
            **published("0+5x11 stale"),
        },
        {"50s": ["index=SPY value=1"], "2m": ["index=SPY value=0"]},
    ),
    RuleCase(
        FRESH_BOOL,
        "nothing while the exchange is closed",
        {**known(E, W, opened="0x99"), **published("0x99")},
        {"2m": []},
    ),
    RuleCase(
        FRESH_BOOL,
        "nothing of a scenario",
        {**known(E, W, mode="scenario"), **published("0+5x99")},
        {"2m": []},
    ),
    RuleCase(
        FRESH_BOOL,
        "of two exporters the fresher one counts",
        {**known(E), **published("0x99"), **published("0+5x99", instance="b")},
        {"2m": ["index=SPY value=1"]},
    ),
    RuleCase(
        COVER_BOOL,
        "1 while covered, 0 below 0.9 and without a number",
        {**known(E, W), COVER: "0.9x12 0.89x12 stale"},
        {
            "1m": ["index=SPY value=1"],
            "2m": ["index=SPY value=0"],
            "4m": ["index=SPY value=0"],
        },
    ),
    RuleCase(
        COVER_BOOL,
        "nothing while the exchange is closed",
        {**known(E, W, opened="0x99"), COVER: "0.5x99"},
        {"2m": []},
    ),
    RuleCase(
        COVER_BOOL,
        "nothing of a scenario",
        {**known(E, mode="scenario"), COVER: "0.5x99"},
        {"2m": []},
    ),
    *(
        RuleCase(
            f"job:dispersion_{record}_late:ratio_rate{window}",
            "the share above the edge",
            {
                **histogram(metric, edge, "0+3x9999", "0+4x9999"),
                f'{metric}_bucket{{job="{W}", instance="a", le="0.5"}}': "0+1x9999",
            },
            {"10m": [f"job={W} value=0.25"]},
            "1m",
            "1m",
        )
        for record, metric, edge in (("publish", PUBLISH, "1.0"), ("alert", DELIVER, "2.0"))
        for window in ("5m", "30m", "1h", "6h")
    ),
]
CASES: Sequence[RuleCase] = [
    *REPORTS,
    *UP,
    *SERVERS,
    *FRESHNESS,
    *INPUT,
    *COVERAGE,
    *TRACKING,
    *RANGE,
    *DELAY,
    *BURNS,
    *REFUSALS,
    *SATURATION,
    *DELIVERY,
    *RECORDED,
]
