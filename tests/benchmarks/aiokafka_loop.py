"""The bare loop to compare with: aiokafka fetches, our codec decodes, nothing else happens.

python -m tests.benchmarks.aiokafka_loop BOOTSTRAP TOPIC PARTITIONS QUOTES...

Says a line each time so many further quotes are decoded, then waits to be ended.
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from agents.ingest.feed_reader import (
    FETCH_BYTES,
)  # not from the app, which would bring the worker's own records along
from streams.decoding.codec import decode_quotes
from streams.records import Quotes


async def consume(bootstrap: str, topic: str, partitions: int, backlogs: list[int]) -> None:
    """Work off one backlog after the other."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, p) for p in range(partitions)])
        for quotes in backlogs:
            seen = 0
            while seen < quotes:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    seen += sum(
                        len(item.strike)
                        for item in decode_quotes(records)
                        if isinstance(item, Quotes)
                    )
            print(seen, flush=True)
        await asyncio.sleep(3600)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(
        consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), [int(text) for text in sys.argv[4:]])
    )
