"""How much input waits, from outside: ends of the logs less the watermarks in Redis.

A worker that is frozen or gone tells nothing of its partitions, and one that Kafka does not answer
tells an end of long ago.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError

from agents.monitoring.log_ends import LogEnds
from agents.store.keys import stage_keys
from agents.transport.assignment import Partition


class LagGauges(Collector):
    """Kafka's state, and the records that wait in front of each stage."""

    def __init__(
        self, redis: Redis, ends: LogEnds, stage_inputs: Mapping[str, Sequence[str]]
    ) -> None:
        self._redis = redis
        self._ends = ends
        self._inputs = {
            topic: (stage, tuple(topics))
            for stage, topics in stage_inputs.items()
            for topic in topics
        }

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing in advance: registering must not ask Redis."""
        return ()

    def kafka_up(self) -> GaugeMetricFamily:
        """Whether Kafka answers; asks nobody."""
        text = "Whether Kafka has told the ends of the logs within five seconds."
        return GaugeMetricFamily("dispersion_kafka_up", text, value=float(self._ends.up))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Both; what waits is not there while Kafka or Redis does not answer."""
        yield self.kafka_up()
        family = GaugeMetricFamily(
            "dispersion_input_lag_messages",
            "Records of an input that are not applied: end of the log less watermark in Redis.",
            labels=["topic", "partition"],
        )
        try:
            for log, waiting in self._waiting(self._ends.ends):
                family.add_metric([log.topic, str(log.partition)], waiting)
        except RedisError:
            family.samples.clear()
        yield family

    def _waiting(self, ends: Mapping[Partition, int]) -> Iterator[tuple[Partition, int]]:
        logs = sorted(ends)
        with self._redis.pipeline(transaction=False) as pipeline:
            for log in logs:
                pipeline.get(self._watermark(log))
            marks = pipeline.execute() if logs else []
        for log, mark in zip(logs, marks, strict=True):
            applied = -1 if mark is None else int(mark)
            yield log, max(0, ends[log] - 1 - applied)

    def _watermark(self, log: Partition) -> str:
        stage, inputs = self._inputs[log.topic]
        return stage_keys(stage, inputs, log.partition).watermark(log.topic)
