"""The bare loop to compare with: aiokafka fetches, our codec decodes, nothing else happens. Ends after `expected` quotes.

python -m tests.benchmarks.aiokafka_loop BOOTSTRAP TOPIC PARTITIONS EXPECTED
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from streams.codec import decode_quotes
from streams.records import Quotes


async def consume(bootstrap: str, topic: str, partitions: int, expected: int) -> None:
    """Say `ready` when assigned, `done` when every quote was decoded, then wait to be ended."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest", max_partition_fetch_bytes=4 * 2**20
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, p) for p in range(partitions)])
        print("ready", flush=True)
        seen = 0
        while seen < expected:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                seen += sum(len(item.strike) for item in decode_quotes(records) if isinstance(item, Quotes))
        print("done", flush=True)
        await asyncio.sleep(3600)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    asyncio.run(consume(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
