"""Quotes of a whole basket as they would come, second by second of the wall clock, with heartbeats.

Every few seconds the index's vol jumps or falls back, so that alerts begin and end all the time.
Event time is a past session's, moved onto the wall clock of the run.
"""

from collections.abc import Callable
from pathlib import Path
from time import sleep, time

import numpy as np
from confluent_kafka import KafkaError, Message, Producer

from config.settings import Settings
from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE
from streams.decoding.frames import encode_quotes
from streams.records import NS, Quotes
from tests.benchmarks.load import ROWS, START, Chain, heartbeat, symbols
from tests.support.fleet import Fleet

PARTITIONS = 4
STEPS = 10
"""Publications a second."""
HALF_CYCLE = 4
"""Seconds of calm, and of shock."""
SHOCK = 1.08
"""Ratio of index vols.

More would move the correlation of these names by what the spike gate holds back.
"""
HEADERS = [("content-type", HEARTBEAT_CONTENT_TYPE.encode())]


class Feed:
    """Publishes in step with the wall clock."""

    def __init__(
        self, settings: Settings, bootstrap_servers: str, names: int, quotes_a_second: int
    ) -> None:
        self._topics = Fleet(settings, "", Path()).topics
        self._producer = Producer(
            {"bootstrap.servers": bootstrap_servers, "linger.ms": 2, "acks": "all", "log_level": 0}
        )
        self._calm = [Chain.of(symbols(names)[p::PARTITIONS]) for p in range(PARTITIONS)]
        self._shocked = [Chain.of(symbols(names)[0::PARTITIONS], SHOCK), *self._calm[1:]]
        self._rows = max(1, quotes_a_second // STEPS // PARTITIONS)
        self._rng = np.random.default_rng(11)
        self.quotes = 0
        self.begun = 0.0
        """Wall time of event time `START`."""
        self.late: list[float] = []
        """Seconds, of each publication and heartbeat."""
        self.acknowledged: list[float] = []
        """Seconds from a heartbeat to the broker's acknowledgement."""

    def run(self, seconds: int, followed: Callable[[], bool] = lambda: True) -> None:
        """Quote every contract, then go on for so many seconds.

        Raises `AssertionError` once nobody follows any more.
        """
        for p, chain in enumerate(self._calm):
            for quotes in chain.all(START):
                self._send(p, quotes)
        self._beat(START)
        self._producer.flush(60)
        sleep(2.0)
        self.begun, self.quotes = time(), 0
        self.acknowledged.clear()
        for second in range(seconds):
            assert followed(), f"nobody follows the feed after {second} s"
            chains = self._shocked if second // HALF_CYCLE % 2 else self._calm
            for step in range(STEPS):
                self._wait(second + step / STEPS)
                self._step(chains, START + second * NS + (step * NS) // STEPS + 1, first=step == 0)
            self._wait(second + 1)
            self._beat(START + (second + 1) * NS)
        self._producer.flush(60)

    def _wait(self, second: float) -> None:
        due = self.begun + second
        self.late.append(max(0.0, time() - due))
        # The client says how long an acknowledgement took when it is polled, not when it came.
        while (ahead := due - time()) > 0:
            self._producer.poll(ahead)

    def _step(self, chains: list[Chain], ts: int, *, first: bool) -> None:
        for p, chain in enumerate(chains):
            rows = self._rng.integers(0, len(chain.code), self._rows)
            if p == 0 and first:  # an index quotes all its strikes in a second
                rows = np.concatenate([np.flatnonzero(chain.code == 0), rows])
            for at in range(0, rows.size, ROWS):
                self._send(p, chain.quotes(rows[at : at + ROWS], ts))
        self._producer.poll(0)

    def _send(self, partition: int, quotes: Quotes) -> None:
        self.quotes += len(quotes.strike)
        self._producer.produce(
            self._topics.name("quotes"), encode_quotes(quotes), partition=partition
        )

    def _beat(self, ts: int) -> None:
        for p in range(PARTITIONS):
            self._producer.produce(
                self._topics.name("quotes"),
                heartbeat(ts),
                partition=p,
                headers=HEADERS,
                on_delivery=self._stored,
            )
        self._producer.produce(
            self._topics.name("ticks"), heartbeat(ts), partition=0, headers=HEADERS
        )
        self._producer.poll(0)

    def _stored(self, error: KafkaError | None, message: Message) -> None:
        assert error is None, error
        self.acknowledged.append(message.latency())
