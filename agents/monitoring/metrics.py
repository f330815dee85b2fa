"""Service metrics of a worker.

Every metric of every process is listed in docs/use/metrics.md, which a test holds against the live
pages. Market values are exported by `agents.monitoring.exporter` from the snapshots in Redis, never
by a worker: a worker that loses a partition would go on telling its last value.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.metrics import MetricWrapperBase

from streams.catalogue.counters import COUNTERS
from streams.stage import Count

disable_created_metrics()  # type: ignore[no-untyped-call]

LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
DELIVERY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0)
SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """All metrics of one process, on the registry it is given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._counters: dict[str, Counter] = {}
        self._children: dict[Count, Counter] = {}
        self._define_flow()
        self._define_kafka()
        self._define_store()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        counter = self._counters[name] = Counter(
            f"dispersion_{name}", text, labels, registry=self.registry
        )
        return counter

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"dispersion_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = LATENCY
    ) -> Histogram:
        return Histogram(
            f"dispersion_{name}", text, labels, registry=self.registry, buckets=buckets
        )

    def _define_flow(self) -> None:
        self.last_event = self._gauge(
            "last_event_timestamp_seconds",
            "Event time of the newest input, Unix seconds.",
            "topic",
            "partition",
        )
        self.event_to_publish = self._histogram(
            "event_to_publish_seconds", "From event time to published result.", "index"
        )
        self.stage_duration = self._histogram(
            "stage_duration_seconds", "Time in one call of a stage.", "stage", buckets=SHORT
        )
        self.redis_clock_skew = self._gauge(
            "redis_clock_skew_seconds", "This process's clock minus that of Redis, at least."
        )
        self.clock_skew = self._gauge(
            "clock_skew_seconds",
            "Newest event time minus the broker's time of its record.",
            "source",
        )
        self.watermark_lag = self._gauge(
            "watermark_lag_seconds", "Wall time minus event time of the newest input.", "topic"
        )
        self.consumed = self._counter("messages_consumed", "Records applied.", "topic")
        self.published = self._counter(
            "messages_published", "Records handed to the producer.", "topic"
        )
        self.foreign_records = self._counter(
            "foreign_records", "Records on a topic of ours that are not ours.", "topic", "reason"
        )
        for counter in COUNTERS:
            self._counter(counter.name, counter.help, *counter.labels)

    def _define_kafka(self) -> None:
        at = ("topic", "partition")
        self.lag_messages = self._gauge(
            "kafka_consumer_lag_messages", "Records between the watermark and the log end.", *at
        )
        self.lag_seconds = self._gauge(
            "kafka_consumer_lag_seconds",
            "Age of the last applied record while others wait, else 0.",
            *at,
        )
        self.committed_offset = self._gauge(
            "kafka_committed_offset", "Next offset by the commits of the group.", *at
        )
        self.end_offset = self._gauge("kafka_end_offset", "Next offset the log will give.", *at)
        self.watermark = self._gauge(
            "kafka_watermark_offset", "Last offset covered by a checkpoint in Redis.", *at
        )
        self.buffer_full = self._counter(
            "topic_buffer_full", "Times an agent's buffer was full.", "topic"
        )
        self.offset_gaps = self._counter(
            "offset_gaps", "Offsets skipped between records (compaction, retention).", "topic"
        )
        self.replayed = self._counter(
            "replayed_messages", "Records at or below the watermark that came again.", "topic"
        )
        self.rebalances = self._counter(
            "rebalances", "Rebalances of the consumer group.", "outcome"
        )
        self.rebalance_duration = self._histogram(
            "rebalance_duration_seconds", "From revocation to resumed flow."
        )
        self.assigned = self._gauge("assigned_partitions", "Partitions owned.", "topic")
        self.writes_waiting = self._gauge(
            "kafka_writes_waiting_seconds",
            "Since when Kafka takes no write of ours; 0 when it does.",
        )
        self.coordinator_errors = self._counter(
            "coordinator_errors", "Group coordinator errors found by the guard."
        )
        self.loop_beat = self._gauge(
            "loop_beat_timestamp_seconds", "When the event loop last ran its timer, Unix seconds."
        )
        self.loop_lag = self._histogram(
            "event_loop_lag_seconds", "How late the event loop runs its timers.", buckets=SHORT
        )

    def _define_store(self) -> None:
        self.redis_up = self._gauge("redis_up", "Whether the last Redis operation was answered.")
        self.redis_breaker = self._gauge(
            "redis_breaker_state", "Circuit to Redis: 0 closed, 1 half open, 2 open."
        )
        self.redis_seconds = self._histogram(
            "redis_operation_seconds", "Duration of Redis operations.", "operation", buckets=SHORT
        )
        self.redis_errors = self._counter(
            "redis_errors", "Failed Redis operations.", "operation", "reason"
        )
        self.redis_pool = self._gauge("redis_pool_in_use", "Redis connections in use.")
        self.fenced = self._counter(
            "fenced_writes", "Writes refused because somebody else owns the partition."
        )
        self.checkpoint_seconds = self._histogram(
            "checkpoint_duration_seconds", "Duration of a commit to Redis.", "stage", buckets=SHORT
        )
        self.checkpoint_bytes = self._counter(
            "checkpoint_bytes", "State written to Redis.", "stage"
        )
        self.outbox_entries = self._gauge(
            "outbox_entries", "Alert events waiting to be published.", "partition"
        )
        self.outbox_oldest = self._gauge(
            "outbox_oldest_timestamp_seconds",
            "When the oldest waiting alert event was committed, 0 for none.",
            "partition",
        )
        self.alert_delivery = self._histogram(
            "alert_delivery_seconds",
            "From the commit of an alert event to the broker's acknowledgement.",
            buckets=DELIVERY,
        )

    def declare(self, labels: Mapping[str, Iterable[tuple[str, ...]]]) -> None:
        """Start counter children at 0, so that a first increment is seen as one."""
        for name, children in labels.items():
            for values in children:
                self._counters[name].labels(*values)

    def count(self, counts: Mapping[Count, int]) -> list[Count]:
        """Add what a stage reports; answers the keys that name no metric of ours."""
        unknown: list[Count] = []
        for key, amount in counts.items():
            child = self._children.get(key)
            if child is None:
                counter = self._counters.get(key[0])
                if counter is None or len(_labelnames(counter)) != len(key) - 1:
                    unknown.append(key)
                    continue
                child = self._children[key] = counter.labels(*key[1:]) if key[1:] else counter
            child.inc(amount)
        return unknown

    def sampled_buffer_full(self) -> Callable[[str, int], None]:
        """A setter for a counter that somebody else counts: adds what is new by topic."""
        known: dict[str, int] = {}

        def seen(topic: str, total: int) -> None:
            self.buffer_full.labels(topic).inc(max(0, total - known.get(topic, 0)))
            known[topic] = total

        return seen

    def forget(self, topic: str, partition: int, stage: str) -> None:
        """Remove the gauges of a stage's partition that is given back.

        Those of the whole topic return with the next sample.
        """
        for gauge in (
            self.lag_messages,
            self.lag_seconds,
            self.committed_offset,
            self.end_offset,
            self.watermark,
            self.last_event,
        ):
            _remove(gauge, topic, str(partition))
        _remove(self.watermark_lag, topic)
        _remove(self.clock_skew, source_label(stage, partition))

    def forget_outbox(self, partition: int) -> None:
        """Remove the gauges of an outbox once its relay has stopped."""
        for gauge in (self.outbox_entries, self.outbox_oldest):
            _remove(gauge, str(partition))


def source_label(stage: str, partition: int) -> str:
    """The label `source`."""
    return f"{stage}:{partition}"


def _labelnames(metric: MetricWrapperBase) -> tuple[str, ...]:
    return tuple(metric._labelnames)  # noqa: SLF001 - the client has no public accessor


def _remove(gauge: Gauge, *labels: str) -> None:
    try:
        gauge.remove(*labels)
    except KeyError:
        return
