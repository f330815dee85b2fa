"""aiokafka with the peers' decoding: what the bare loop costs without columns."""

import asyncio

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from tests.benchmarks.peers.job import Job, quote


async def main() -> None:
    """Work off the backlogs."""
    job = Job.told()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=job.bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    await consumer.start()
    consumer.assign([TopicPartition(job.topic, p) for p in range(job.partitions)])
    while True:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            job.done(len([quote(record.value) for record in records]))


if __name__ == "__main__":
    asyncio.run(main())
