"""Both stacks do what every other integration test takes for granted."""

import redis
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from tests.support.stack import Stack, settings_for


def test_kafka_python_reads_what_it_wrote(stack: Stack, topic_prefix: str) -> None:
    settings = settings_for(stack, topic_prefix)
    topic = f"{topic_prefix}plain"
    stack.create_topics([(topic, 3)])
    version = tuple(int(part) for part in settings.kafka.api_version.split("."))
    producer = KafkaProducer(bootstrap_servers=stack.bootstrap_servers, api_version=version)
    metadata = producer.send(topic, b"value", key=b"key", partition=2, headers=[("h", b"1")]).get(20)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=stack.bootstrap_servers, api_version=version, consumer_timeout_ms=20_000)
    consumer.assign([TopicPartition(topic, 2)])
    consumer.seek_to_beginning()
    record = next(consumer)
    consumer.close()
    assert (metadata.partition, metadata.offset) == (2, 0)
    assert (record.key, record.value, [tuple(h) for h in record.headers]) == (b"key", b"value", [("h", b"1")])


async def test_aiokafka_reads_what_it_wrote_in_a_group(stack: Stack, topic_prefix: str) -> None:
    topic = f"{topic_prefix}group"
    stack.create_topics([(topic, 2)])
    async with AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers) as producer:
        for partition in range(2):
            await producer.send_and_wait(topic, b"v%d" % partition, partition=partition)
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=stack.bootstrap_servers, group_id=f"{topic_prefix}g", auto_offset_reset="earliest", session_timeout_ms=6000
    )
    async with consumer:
        values = {(await consumer.getone()).value for _ in range(2)}
        await consumer.commit()
        committed = [await consumer.committed(TopicPartition(topic, partition)) for partition in range(2)]
    assert values == {b"v0", b"v1"}
    assert committed == [1, 1]


def test_redis_persists_and_evicts_nothing(stack: Stack) -> None:
    with redis.Redis.from_url(stack.redis.url, decode_responses=True) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
