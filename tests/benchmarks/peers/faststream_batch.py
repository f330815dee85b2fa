"""FastStream on aiokafka: a subscriber of batches with a decoder of its own.

Nothing is validated twice.
"""

import asyncio
from typing import Any

from tests.benchmarks.peers.job import Job, Quote, quote

RECORDS = 5000


def main() -> None:
    """Work off the backlogs."""
    from faststream import FastStream
    from faststream.kafka import KafkaBroker

    job = Job.told()
    broker = KafkaBroker(job.bootstrap, logger=None, apply_types=False)

    async def decoded(message: Any) -> list[Quote]:
        return [quote(value) for value in message.body]

    async def count(quotes: list[Quote]) -> None:
        job.done(len(quotes))

    group = {"group_id": job.topic, "auto_offset_reset": "earliest", "session_timeout_ms": 60_000}
    broker.subscriber(job.topic, batch=True, max_records=RECORDS, decoder=decoded, **group)(count)
    asyncio.run(FastStream(broker, logger=None).run())


if __name__ == "__main__":
    main()
