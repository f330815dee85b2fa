"""Both stacks do what every other integration test takes for granted."""

import os
from collections.abc import Sequence
from typing import Any

import pytest
import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_python_options
from config.settings import load
from tests.support.stack import RealStack, Stack, environment_for, settings_for


def write(stack: Stack, topic: str, values: Sequence[bytes], **options: Any) -> None:
    producer = KafkaProducer(**kafka_python_options(settings_for(stack, "")), **options)
    try:
        for value in values:
            producer.send(topic, value, partition=0).get(30)
    finally:
        producer.close(timeout=5)


def read_all(stack: Stack, topic: str, **options: Any) -> list[bytes]:
    """Every value of partition 0."""
    consumer = KafkaConsumer(
        **kafka_python_options(settings_for(stack, "")), consumer_timeout_ms=20_000, **options
    )
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    consumer.seek_to_beginning()
    values = []
    while consumer.position(partition) < end:
        values.append(next(consumer).value)
    consumer.close()
    return values


def test_kafka_python_reads_what_it_wrote(stack: Stack, topic_prefix: str) -> None:
    topic = f"{topic_prefix}plain"
    stack.create_topics([(topic, 3)])
    options = kafka_python_options(settings_for(stack, topic_prefix))
    producer = KafkaProducer(**options)
    metadata = producer.send(topic, b"value", key=b"key", partition=2, headers=[("h", b"1")]).get(
        20
    )
    producer.close()
    consumer = KafkaConsumer(**options, consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition(topic, 2)])
    consumer.seek_to_beginning()
    record = next(consumer)
    consumer.close()
    assert (metadata.partition, metadata.offset) == (2, 0)
    assert (record.key, record.value, dict(record.headers)) == (b"key", b"value", {"h": b"1"})


async def test_aiokafka_reads_what_it_wrote_in_a_group(stack: Stack, topic_prefix: str) -> None:
    topic = f"{topic_prefix}group"
    stack.create_topics([(topic, 2)])
    async with AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers) as producer:
        for partition in range(2):
            await producer.send_and_wait(topic, b"v%d" % partition, partition=partition)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=stack.bootstrap_servers,
        group_id=f"{topic_prefix}g",
        auto_offset_reset="earliest",
        session_timeout_ms=6000,
    )
    async with consumer:
        values = {(await consumer.getone()).value for _ in range(2)}
        await consumer.commit()
        committed = [
            await consumer.committed(TopicPartition(topic, partition)) for partition in range(2)
        ]
    assert values == {b"v0", b"v1"}
    assert committed == [1, 1]


def test_redis_persists_and_evicts_nothing(stack: Stack) -> None:
    with redis.Redis.from_url(stack.redis.url, decode_responses=True) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_a_topic_that_admits_it_takes_a_message_of_nine_mebibytes(
    real_stack: RealStack, topic_prefix: str
) -> None:
    small, large = f"{topic_prefix}small", f"{topic_prefix}large"
    real_stack.create_topics([(small, 1)], {"max.message.bytes": str(2**20)})
    real_stack.create_topics([(large, 1)], {"max.message.bytes": str(10 * 2**20)})
    value = os.urandom(9 * 2**20)
    with pytest.raises(MessageSizeTooLargeError):
        write(real_stack, small, [value], max_request_size=11 * 2**20)
    write(real_stack, large, [value], max_request_size=11 * 2**20)
    assert read_all(real_stack, large, max_partition_fetch_bytes=10 * 2**20) == [value]


def test_an_outage_keeps_what_was_acknowledged(stack: Stack, topic_prefix: str) -> None:
    topic = f"{topic_prefix}outage"
    stack.create_topics([(topic, 1)])
    write(stack, topic, [b"before"])
    stack.kafka_down()
    try:
        with pytest.raises(KafkaError):
            write(
                stack,
                topic,
                [b"meanwhile"],
                delivery_timeout_ms=1500,
                request_timeout_ms=1000,
                max_block_ms=1000,
            )
    finally:
        stack.kafka_up()
    write(stack, topic, [b"after"])
    values = read_all(stack, topic)
    assert (values[0], values[-1]) == (b"before", b"after")


def test_deleted_records_move_the_start_of_a_partition(stack: Stack, topic_prefix: str) -> None:
    topic = f"{topic_prefix}retention"
    stack.create_topics([(topic, 1)])
    for number in range(4):  # one batch each: the embedded broker deletes whole batches
        write(stack, topic, [b"%d" % number])
    stack.delete_records(topic, 0, 2)
    assert read_all(stack, topic) == [b"2", b"3"]


def test_redis_keeps_its_data_through_stop_and_kill(stack: Stack, topic_prefix: str) -> None:
    with redis.Redis.from_url(stack.redis.url, decode_responses=True) as client:
        client.set(f"{topic_prefix}key", "value")
        stack.redis.stop()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        stack.redis.start()
        stack.redis.kill()
        stack.redis.start()
        assert client.get(f"{topic_prefix}key") == "value"


def test_settings_reach_a_process_through_its_environment(
    stack: Stack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(stack, topic_prefix, kafka={"partitions": {"quotes": 2}})
    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)
    assert load().kafka == settings.kafka
    assert load().redis == settings.redis
