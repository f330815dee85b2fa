"""The service: rows in the order of the questions of who is on duty."""

from collections.abc import Iterator

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import GridPos

from grafana.board import board
from grafana.colours import ACT, ATTENTION, CALM
from grafana.panels import About, GridPosition, Look, Query, line_chart, tile
from grafana.promql import AGE, OF_INDEX, gauge

JOB = 'job=~"$job"'
COUNT = Look(unit="short", decimals=0)
SECONDS = Look(unit="s", decimals=2)
WIDTH, HEIGHT = 6, 7
Panel = tuple[str, str, str, list[Query], Look]
"""Title, meaning, heading of the runbook, queries, look."""


def build(runbook: str) -> dashboard.Dashboard:
    """The dashboard of the service."""
    return board(
        "Dispersion service", "dispersion-sre", _panels(), since="now-3h", refresh="10s",
        runbook=runbook,
    )  # fmt: skip


def _panels() -> Iterator[object]:
    y = 0
    for row, (question, panels) in enumerate(_questions().items()):
        title = dashboard.Row(f"{row + 1}. {question}").id(100 * (row + 1))
        yield title.grid_pos(GridPos(x=0, y=y, w=24, h=1))
        for at, (name, meaning, runbook, queries, look) in enumerate(panels):
            about = About(100 * (row + 1) + at + 1, name, meaning, runbook)
            place = GridPosition(at % 4 * WIDTH, y + 1 + at // 4 * HEIGHT, WIDTH, HEIGHT)
            shape = tile if row == 0 else line_chart
            yield shape(about, place, queries, look)
        y += 1 + -(-len(panels) // 4) * HEIGHT


def _questions() -> dict[str, list[Panel]]:
    return {
        "Is it up?": _up(),
        "Is it fresh and complete?": _fresh(),
        "Where is the delay?": _delay(),
        "What fails?": _failures(),
        "What runs full?": _full(),
        "Do alerts arrive?": _delivery(),
        "Is the group at rest?": _group(),
    }


def _increase(metric: str, by: str) -> str:
    return f"sum by ({by}) (increase({metric}{{{JOB}}}[5m]))"


def _quantile(share: float, metric: str, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    rates = f"sum by ({labels}) (rate({metric}_bucket{{{JOB}}}[5m]))"
    return f"histogram_quantile({share}, {rates})"


def _up() -> list[Panel]:
    builds = f"max by (version, revision) (dispersion_build_info{{{JOB}}})"
    hashes = f"count(count by (config_hash) (dispersion_config_info{{{JOB}}}))"
    away = Look(unit="none", decimals=0, steps=((None, ACT), (1, CALM)))
    one = Look(unit="none", decimals=0, steps=((None, CALM), (2, ATTENTION)))
    reached = [
        Query(f"min by () (dispersion_redis_up{{{JOB}}})", "Redis"),
        Query(f"max by () (dispersion_kafka_up{{{JOB}}})", "Kafka"),
        Query(f"max by () (dispersion_snapshot_up{{{OF_INDEX}}})", "snapshot"),
    ]
    return [
        ("Targets", "Processes that answer, by job.", "DispersionDown",
         [Query(f"sum by (job) (up{{{JOB}}})", "{{job}}")], away),
        ("Servers", "Whether they answer, and Redis has a picture of the index: 1 yes, 0 no.",
         "DispersionKafkaDown", reached, away),
        ("Builds", "Targets by what they run; two are an upgrade under way.", "",
         [Query(f"count by (version, revision) ({builds})", "{{version}} {{revision}}")], COUNT),
        ("Configurations", "Different ones in force; more than one is a mistake.", "",
         [Query(hashes, "hashes")], one),
    ]  # fmt: skip


def _fresh() -> list[Panel]:
    event = f"time() - {gauge('dispersion_last_reading_timestamp_seconds')}"
    newest = f"time() - min by (topic) (dispersion_last_event_timestamp_seconds{{{JOB}}})"
    covers = [
        Query(gauge("dispersion_coverage_ratio"), "variances"),
        Query(gauge("dispersion_coverage_atm_ratio"), "ATM vols"),
    ]
    return [
        ("Age", "Of the newest reading, since publication and since its event.",
         "DispersionStale", [Query(AGE, "age"), Query(event, "event")], SECONDS),
        ("Coverage", "Share of the basket's weight.", "data_quality", covers, Look(decimals=0)),
        ("Silence of inputs", "Since the newest event of the partition that is furthest behind.",
         "DispersionInputStalled", [Query(newest, "{{topic}}")], SECONDS),
        ("Budgets", "Share of the live session time of 30 days that was not fresh or not covered.",
         "DispersionFreshnessBudgetBurn",
         [Query(_missed("index:dispersion_session_fresh:bool"), "fresh"),
          Query(_missed("index:dispersion_session_covered:bool"), "covered")],
         Look(decimals=2)),
    ]  # fmt: skip


def _missed(recorded: str) -> str:
    """There only in live session time, so the mean is of session time."""
    return f"1 - min by (index) (avg_over_time({recorded}{{{OF_INDEX}}}[30d]))"


def _delay() -> list[Panel]:
    waiting = f"max by (topic, partition) (dispersion_input_lag_messages{{{JOB}}})"
    latency = "dispersion_event_to_publish_seconds"
    return [
        ("Waiting input", "Records by partition, told from outside.",
         "DispersionConsumerLagGrowing", [Query(waiting, "{{topic}}/{{partition}}")], COUNT),
        ("Event to publication", "Live alone.", "DispersionLatencyBudgetBurn",
         [Query(_quantile(0.5, latency), "p50"), Query(_quantile(0.99, latency), "p99")], SECONDS),
        ("Stages, p99", "One call of a stage.", "",
         [Query(_quantile(0.99, "dispersion_stage_duration_seconds", "stage"), "{{stage}}")],
         SECONDS),
        ("Event loop, p99", "How late timers fire.", "DispersionEventLoopBlocked",
         [Query(_quantile(0.99, "dispersion_event_loop_lag_seconds"), "p99"),
          Query(f"time() - min(dispersion_loop_beat_timestamp_seconds{{{JOB}}})", "beat")],
         SECONDS),
    ]  # fmt: skip


def _failures() -> list[Panel]:
    letters = f"{_increase('dispersion_dead_letter_messages_total', 'topic, reason')} > 0"
    quotes = _increase("dispersion_quotes_total", "outcome")
    unsolved = _increase("dispersion_iv_solver_failures_total", "reason")
    redis = _increase("dispersion_redis_errors_total", "operation, reason")
    fenced = f"sum(increase(dispersion_fenced_writes_total{{{JOB}}}[5m]))"
    breaker = f"max(dispersion_redis_breaker_state{{{JOB}}})"
    return [
        ("Dead letters", "In five minutes; empty is well.", "DispersionDeadLetters",
         [Query(letters, "{{topic}} {{reason}}")], COUNT),
        ("Quotes by outcome", "In five minutes; strips without a vol, each second.",
         "DispersionInputRefused",
         [Query(f"{quotes} > 0", "{{outcome}}"),
          Query(f"{unsolved} > 0", "no vol, {{reason}}")], COUNT),
        ("Gates", "Why rules were suspended, in five minutes.", "data_quality",
         [Query(_increase("dispersion_gate_failures_total", "reason"), "{{reason}}")], COUNT),
        ("Redis", "Failed operations in five minutes; writes of who owns no more; the circuit.",
         "DispersionFencedWrites",
         [Query(redis, "{{operation}} {{reason}}"), Query(fenced, "fenced"),
          Query(breaker, "circuit")], COUNT),
    ]  # fmt: skip


def _full() -> list[Panel]:
    cpu = f"sum by (job, instance) (rate(process_cpu_seconds_total{{{JOB}}}[1m]))"
    memory = f"max by (job, instance) (process_resident_memory_bytes{{{JOB}}})"
    files = f"max by (job, instance) (process_open_fds{{{JOB}}} / process_max_fds{{{JOB}}})"
    held = f"sum by (topic) (increase(dispersion_topic_buffer_full_total{{{JOB}}}[5m]))"
    each = "{{job}} {{instance}}"
    return [
        ("Memory", "Resident.", "DispersionStateGrowth", [Query(memory, each)],
         Look(unit="bytes", decimals=0)),
        ("CPU", "Cores.", "", [Query(cpu, each)], Look(unit="none", decimals=2)),
        ("Files", "Share of those that may be open.", "", [Query(files, each)], Look()),
        ("Checkpoints and buffers", "Bytes a second to Redis; times a topic was held back.", "",
         [Query(f"sum(rate(dispersion_checkpoint_bytes_total{{{JOB}}}[1m]))", "bytes"),
          Query(held, "{{topic}}")], COUNT),
    ]  # fmt: skip


def _delivery() -> list[Panel]:
    oldest = f"time() - (max(dispersion_outbox_oldest_timestamp_seconds{{{JOB}}}) > 0)"
    outcomes = f"{_increase('dispersion_alert_events_total', 'outcome')}"
    delivery = "dispersion_alert_delivery_seconds"
    return [
        ("Events", "By outcome, in five minutes; error must be 0.", "DispersionAlertPublishFailing",
         [Query(outcomes, "{{outcome}}")], COUNT),
        ("Outbox", "Events that wait, and the age of the oldest.", "",
         [Query(f"sum(dispersion_outbox_entries{{{JOB}}})", "entries"), Query(oldest, "age")],
         COUNT),
        ("Commit to acknowledgement", "Of alert events.", "",
         [Query(_quantile(0.5, delivery), "p50"), Query(_quantile(0.99, delivery), "p99")],
         SECONDS),
        ("Bridge", "Posts to Alertmanager in five minutes.", "DispersionBridgeFailing",
         [Query(_increase("dispersion_bridge_posts_total", "outcome"), "{{outcome}}")], COUNT),
    ]  # fmt: skip


def _group() -> list[Panel]:
    refused = f"max by (stage) (dispersion_refused_partitions{{{JOB}}})"
    assigned = f"sum by (topic) (dispersion_assigned_partitions{{{JOB}}})"
    return [
        ("Partitions owned", "By topic, over all workers.", "", [Query(assigned, "{{topic}}")],
         COUNT),
        ("Rebalances", "In five minutes.", "DispersionRebalanceStorm",
         [Query(f"sum(increase(dispersion_rebalances_total{{{JOB}}}[5m]))", "rebalances")], COUNT),
        ("Partitions refused", "They wait for a person.", "DispersionPartitionsRefused",
         [Query(refused, "{{stage}}")], COUNT),
        ("Clocks", "A worker's less that of Redis.", "DispersionClockSkew",
         [Query(f"max by (instance) (dispersion_redis_clock_skew_seconds{{{JOB}}})",
                "{{instance}}")], SECONDS),
    ]  # fmt: skip
