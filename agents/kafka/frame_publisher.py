"""Publishing input: quotes as frames, and records as they are, in order.

Every failure is brought to the caller.
"""

import threading
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError

from agents.kafka.client import kafka_failures, kafka_python_options
from config.settings import Settings
from streams.framing.partitioner import partition_of
from streams.stage import Message, Role
from streams.topics import Topics

if TYPE_CHECKING:
    from streams.framing.framing import Framer, Options

LINGER_MS = 20
"""Records of this span share a batch.

The embedded broker hands out one batch a fetch, whatever its size.
"""
BATCH_BYTES = 256 * 1024
IN_FLIGHT_BYTES = 32 * 2**20
"""Unacknowledged bytes, at most: the client itself knows no bound."""
DELIVERY_SECONDS = 120.0
"""How long a record is retried before the publisher gives up."""
CLOSE_SECONDS = 10.0
FRAME_SECONDS = 0.1
"""How long added quotes wait for their frame to fill, if they are followed by others."""


class FramePublisher:
    """A synchronous producer of one process; a context manager that flushes on a clean exit.

    `add` is for quotes: they leave in frames, those of an underlying on one partition. `publish` is
    for records that are made. Both return at once while less than `IN_FLIGHT_BYTES` wait for their
    acknowledgement. A record that Kafka refuses, or does not take in time, is raised by the next
    call; nothing is dropped in silence.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        delivery_seconds: float = DELIVERY_SECONDS,
        compression: str | None = None,
    ) -> None:
        """Connect. `compression` is Kafka's (`gzip`, `lz4`, …).

        Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
        """
        self._settings = settings
        self._topics = Topics(settings.kafka.topic_prefix)
        self._delivery_seconds = delivery_seconds
        self._change = threading.Condition()
        self._in_flight = 0
        self._failure: BaseException | None = None
        # Made at the first quotes: numpy and pandas take a second to import.
        self._framer: Framer | None = None
        self._framed = 0.0
        with kafka_failures(settings):
            self._producer = KafkaProducer(
                **kafka_python_options(settings),
                acks="all",
                allow_auto_create_topics=False,
                batch_size=BATCH_BYTES,
                compression_type=compression,
                delivery_timeout_ms=int(delivery_seconds * 1000),
                linger_ms=LINGER_MS,
                max_block_ms=int(delivery_seconds * 1000),
                # A retried batch must not be overtaken: event time is the order of records.
                max_in_flight_requests_per_connection=1,
                max_request_size=settings.kafka.max_message_bytes,
                request_timeout_ms=int(min(30.0, delivery_seconds / 2) * 1000),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close(flush=kind is None)

    def partitions(self, role: Role) -> int:
        """Partitions of a topic. Raises `UnavailableError` while Kafka does not know it."""
        with kafka_failures(self._settings):
            return len(self._producer.partitions_for(self._topics.name(role)))

    def add(self, options: "Options") -> None:
        """Gather quotes, or vols, into frames.

        What waits leaves with a later call, or with `flush`.

        Raises `ActionNeededError`, `UnavailableError`.

        Their `record_ts` is not looked at: Kafka says when a frame was published.
        """
        framer = self._framing()
        if not framer.waiting:
            self._framed = monotonic()
        late = monotonic() - self._framed >= FRAME_SECONDS
        self._send_frames([*framer.add(options), *(framer.flush() if late else ())])

    def beat(self, ts_event: int) -> None:
        """Frame what waits, and make a promise on every partition.

        The promise is that nothing at or before a time (ns) will follow.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        self._send_frames(self._framing().beat(ts_event))

    def publish(
        self,
        role: Role,
        key: str | None,
        value: bytes,
        *,
        partition: int | None = None,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Send one record; without `partition` the key decides by murmur2.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        self.publish_message(
            Message(role, None if key is None else key.encode(), value, tuple(headers), partition)
        )

    def publish_message(self, message: Message) -> None:
        """Send a message as a stage gave it out. Raises `ActionNeededError`, `UnavailableError`."""
        size = len(message.value or b"") + len(message.key or b"")
        self._reserve(size)
        with kafka_failures(self._settings):
            try:
                future = self._producer.send(
                    self._topics.name(message.role),
                    message.value,
                    key=message.key,
                    headers=list(message.headers),
                    partition=message.partition,
                    timestamp_ms=message.timestamp,
                )
            except BaseException:
                self._settle(size)
                raise
        future.add_callback(lambda _: self._settle(size))
        future.add_errback(lambda error: self._settle(size, error))

    def flush(self) -> None:
        """Wait until everything added and sent is acknowledged.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        if self._framer is not None:
            self._send_frames(self._framer.flush())
        with kafka_failures(self._settings):
            self._producer.flush(timeout=self._delivery_seconds)
        # The client wakes us before it has told all callbacks.
        with self._change:
            self._change.wait_for(lambda: not self._in_flight, timeout=self._delivery_seconds)
        self._raise_failure()

    def close(self, *, flush: bool = True) -> None:
        """Flush and disconnect; without `flush`, drop what is still unsent.

        Raises what `flush` raises, disconnected all the same.
        """
        try:
            if flush:
                self.flush()
        finally:
            # The public close waits, and fails, for what cannot be sent.
            sender = self._producer._sender  # noqa: SLF001
            if self._in_flight and sender is not None:
                sender.force_close()
            self._producer.close(timeout=CLOSE_SECONDS)

    def _framing(self) -> "Framer":
        from streams.framing.framing import Framer

        self._framer = self._framer or Framer(self.partitions("quotes"), partition_of)
        return self._framer

    def _send_frames(self, frames: Sequence[Message]) -> None:
        for frame in frames:
            self.publish_message(frame._replace(timestamp=None))

    def _reserve(self, size: int) -> None:
        with self._change:
            self._change.wait_for(
                lambda: (
                    self._failure
                    or not self._in_flight
                    or self._in_flight + size <= IN_FLIGHT_BYTES
                )
            )
        self._raise_failure()
        with self._change:
            self._in_flight += size

    def _settle(self, size: int, error: Any = None) -> None:
        with self._change:
            self._in_flight -= size
            self._failure = self._failure or error
            self._change.notify_all()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            with kafka_failures(self._settings, "Write"):
                raise (
                    self._failure
                    if isinstance(self._failure, KafkaError)
                    else KafkaError(str(self._failure))
                )
