"""Ends of the logs of the stages' inputs, asked of Kafka in a thread of its own.

A scrape reads what was told last and never waits for Kafka.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from time import monotonic
from typing import Any

from agents.transport.assignment import Partition
from config.settings import Settings

PERIOD_SECONDS = 1.0
SILENT_SECONDS = 5.0
"""How long Kafka may leave a question unanswered before it counts as away."""
BOOTSTRAP_MS = 2_000
METADATA_MS = 30_000
"""How old the number of partitions may be."""
SAID_EVERY = 60.0
"""Seconds between log lines on a Kafka that does not answer."""
RECONNECT_MS = 2_000
"""At most between tries, so that a Kafka that is back is told soon."""
STOP_SECONDS = 5.0

log = logging.getLogger(__name__)


class LogEnds:
    """Follows the ends of some topics' logs until stopped."""

    def __init__(self, settings: Settings, topics: Sequence[str]) -> None:
        self._settings = settings
        self._topics = topics
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-ends", daemon=True)
        self._consumer: Any = None
        self._ends: Mapping[Partition, int] = {}
        self._answered = -SILENT_SECONDS
        self._said = -SAID_EVERY

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """End; a question that hangs is left behind, without its connections."""
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)
        if self._thread.is_alive() and self._consumer is not None:
            # Its thread may close it at the same moment.
            with suppress(RuntimeError):
                self._consumer.close()

    @property
    def up(self) -> bool:
        """Whether Kafka has answered of late."""
        return monotonic() - self._answered < SILENT_SECONDS

    @property
    def ends(self) -> Mapping[Partition, int]:
        """Next offset of each log; nothing while Kafka is away, for what it said then is old."""
        return self._ends if self.up else {}

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self._follow()
            except Exception as problem:  # noqa: BLE001 - without this thread Kafka would be away for ever
                self._tell(problem)
            self._over.wait(PERIOD_SECONDS)

    def _follow(self) -> None:
        """Ask on one connection until it fails.

        Raises `UnavailableError`, `ActionNeededError`, `ConfigError`.
        """
        from kafka import KafkaConsumer

        from agents.kafka.client import kafka_failures, kafka_python_options
        from agents.kafka.net_client import reach

        options: dict[str, Any] = {
            **kafka_python_options(self._settings),
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            "metadata_max_age_ms": METADATA_MS,
            "reconnect_backoff_max_ms": RECONNECT_MS,
        }
        with kafka_failures(self._settings), closing(KafkaConsumer(**options)) as consumer:
            self._consumer = consumer
            reach(consumer, BOOTSTRAP_MS)
            while not self._over.is_set():
                self._ask(consumer)
                self._over.wait(PERIOD_SECONDS)

    def _ask(self, consumer: Any) -> None:
        from agents.monitoring.partition_ends import ends_of, partitions_of

        partitions = partitions_of(consumer, self._topics)
        by_topic = ends_of(consumer, partitions)
        # No answer on any topic is no answer.
        if by_topic or not partitions:
            self._ends = {
                Partition(log.topic, log.partition): end
                for ends in by_topic.values()
                for log, end in ends.items()
            }
            self._answered = monotonic()

    def _tell(self, problem: Exception) -> None:
        if monotonic() - self._said >= SAID_EVERY:
            self._said = monotonic()
            log.warning("%s; how much input waits is not known until it answers", problem)
