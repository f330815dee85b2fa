"""Reading back what a relay has published: the tail of the alert log, and the compacted alert states."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.alerts.cloud_event import SEQ_HEADER
from agents.alerts.tombstones import Tombstones

TAIL = 1_000
"""Records read back: more than one relay round can leave between publishing and trimming."""


async def published(client: Mapping[str, Any], topic: str, partition: int) -> dict[int, str]:
    """Event id by outbox sequence number, over the last records of an alert partition. Raises `KafkaError`."""
    seen: dict[int, str] = {}
    async for record in _records(client, topic, partition, TAIL):
        headers = dict(record.headers)
        if SEQ_HEADER in headers:
            seen[int(headers[SEQ_HEADER])] = headers["ce_id"].decode()
    return seen


async def resolved(client: Mapping[str, Any], topic: str, partition: int) -> Tombstones:
    """What a partition of the alert states holds that needs a tombstone one day. Raises `KafkaError`."""
    tombstones = Tombstones()
    async for record in _records(client, topic, partition):
        tombstones.published(record.key, record.value, record.timestamp / 1000)
    return tombstones


async def _records(client: Mapping[str, Any], topic: str, partition: int, last: int | None = None) -> AsyncIterator[Any]:
    """The records of a partition up to its present end, or only the last ones."""
    consumer = AIOKafkaConsumer(**client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        tp = TopicPartition(topic, partition)
        consumer.assign([tp])
        first = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        consumer.seek(tp, first if last is None else max(first, end - last))
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=1000)).get(tp, []):
                yield record
    finally:
        await consumer.stop()
