"""kafka-python's producer, made anew once Kafka has refused it a record.

It numbers its records, so that none is stored twice. A record that is refused leaves its number
open, and kafka-python takes nothing more from then on.
"""

from typing import Any

from kafka import KafkaProducer

from agents.kafka.client import kafka_failures, kafka_python_options
from config.settings import Settings


class RenewableProducer:
    """A producer of one process, and its successor after each refusal."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        """Connect. `options` are kafka-python's, beside how Kafka is reached.

        Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
        """
        self._settings = settings
        self._options = options
        self._producer: Any = None
        self.current()

    def current(self) -> Any:
        """The producer that takes records now. Raises as the constructor."""
        if self._producer is None:
            with kafka_failures(self._settings):
                self._producer = KafkaProducer(
                    **kafka_python_options(self._settings),
                    acks="all",
                    allow_auto_create_topics=False,
                    **self._options,
                )
        return self._producer

    def drop(self, seconds: float) -> None:
        """Disconnect at once: what is not acknowledged yet is given up.

        The next record connects anew.
        """
        # The public close waits, and fails, for what cannot be sent.
        if self._producer is not None and (sender := self._producer._sender) is not None:  # noqa: SLF001
            sender.force_close()
        self.close(seconds)

    def close(self, seconds: float) -> None:
        """Disconnect, once what was sent is acknowledged; it may be called twice."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=seconds)
