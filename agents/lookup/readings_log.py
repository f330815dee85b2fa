"""Looking up past readings of one index on the readings topic, by event time.

An index has one partition, and its event time rises with the offset there. (A repeat after a crash
falls back and rises again over the same readings.) So a time is found by halving: about twenty
fetches.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Self

import msgspec
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_failures, kafka_python_options, no_topic
from agents.process.call_timeout import call_within
from agents.process.exits import UnavailableError
from config.connections import kafka_place
from config.settings import Settings
from streams.detection.own_reading import own_reading
from streams.framing.partitioner import partition_of
from streams.reading import Reading
from streams.refusals.dead_letters import RejectedRecordError
from streams.topics import Topics

FETCH_BYTES = 2**20
"""A search looks at one record a fetch; Kafka gives out a greater one all the same."""
POLL_MS = 1_000
SILENCE = 4
"""Empty polls in a row, before the end, after which Kafka is taken to be down."""
STEP = 64
"""Records looked at first when the latest reading is searched from the end.

Then four times as many, and so on.
"""


class _Head(msgspec.Struct):
    """As much of a reading as a search needs."""

    ts_event: datetime
    index: str
    tenor: str


class ReadingsLog:
    """The readings of one index and tenor as they stand on the topic; a context manager."""

    def __init__(self, settings: Settings, index: str, tenor: str) -> None:
        self._settings = settings
        self._index = index
        self._tenor = tenor
        topic = Topics(settings.kafka.topic_prefix).name("readings")
        with kafka_failures(settings):
            call_within(kafka_place(settings.kafka), lambda: self._open(topic))

    def _open(self, topic: str) -> None:
        self._consumer: Any = KafkaConsumer(
            **kafka_python_options(self._settings),
            allow_auto_create_topics=False,
            auto_offset_reset="earliest",
            check_crcs=self._settings.kafka.check_crcs,
            enable_auto_commit=False,
            group_id=None,
            max_partition_fetch_bytes=FETCH_BYTES,
        )
        try:
            self._tp = self._assign(topic)
            self._first: int = self._consumer.beginning_offsets([self._tp])[self._tp]
            self._end: int = self._consumer.end_offsets([self._tp])[self._tp]
        except BaseException:
            self._consumer.close()
            raise

    def _assign(self, topic: str) -> TopicPartition:
        count = len(self._consumer.partitions_for_topic(topic) or ())
        if not count:
            raise no_topic(self._settings.kafka, topic)
        self.partition = partition_of(self._index, count)
        found = TopicPartition(topic, self.partition)
        self._consumer.assign([found])
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def latest(self, until: datetime | None = None) -> Reading | None:
        """The last reading at or before a time, or of all; None without one.

        Raises `UnavailableError`, `ActionNeededError`.
        """
        end = self._end if until is None else self._after(until)
        step = STEP
        while end > self._first:
            start = max(self._first, end - step)
            found = [
                reading
                for reading in self._read(start, end)
                if until is None or reading.ts_event <= until
            ]
            if found:
                return found[-1]
            end, step = start, 4 * step
        return None

    def between(self, after: datetime, until: datetime) -> Iterator[Reading]:
        """Readings after one time up to another, repeats included.

        Raises `UnavailableError`, `ActionNeededError`.
        """
        for reading in self._read(self._after(after), self._after(until)):
            if after < reading.ts_event <= until:
                yield reading

    def _after(self, when: datetime) -> int:
        """An offset with nothing later before it, and everything later behind it."""
        low, high = self._first, self._end
        while low < high:
            middle = (low + high) // 2
            found = next(self._numbered(middle, high), None)
            if found is None or found[2].ts_event > when:
                high = middle
            else:
                low = found[0] + 1
        return low

    def _read(self, start: int, end: int) -> Iterator[Reading]:
        for _, value, _head in self._numbered(start, end):
            try:
                yield own_reading(value, {self._index})
            except RejectedRecordError:
                # Its head is like ours, and nothing else.
                continue

    def _numbered(self, start: int, end: int) -> Iterator[tuple[int, bytes, _Head]]:
        """The index's readings from one offset to before another: offset, value and head."""
        if start >= end:
            return
        with kafka_failures(self._settings, "Read"):
            self._consumer.seek(self._tp, start)
            silent = 0
            while self._consumer.position(self._tp) < end:
                records = self._consumer.poll(timeout_ms=POLL_MS).get(self._tp, [])
                silent = 0 if records else silent + 1
                if silent > SILENCE:
                    raise UnavailableError(
                        f"Kafka does not give out the records of {self._tp.topic}; "
                        "see `dispersion doctor`"
                    )
                for record in records:
                    head = _head(record.value or b"") if record.offset < end else None
                    if head is not None and (head.index, head.tenor) == (self._index, self._tenor):
                        yield record.offset, record.value, head


def _head(value: bytes) -> _Head | None:
    try:
        head = _decoder.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if head.ts_event.tzinfo is None else head


_decoder = msgspec.json.Decoder(_Head)
