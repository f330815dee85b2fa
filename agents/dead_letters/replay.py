"""Mended records sent again: judged, marked, and published on the topic that they came from.

They are judged as their stage will judge them.
"""

from collections.abc import Mapping, Sequence
from time import time
from typing import Any, Self

from kafka.errors import (
    InvalidRecordError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from agents.kafka.client import kafka_failures
from agents.kafka.renewable_producer import RenewableProducer
from agents.process.exits import UnavailableError
from config.market import market_of
from config.settings import Settings
from streams.decoding.codec import Limits, decode_quotes, decode_ticks
from streams.detection.alerts.commands import decode_command, stamped
from streams.records import InputRecord, Malformed
from streams.refusals.dead_letter_records import DeadLetter, marker_headers, replay_headers
from streams.refusals.dead_letters import RejectedRecordError
from streams.stage import Role
from streams.topics import Topics

INPUTS: tuple[Role, ...] = ("quotes", "ticks", "commands")
"""Topics that others write."""
ANSWER_SECONDS = 10.0
CLOSE_SECONDS = 2.0
REFUSED_RECORD = (
    InvalidRecordError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)
"""What Kafka says of one record, and not of whoever sends it."""


class ReplayCheck:
    """Says of a letter why it cannot be sent again, under the present settings."""

    def __init__(
        self,
        settings: Settings,
        sent: set[tuple[str, str]],
        mended: Mapping[str, bytes],
        *,
        again: bool,
    ) -> None:
        """`sent` are the identities of what was sent again already.

        `mended` are values by original place.
        """
        self._settings = settings
        self._sent = set(sent)
        self._mended = mended
        self._again = again
        self._topics = Topics(settings.kafka.topic_prefix)
        self._market = market_of(settings)
        self._seen: set[tuple[str, str]] = set()

    def value(self, letter: DeadLetter) -> bytes:
        """What to send: the mended value, or else the letter's own."""
        return self._mended.get(str(letter.original), letter.value)

    def objection(self, letter: DeadLetter) -> str:
        """Why not, and what to do; empty when it may be sent.

        A letter is judged once: its repeat is refused.
        """
        if letter.identity in self._seen:
            return "the same record was refused twice; once is enough"
        self._seen.add(letter.identity)
        if letter.identity in self._sent and not self._again:
            return "it was sent again before, or its sending was begun; --again sends it once more"
        role = self._role(letter.original.topic)
        if role is None:
            return "its topic is no input of ours; mend what is sent to the inputs"
        if str(letter.original) not in self._mended and letter.incomplete:
            return f"{letter.incomplete}; give its whole value with --mended"
        refused = self._refused(letter, role)
        return f"it would be refused again, {refused}; mend it" if refused else ""

    def _role(self, topic: str) -> Role | None:
        if topic and topic == self._settings.ingest.topic:
            return "quotes"
        role = self._topics.role_of(topic)
        return role if role in INPUTS else None

    def _refused(self, letter: DeadLetter, role: Role) -> str:
        now = int(time() * 1000)
        headers = replay_headers(letter)
        value = self.value(letter)
        record = InputRecord(*letter.original, now, letter.key, value, tuple(headers))
        if role == "commands":
            return self._refused_command(value, now)
        limits = Limits(
            self._settings.kafka.max_message_bytes, ahead_seconds=self._market.future_tolerance
        )
        items: Sequence[Any] = (
            list(decode_quotes([record], limits))
            if role == "quotes"
            else list(decode_ticks([record], self._market.reference_symbols, limits))
        )
        problems = (f"{one.reason}: {one.message}" for one in items if isinstance(one, Malformed))
        return next(problems, "")

    def _refused_command(self, value: bytes, now: int) -> str:
        try:
            command = stamped(decode_command(value), now).command
        except RejectedRecordError as refusal:
            return f"{refusal.reason}: {refusal}"
        known = {index.symbol for index in self._market.indices}
        return "" if command.index in known else f"unknown_index: {command.index}"


class LetterSender:
    """Publishes letters again, one after the other.

    The marker comes first, so that none is sent twice by accident.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect. Raises `ConfigError`, `ActionNeededError`, `UnavailableError`."""
        self._settings = settings
        self._dead_letters = Topics(settings.kafka.topic_prefix).name("dead_letters")
        self._connection = RenewableProducer(
            settings,
            delivery_timeout_ms=int(ANSWER_SECONDS * 1000),
            linger_ms=0,
            max_block_ms=int(ANSWER_SECONDS * 1000),
            max_request_size=settings.kafka.max_message_bytes + 65_536,
            request_timeout_ms=int(ANSWER_SECONDS * 500),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close(CLOSE_SECONDS)

    def send(self, letter: DeadLetter, value: bytes) -> str:
        """To its topic and partition, with its key and headers.

        Returns why Kafka does not take this record, and what to do; empty when it is stored.

        Raises `ActionNeededError`, `UnavailableError`; a marker may stand by then.
        """
        own, (topic, partition, _) = letter.own.partition, letter.original
        refused = self._publish(self._dead_letters, b"", None, marker_headers(letter), own)
        if refused:
            return refused
        try:
            return self._publish(topic, value, letter.key, replay_headers(letter), partition)
        except UnavailableError as down:
            begun = f"{letter.original} may not have been sent: look, then replay it with --again"
            raise UnavailableError(f"{begun}; {down}") from down

    def _publish(
        self,
        topic: str,
        value: bytes,
        key: bytes | None,
        headers: list[tuple[str, bytes]],
        partition: int,
    ) -> str:
        producer = self._connection.current()
        with kafka_failures(self._settings, "Write"):
            try:
                sent = producer.send(topic, value, key=key, headers=headers, partition=partition)
                sent.get(timeout=ANSWER_SECONDS)
            except REFUSED_RECORD as refusal:
                self._connection.drop(CLOSE_SECONDS)
                return (
                    f"{topic} does not take it ({type(refusal).__name__}): mend it with --mended, "
                    f"or raise the topic's max.message.bytes; then replay it with --again"
                )
        return ""
