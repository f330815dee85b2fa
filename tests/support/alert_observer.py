"""A subscriber that remembers ids.

It follows the alerts topic through whatever happens, as a desk's program would.
"""

import threading
from collections import defaultdict
from time import monotonic, sleep
from typing import Any, Self

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_python_options
from config.settings import Settings
from streams.topics import Topics
from tests.support.monitor import comparable_event

POLL_MS = 200
ALERT = b"io.dispersion.alert."


class AlertObserver(threading.Thread):
    """Reads every partition from its beginning until stopped; a context manager."""

    def __init__(self, settings: Settings, partitions: int) -> None:
        super().__init__(name="alert-observer", daemon=True)
        self._options = kafka_python_options(settings)
        self._places = [
            TopicPartition(Topics(settings.kafka.topic_prefix).name("alerts"), p)
            for p in range(partitions)
        ]
        self._over = threading.Event()
        self.events: list[dict[str, Any]] = []
        """First sight of each id, in the order of the topic."""
        self.repeats = 0
        self.contradictions: list[str] = []
        self._known: dict[str, bytes] = {}
        self._sequence: defaultdict[str, int] = defaultdict(int)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(30)

    def run(self) -> None:
        """Poll; an outage of Kafka is waited out."""
        consumer = KafkaConsumer(**self._options, enable_auto_commit=False)
        consumer.assign(self._places)
        consumer.seek_to_beginning()
        while not self._over.is_set():
            try:
                batches = consumer.poll(timeout_ms=POLL_MS)
            except KafkaError:
                continue
            for records in batches.values():
                for record in records:
                    self._see(record)
        consumer.close()

    def _see(self, record: Any) -> None:
        headers = dict(record.headers)
        if not headers["ce_type"].startswith(ALERT):
            return
        name = headers["ce_id"].decode()
        if name in self._known:
            self.repeats += 1
            if self._known[name] != record.value:
                self.contradictions.append(f"two contents of {name}")
            return
        self._known[name] = record.value
        fingerprint, sequence = headers["ce_partitionkey"].decode(), int(headers["ce_sequence"])
        if sequence != self._sequence[fingerprint] + 1:
            self.contradictions.append(
                f"{fingerprint}: {sequence} after {self._sequence[fingerprint]}"
            )
        self._sequence[fingerprint] = sequence
        self.events.append(comparable_event(record.value))

    def wait_for(self, count: int, seconds: float) -> None:
        """Return when so many events have been seen."""
        deadline = monotonic() + seconds
        while len(self.events) < count:
            assert monotonic() < deadline, (
                f"{len(self.events)} of {count} events within {seconds:.0f} s; "
                f"{self.contradictions}"
            )
            sleep(0.1)
