"""The feed of a session: numbered records on every input.

They come in batches of every codec, with pauses on demand.
"""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import KafkaError, Message, Producer

from streams.stage import Role
from tests.support.counting import record_value
from tests.support.fleet import Fleet

ROUND = 0.05
"""Seconds between two rounds of sending."""
FLUSH_SECONDS = 90.0
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CODEC_ROUNDS = 20
"""Rounds until the next codec has its turn."""


class Load(threading.Thread):
    """Publishes ids 0, 1, … to each role, round robin over its partitions, until stopped."""

    def __init__(
        self, fleet: Fleet, partitions: Mapping[Role, int], per_second: Mapping[Role, int]
    ) -> None:
        super().__init__(name="load", daemon=True)
        self._fleet = fleet
        self._partitions = partitions
        self._round = {role: rate * ROUND for role, rate in per_second.items()}
        self._owed = dict.fromkeys(per_second, 0.0)
        self._over = threading.Event()
        self._held = threading.Event()
        self._sending = threading.Lock()
        self._codecs = itertools.cycle(CODECS)
        self.sent: Counter[Role] = Counter()
        self.refused: Counter[str] = Counter()
        """Errors with which the client gave a record up, which was then sent again.

        A broker that starts says for a moment that it knows no topic, and a client that knew the
        topic believes it.
        """

    def run(self) -> None:
        producers = {codec: self._producer(codec) for codec in CODECS}
        producer = producers[next(self._codecs)]
        for number in itertools.count():
            if self._over.wait(ROUND):
                break
            if number % CODEC_ROUNDS == 0:
                producer.flush(FLUSH_SECONDS)
                producer = producers[next(self._codecs)]
            with self._sending:
                if not self._held.is_set():
                    self._send(producer)
        for one in producers.values():
            one.flush(FLUSH_SECONDS)

    def _producer(self, codec: str) -> Producer:
        return Producer(
            {
                "bootstrap.servers": self._fleet.settings.kafka.bootstrap_servers,
                "compression.codec": codec,
                "linger.ms": 50,
                # Sequence numbers of an idempotent producer would not survive a broker whose disk
                # is set back.
                "enable.idempotence": False,
                "message.timeout.ms": 0,
                "log_level": 0,
                # a topic that is made anew is unknown for a while
                "topic.metadata.propagation.max.ms": 120_000,
                "topic.metadata.refresh.interval.ms": 1_000,
            }
        )

    def _send(self, producer: Producer) -> None:
        for role, count in self._round.items():
            name = self._fleet.topics.name(role)
            self._owed[role] += count
            due, self._owed[role] = divmod(self._owed[role], 1.0)
            for _ in range(int(due)):
                number = self.sent[role]
                self._produce(producer, name, number % self._partitions[role], record_value(number))
                self.sent[role] += 1
        producer.poll(0)

    def _produce(self, producer: Producer, topic: str, partition: int, value: bytes) -> None:
        def delivered(error: KafkaError | None, _: Message) -> None:
            if error is not None:
                self.refused[str(error.name())] += 1
                self._produce(producer, topic, partition, value)

        producer.produce(topic, value, partition=partition, on_delivery=delivered)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is sent inside; what was sent before may still be under way."""
        with self._sending:
            self._held.set()
        try:
            yield
        finally:
            self._held.clear()

    def stop(self) -> None:
        """Stop and wait until everything is stored."""
        self._over.set()
        self.join(2 * FLUSH_SECONDS)
        assert not self.is_alive()
