"""Partitions whose log is not the one their watermark is of.

It tells what stands refused, what each way on costs, and how to take it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

import msgspec
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from redis import Redis

from agents.kafka.client import kafka_failures, kafka_python_options, no_topic
from agents.plans import flow_plans
from agents.process.call_timeout import call_within
from agents.store.refused import (
    RefusedPartition,
    WatermarkMove,
    clear,
    refused_partitions,
    watermark,
)
from agents.store.sync import connect_sync, redis_failures
from config.connections import kafka_place
from config.market import market_of
from config.rules import load_rules
from config.settings import Settings

Way = Literal["checkpoint", "earliest", "latest"]
ANSWER_SECONDS = 10.0
"""For the questions about all partitions that stand refused, and their answers in Redis."""


class RefusedPartitionReport(msgspec.Struct, frozen=True):
    """One partition that stands refused, as people and scripts read it."""

    stage: str
    topic: str
    partition: int
    since: str
    """ISO 8601, UTC."""
    reason: str
    applied: int
    """Last offset that Redis has applied."""
    first: int
    """First offset of the log as it is now."""
    end: int
    """One past its last offset."""
    costs: dict[Way, str]
    """By way on: what it does and what is lost, in words."""
    barred: dict[Way, str]
    """By way on that cannot be taken: why."""
    outcome: Literal["standing", "cleared", "moved"] = "standing"


def inputs_of(settings: Settings) -> Mapping[str, Sequence[str]]:
    """Input topics by stage. Raises `ConfigError`."""
    plans = flow_plans(
        settings, market_of(settings), load_rules(settings.rules.file, settings.rules.cap_unknown)
    )
    return {plan.name: plan.inputs for plan in plans}


def reasons(settings: Settings) -> list[str]:
    """What stands refused, in words.

    Raises `UnavailableError`, also when Kafka hangs, `ActionNeededError`, `ConfigError`.
    """
    return call_within(kafka_place(settings.kafka), lambda: _reasons(settings))


def _reasons(settings: Settings) -> list[str]:
    with _both(settings) as (redis, consumer):
        return [one.note.reason for one in _refused_partitions(redis, consumer, settings)]


def take_over(
    settings: Settings,
    *,
    topics: Sequence[str] = (),
    partitions: Sequence[int] = (),
    way: Way | None = None,
) -> list[RefusedPartitionReport]:
    """What stands refused of some topics and partitions (empty: of all).

    With a way, each that it is open to is cleared.

    Raises:
        UnavailableError, ActionNeededError, ConfigError: Kafka or Redis may not, or cannot, be
            used.
    """
    return call_within(
        kafka_place(settings.kafka),
        lambda: _take_over(settings, topics, partitions, way),
        ANSWER_SECONDS,
    )


def _take_over(
    settings: Settings, topics: Sequence[str], partitions: Sequence[int], way: Way | None
) -> list[RefusedPartitionReport]:
    with _both(settings) as (redis, consumer):
        found = []
        for refused_partition in list(_refused_partitions(redis, consumer, settings)):
            shown = _described(redis, consumer, refused_partition)
            if (topics and shown.topic not in topics) or (
                partitions and shown.partition not in partitions
            ):
                continue
            found.append(
                shown
                if way is None or way in shown.barred
                else _cleared(redis, refused_partition, shown, way)
            )
        return found


@contextmanager
def _both(settings: Settings) -> Iterator[tuple[Redis, KafkaConsumer]]:
    with (
        kafka_failures(settings),
        redis_failures(settings.redis),
        connect_sync(settings.redis) as redis,
    ):
        consumer = KafkaConsumer(**kafka_python_options(settings))
        try:
            yield redis, consumer
        finally:
            consumer.close()


def _refused_partitions(
    redis: Redis, consumer: KafkaConsumer, settings: Settings
) -> Iterator[RefusedPartition]:
    inputs, counts = inputs_of(settings), dict[str, int]()
    for topic, *_ in inputs.values():
        counts[topic] = len(consumer.partitions_for_topic(topic) or ())
        # A topic that there is not has no partition to refuse; of one that is hidden from a user
        # nobody knows.
        if not counts[topic] and settings.kafka.sasl_username:
            raise no_topic(settings.kafka, topic)
    return refused_partitions(redis, inputs, counts)


def _described(
    redis: Redis, consumer: KafkaConsumer, refused_partition: RefusedPartition
) -> RefusedPartitionReport:
    place = TopicPartition(refused_partition.note.topic, refused_partition.partition)
    applied = watermark(redis, refused_partition, place.topic)
    first, end = (
        offsets([place])[place] for offsets in (consumer.beginning_offsets, consumer.end_offsets)
    )
    barred: dict[Way, str] = {}
    if end <= applied:
        barred["checkpoint"] = (
            f"the log ends at {end}: what comes up to offset {applied} would be left out"
        )
    return RefusedPartitionReport(
        stage=refused_partition.keys.tag[1:].partition(":")[0],
        topic=place.topic,
        partition=place.partition,
        since=datetime.fromtimestamp(refused_partition.note.at, UTC).isoformat(timespec="seconds"),
        reason=refused_partition.note.reason,
        applied=applied,
        first=first,
        end=end,
        costs=_costs(applied, first, end, alone=_is_first(refused_partition)),
        barred=barred,
    )


def _is_first(refused_partition: RefusedPartition) -> bool:
    """Whether it is the input that makes the state.

    What a further one has done to it stays as it is.
    """
    return refused_partition.note.topic == refused_partition.keys.inputs[0]


def _costs(applied: int, first: int, end: int, *, alone: bool) -> dict[Way, str]:
    held = end - first
    taken = max(0, min(applied + 1, end) - first)
    state = (
        "the state of the partition and its active alerts are forgotten, "
        "and its windows begin empty; daily history stays"
        if alone
        else "the state of the partition stays"
    )
    lost = first - applied - 1
    return {
        "checkpoint": (
            f"the state stays, the {lost} records deleted before they were applied are given up, "
            f"and work goes on at offset {first}"
            if lost > 0
            else "you vouch that this is the log that was applied: the state stays, "
            f"the {taken} records up to offset {applied} "
            "count as applied, and work goes on behind it"
        ),
        "earliest": (
            f"all {held} records that the log holds are applied, "
            f"and what they caused is published again; {state}"
        ),
        "latest": (
            f"none of the {held} records that the log holds is applied, "
            f"and work begins with what comes next; {state}"
        ),
    }


def _cleared(
    redis: Redis, refused_partition: RefusedPartition, shown: RefusedPartitionReport, way: Way
) -> RefusedPartitionReport:
    first_input = _is_first(refused_partition)
    target = {
        "checkpoint": max(shown.applied, shown.first - 1),
        "earliest": -1,
        "latest": shown.end - 1,
    }[way]
    moves = [WatermarkMove(shown.topic, target)]
    # A forgotten state has seen nothing of its other inputs either.
    if way == "earliest" and first_input:
        moves = [WatermarkMove(topic, -1) for topic in refused_partition.keys.inputs]
    done = clear(redis, refused_partition, moves, forget=first_input and way != "checkpoint")
    return msgspec.structs.replace(shown, outcome="cleared" if done else "moved")
