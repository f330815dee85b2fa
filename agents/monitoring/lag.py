"""How far the stages are behind Kafka.

It is the records between the watermarks in Redis and the ends of the logs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from redis import Redis

from agents.kafka.client import kafka_failures, kafka_python_options
from agents.monitoring.partition_ends import Ends, ends_of, partitions_of
from agents.plan import Plan
from agents.store.keys import stage_keys
from agents.store.sync import connect_sync, redis_failures
from config.settings import Settings


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


def _waiting(redis: Redis, plan: Plan, ends: Ends) -> dict[TopicPartition, int]:
    def applied(tp: TopicPartition) -> int:
        mark = redis.get(stage_keys(plan.name, plan.inputs, tp.partition).watermark(tp.topic))
        return int(mark or -1)

    return {tp: max(0, end - 1 - applied(tp)) for tp, end in ends.items()}
