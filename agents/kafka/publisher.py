"""Publishing: send in order, gather the acknowledgements, lose none and hide no failure."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka.errors import (
    BrokerResponseError,
    InvalidTimestampError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownProducerId,
)

from agents.process.release_deadline import Deadline
from streams.stage import Message
from streams.topics import Topics

IN_FLIGHT = 2_000
"""Unacknowledged messages of one partition runner, at most."""
PAUSE = 0.1
LOOK = 0.5
"""Seconds between looks at the deadline while acknowledgements are out."""

Partitioner = Callable[[str, bytes | None], int | None]


class Producer(Protocol):
    """Faust's producer, as far as we use it.

    A failure to accept a message has Kafka's own error as its cause.
    """

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
    ) -> Awaitable[Any]:
        """Accept a message into the buffer.

        The answer resolves when the broker has acknowledged it.
        """


class PublishError(RuntimeError):
    """The broker refused a message for good: nothing that depends on it may be committed."""


class RefusedMessageError(PublishError):
    """The broker will never take the message as its topic stands: a person must act."""


class LogLostError(PublishError):
    """The broker has lost what it had acknowledged.

    Its disk was set back, or a topic was made anew. A new producer can go on.
    """


LOST = (OutOfOrderSequenceNumber, UnknownProducerId)
"""What the broker answers an idempotent producer whose last records it does not know."""

_TOO_LARGE = "raise its max.message.bytes to kafka.max_message_bytes, or kafka.max_message_bytes"
ADVICE: Mapping[type[BrokerResponseError], str] = {
    MessageSizeTooLargeError: _TOO_LARGE,
    RecordListTooLargeError: _TOO_LARGE,
    InvalidTimestampError: (
        "compare the clocks, or widen its message.timestamp.before.max.ms and after.max.ms"
    ),
    TopicAuthorizationFailedError: "grant Write on it",
}
"""What to do about a topic that does not take a message."""


class Publisher:
    """The outgoing side of one partition runner.

    The idempotent producer keeps the order within a topic partition. A message once accepted is
    retried by the producer until it is stored, so waiting is all that is left to do here.
    """

    def __init__(
        self,
        producer: Producer,
        topics: Topics,
        deadline: Deadline,
        published: Callable[[str, int], None],
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        """With a clock (`now_ms`), a message whose own time has passed is dated when published."""
        self._producer = producer
        self._topics = topics
        self._deadline = deadline
        self._published = published
        self._now_ms = now_ms
        self._pending: dict[asyncio.Future[Any], str] = {}
        self.waiting = False
        """Acknowledgements have been out for more than a look."""

    async def send(self, messages: Sequence[Message]) -> None:
        """Hand messages to the producer; returns before they are acknowledged.

        Raises `DeadlineExceededError` or `PublishError`.
        """
        for message in messages:
            if len(self._pending) >= IN_FLIGHT:
                await self.drain()
            topic = self._topics.name(message.role)
            self._pending[await self._accepted(topic, message)] = topic
            self._published(topic, 1)

    async def _accepted(self, topic: str, message: Message) -> "asyncio.Future[Any]":
        headers = list(message.headers) or None
        seconds = self._seconds(message)
        while True:
            try:
                answer = await self._producer.send(
                    topic, message.key, message.value, message.partition, seconds, headers
                )
            except Exception as error:
                if not isinstance(error.__cause__, KafkaTimeoutError):
                    raise _meaning(error, topic) from error
                # The buffer is full because the broker is away; the message was not taken.
                self.waiting = True
                await self._deadline.sleep(PAUSE)
            else:
                return asyncio.ensure_future(answer)

    def _seconds(self, message: Message) -> float | None:
        at = message.timestamp
        if at is None or (self._now_ms is not None and at <= self._now_ms()):
            return None
        return at / 1000

    async def drain(self) -> None:
        """Wait until the broker has acknowledged everything sent.

        Raises `DeadlineExceededError` or `PublishError`.
        """
        pending = self._pending
        while pending:
            left = self._deadline.left()
            done, late = await asyncio.wait(
                pending, timeout=LOOK if left is None else min(LOOK, left)
            )
            self._raise_failure(done)
            self._pending = pending = {future: pending[future] for future in late}
            self.waiting = bool(pending)
            if pending:
                self._deadline.check()
        self.waiting = False

    def _raise_failure(self, done: Iterable["asyncio.Future[Any]"]) -> None:
        """What was refused goes first: the broker then knows none of the numbers behind it."""
        failures = [(error, self._pending[one]) for one in done if (error := one.exception())]
        if failures:
            error, topic = min(failures, key=lambda failure: isinstance(failure[0], LOST))
            raise _meaning(error, topic) from error


def _meaning(error: BaseException, topic: str) -> PublishError:
    if isinstance(error, LOST):
        return LogLostError(
            f"the broker has lost records that it had acknowledged ({error!r}): "
            "its disk was set back, or a topic was made anew. "
            "What was not published yet follows at the next start; "
            "what the broker lost is gone for whoever has not read it"
        )
    cause = error if isinstance(error, BrokerResponseError) else error.__cause__
    if isinstance(cause, BrokerResponseError):
        advice = ADVICE.get(type(cause), "see its settings on the broker")
        return RefusedMessageError(f"{topic} does not take a message ({cause!r}): {advice}")
    return PublishError(f"cannot publish to {topic}: {error!r}")
