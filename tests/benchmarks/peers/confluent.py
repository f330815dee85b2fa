"""confluent-kafka by itself: librdkafka fetches, many records a call.

Frames become pyarrow's columns.
"""

import pyarrow as pa
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from tests.benchmarks.peers.job import Job, quote

RECORDS = 1000


def main() -> None:
    """Work off the backlogs."""
    job = Job.told()
    consumer = Consumer(
        {"bootstrap.servers": job.bootstrap, "group.id": job.topic, "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(job.topic, p, OFFSET_BEGINNING) for p in range(job.partitions)])
    while True:
        messages = consumer.consume(RECORDS, 0.05)
        if job.kind == "json":
            job.done(len([quote(message.value()) for message in messages]))
        else:
            job.done(
                sum(pa.ipc.open_stream(message.value()).read_all().num_rows for message in messages)
            )


if __name__ == "__main__":
    main()
