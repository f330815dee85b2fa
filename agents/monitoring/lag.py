"""How far the stages are behind Kafka.

It is the records between the watermarks in Redis and the ends of the logs.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaConsumer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition
from redis import Redis

from agents.kafka.client import kafka_failures, kafka_python_options
from agents.plans import Plan
from agents.store.keys import stage_keys
from agents.store.sync import connect_sync, redis_failures
from config.settings import Settings

TOGETHER_MS = 2_000
"""For the ends of all logs at once."""
ALONE_MS = 400
"""For those of one topic, once all together were not told."""


class PartitionLag(msgspec.Struct, frozen=True):
    """Records of one partition that no stage has applied yet."""

    topic: str
    partition: int
    waiting: int


class Lag(NamedTuple):
    """What is known of it."""

    waiting: dict[str, int]
    """Topic → records not yet applied, of the topics whose ends Kafka tells."""
    untold: list[str]
    """Topics that there are, and whose ends it does not tell."""
    partitions: list[PartitionLag]
    """Those of `waiting` one by one."""


def lag_of(settings: Settings, inputs: Sequence[tuple[Plan, str]]) -> Lag:
    """The lag of the inputs of stages.

    Raises `UnavailableError`, `ActionNeededError`, `ConfigError`.
    """
    with (
        kafka_failures(settings),
        redis_failures(settings.redis),
        connect_sync(settings.redis) as redis,
    ):
        consumer = KafkaConsumer(**kafka_python_options(settings))
        try:
            places = partitions_of(consumer, [topic for _, topic in inputs])
            ends = ends_of(consumer, places)
        finally:
            consumer.close()
        partitions = [
            PartitionLag(topic, tp.partition, waiting)
            for plan, topic in inputs
            if topic in ends
            for tp, waiting in _waiting(redis, plan, ends[topic]).items()
        ]
    together = {topic: 0 for _, topic in inputs if topic in ends}
    for one in partitions:
        together[one.topic] += one.waiting
    return Lag(together, [topic for topic in places if topic not in ends], partitions)


Ends = Mapping[TopicPartition, int]


def partitions_of(consumer: Any, topics: Sequence[str]) -> dict[str, list[TopicPartition]]:
    """Partitions by topic, of the topics that there are and that we may see."""
    counts = {topic: sorted(consumer.partitions_for_topic(topic) or ()) for topic in topics}
    return {
        topic: [TopicPartition(topic, number) for number in numbers]
        for topic, numbers in counts.items()
        if numbers
    }


def ends_of(consumer: Any, places: Mapping[str, Sequence[TopicPartition]]) -> dict[str, Ends]:
    """Ends of logs by topic.

    A leader does not tell the end of its log between its election and the return of the replicas
    that must be in sync. kafka-python asks it again and again, and drops what others have told.
    """
    try:
        offsets = consumer.end_offsets(
            [tp for of_topic in places.values() for tp in of_topic], timeout_ms=TOGETHER_MS
        )
    except KafkaTimeoutError:
        return dict(_one_by_one(consumer, places))
    return {topic: {tp: offsets[tp] for tp in of_topic} for topic, of_topic in places.items()}


def _one_by_one(
    consumer: Any, places: Mapping[str, Sequence[TopicPartition]]
) -> Iterator[tuple[str, Ends]]:
    for topic, of_topic in places.items():
        try:
            yield topic, consumer.end_offsets(of_topic, timeout_ms=ALONE_MS)
        except KafkaTimeoutError:
            continue


def _waiting(redis: Redis, plan: Plan, ends: Ends) -> dict[TopicPartition, int]:
    def applied(tp: TopicPartition) -> int:
        mark = redis.get(stage_keys(plan.name, plan.inputs, tp.partition).watermark(tp.topic))
        return int(mark or -1)

    return {tp: max(0, end - 1 - applied(tp)) for tp, end in ends.items()}
