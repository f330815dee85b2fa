"""Publishes option quotes as Arrow frames.

Run `python frame_producer.py BOOTSTRAP TOPIC < quotes.csv`, a quote a line:
underlying,expiry,strike,right,bid,ask,ts_event (2026-07-17, C or P, nanoseconds UTC). The format is
docs/connect/wire-format.md; of this project nothing is needed, only pyarrow and kafka-python.
"""

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

import pyarrow as pa
from kafka import KafkaProducer
from kafka.partitioner.default import murmur2

ROWS = 2_000
ARROW = [("content-type", b"application/vnd.apache.arrow.stream")]
BEAT = [("content-type", b"application/vnd.dispersion.heartbeat+json")]


def partition_of(underlying: str, partitions: int) -> int:
    """All quotes of an underlying go to one partition.

    It is chosen as Kafka's partitioner would by the underlying's name.
    """
    return int((murmur2(underlying.encode()) & 0x7FFFFFFF) % partitions)


def frame(quotes: Sequence[Sequence[str]]) -> bytes:
    """The columns of a frame: text as dictionaries, prices as decimals of four bytes.

    A frame has one batch, no compression.
    """
    underlying, expiry, strike, right, bid, ask, ts_event = zip(*quotes, strict=True)
    columns = {
        "underlying": pa.array(underlying).dictionary_encode(),
        "expiry": pa.array(list(map(date.fromisoformat, expiry)), pa.date32()),
        "strike": pa.array(strike).cast(pa.decimal32(9, 3)),
        "right": pa.array(right).dictionary_encode(),
        "bid": pa.array(bid).cast(pa.decimal32(9, 4)),
        "ask": pa.array(ask).cast(pa.decimal32(9, 4)),
        "ts_event": pa.array(list(map(int, ts_event)), pa.int64()),
    }
    batch = pa.record_batch(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    value: bytes = sink.getvalue().to_pybytes()
    return value


def publish(producer: KafkaProducer, topic: str, quotes: Iterable[Sequence[str]]) -> None:
    """Frames of all quotes, then to every partition the word that nothing earlier will follow."""
    partitions = len(producer.partitions_for(topic))
    waiting: defaultdict[int, list[Sequence[str]]] = defaultdict(list)
    last = 0
    for quote in quotes:
        last = max(last, int(quote[-1]))
        partition = partition_of(quote[0], partitions)
        waiting[partition].append(quote)
        if len(waiting[partition]) == ROWS:
            producer.send(topic, frame(waiting.pop(partition)), headers=ARROW, partition=partition)
    for partition, left in waiting.items():
        producer.send(topic, frame(left), headers=ARROW, partition=partition)
    for partition in range(partitions):
        producer.send(
            topic, json.dumps({"ts_event": last}).encode(), headers=BEAT, partition=partition
        )


if __name__ == "__main__":
    options = {
        "acks": "all",
        "compression_type": "gzip",
        "linger_ms": 5,
        "max_in_flight_requests_per_connection": 1,
    }
    client = KafkaProducer(bootstrap_servers=sys.argv[1], **options)
    publish(client, sys.argv[2], csv.reader(sys.stdin))
    client.flush()
    client.close()
