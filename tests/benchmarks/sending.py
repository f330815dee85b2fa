"""Publishing record values, each to its partition, until Kafka has stored them all."""

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import Producer

Backlog = Mapping[int, Sequence[bytes]]
"""Record values by partition."""
STORED_SECONDS = 60


class Sender:
    """librdkafka's producer, which waits where its queue is full."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._producer = Producer(
            {"bootstrap.servers": bootstrap_servers, "linger.ms": 20, "acks": "all", "log_level": 0}
        )

    def send(self, topic: str, partition: int, value: bytes, headers: Any = None) -> None:
        """Queue one record."""
        while True:
            try:
                self._producer.produce(topic, value, partition=partition, headers=headers)
            except BufferError:
                self._producer.poll(0.1)
            else:
                return

    def send_all(self, topic: str, backlog: Backlog) -> None:
        """Queue everything in order of its partition, and wait."""
        for partition, values in backlog.items():
            for value in values:
                self.send(topic, partition, value)
        self.stored()

    def stored(self) -> None:
        """Wait until Kafka has everything. Raises `RuntimeError`."""
        if left := self._producer.flush(STORED_SECONDS):
            raise RuntimeError(f"Kafka did not take {left} records within {STORED_SECONDS} s")
