"""Publishing input: quotes and ticks as frames, and records as they are, in order.

Every failure is brought to the caller.
"""

import threading
from collections.abc import Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

from kafka.errors import KafkaError

from agents.kafka.client import kafka_failures
from agents.kafka.renewable_producer import RenewableProducer
from config.settings import Settings
from streams.framing.partitioner import partition_of
from streams.stage import Message, Role
from streams.topics import Topics

if TYPE_CHECKING:
    from streams.framing.framing import Framer, Options
    from streams.records import Ticks

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


class _InFlight:
    """What one connection has sent and not settled yet."""

    def __init__(self) -> None:
        self.size = 0
        self.failure: BaseException | None = None


class FramePublisher:
    """A synchronous producer of one process; a context manager that flushes on a clean exit.

    `add` is for quotes and ticks: they leave in frames, those of an underlying or a symbol on one
    partition. `publish` is for records that are made. Both return at once while less than
    `IN_FLIGHT_BYTES` wait for their acknowledgement. A record that Kafka refuses, or does not take
    in time, is raised by the next call; nothing is dropped in silence. What was not acknowledged by
    then is given up together with it, and what is published after that is sent as ever.
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
        self._in_flight = _InFlight()
        # Made at the first quotes: numpy and pandas take a second to import.
        self._framer: Framer | None = None
        self._framed = 0.0
        self._ticks = 0
        self._connection = RenewableProducer(
            settings,
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
            return len(self._connection.current().partitions_for(self._topics.name(role)))

    def add(self, items: "Options | Ticks") -> None:
        """Gather quotes, or vols, into frames; ticks are framed at once.

        What waits leaves with a later call, or with `flush`.

        Raises `ActionNeededError`, `UnavailableError`.

        Their `record_ts` is not looked at: Kafka says when a frame was published.
        """
        from streams.framing.tick_frames import tick_frames
        from streams.records import Ticks

        if isinstance(items, Ticks):
            self._send_frames(list(tick_frames(items, self._tick_partitions(), partition_of)))
            return
        framer = self._framing()
        if not framer.waiting:
            self._framed = monotonic()
        late = monotonic() - self._framed >= FRAME_SECONDS
        self._send_frames([*framer.add(items), *(framer.flush() if late else ())])

    def beat(self, ts_event: int, roles: Sequence[Role] = ("quotes", "ticks")) -> None:
        """Frame what waits, and make a promise on every partition of both input topics.

        The promise is that nothing at or before a time (ns) will follow. Whoever publishes to one
        of the topics alone names it in `roles`.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        if "quotes" in roles:
            self._send_frames(self._framing().beat(ts_event))
        if "ticks" in roles:
            self._send_frames(_beats(ts_event, self._tick_partitions()))

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
        waiting = self._in_flight
        with kafka_failures(self._settings):
            try:
                future = self._connection.current().send(
                    self._topics.name(message.role),
                    message.value,
                    key=message.key,
                    headers=list(message.headers),
                    partition=message.partition,
                    timestamp_ms=message.timestamp,
                )
            except BaseException:
                self._settle(waiting, size)
                raise
        future.add_callback(lambda _: self._settle(waiting, size))
        future.add_errback(lambda error: self._settle(waiting, size, error))

    def flush(self) -> None:
        """Wait until everything added and sent is acknowledged.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        if self._framer is not None:
            self._send_frames(self._framer.flush())
        with kafka_failures(self._settings):
            self._connection.current().flush(timeout=self._delivery_seconds)
        # The client wakes us before it has told all callbacks.
        with self._change:
            self._change.wait_for(lambda: not self._in_flight.size, timeout=self._delivery_seconds)
        self._raise_failure()

    def close(self, *, flush: bool = True) -> None:
        """Flush and disconnect; without `flush`, drop what is still unsent.

        Raises what `flush` raises, disconnected all the same.
        """
        try:
            if flush:
                self.flush()
        finally:
            if self._in_flight.size:
                self._connection.drop(CLOSE_SECONDS)
            else:
                self._connection.close(CLOSE_SECONDS)

    def _framing(self) -> "Framer":
        from streams.framing.framing import Framer

        self._framer = self._framer or Framer(self.partitions("quotes"), partition_of)
        return self._framer

    def _tick_partitions(self) -> int:
        self._ticks = self._ticks or self.partitions("ticks")
        return self._ticks

    def _send_frames(self, frames: Sequence[Message]) -> None:
        for frame in frames:
            self.publish_message(frame._replace(timestamp=None))

    def _reserve(self, size: int) -> None:
        waiting = self._in_flight
        with self._change:
            self._change.wait_for(
                lambda: (
                    waiting.failure or not waiting.size or waiting.size + size <= IN_FLIGHT_BYTES
                )
            )
        self._raise_failure()
        with self._change:
            waiting.size += size

    def _settle(self, waiting: _InFlight, size: int, error: Any = None) -> None:
        with self._change:
            waiting.size -= size
            waiting.failure = waiting.failure or error
            self._change.notify_all()

    def _raise_failure(self) -> None:
        failure = self._in_flight.failure
        if failure is None:
            return
        self._in_flight = _InFlight()
        self._connection.drop(CLOSE_SECONDS)
        with kafka_failures(self._settings, "Write"):
            raise failure if isinstance(failure, KafkaError) else KafkaError(str(failure))


def _beats(ts_event: int, partitions: int) -> list[Message]:
    from streams.framing.framing import BEAT_HEADERS, beat_value

    value = beat_value(ts_event)
    return [Message("ticks", None, value, BEAT_HEADERS, place) for place in range(partitions)]
