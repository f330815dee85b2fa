"""What the tail of an alert partition already holds, so that a relay does not publish it again."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.cloud_event import SEQ_HEADER

TAIL = 1_000
"""Records read back: more than one relay round can leave between publishing and trimming."""


async def published(client: Mapping[str, Any], topic: str, partition: int) -> dict[int, str]:
    """Event id by outbox sequence number, over the last records of a partition. Raises `KafkaError`."""
    consumer = AIOKafkaConsumer(**client, group_id=None, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        tp = TopicPartition(topic, partition)
        consumer.assign([tp])
        first = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        position = max(first, end - TAIL)
        consumer.seek(tp, position)
        seen: dict[int, str] = {}
        while position < end:
            batches = await consumer.getmany(tp, timeout_ms=1000)
            for record in batches.get(tp, []):
                position = record.offset + 1
                headers = dict(record.headers)
                if SEQ_HEADER in headers:
                    seen[int(headers[SEQ_HEADER])] = headers["ce_id"].decode()
            if not batches:
                position = await consumer.position(tp)  # control records or a compacted end
                end = (await consumer.end_offsets([tp]))[tp]
                await asyncio.sleep(0)
        return seen
    finally:
        await consumer.stop()
