"""The topic of reports: which there are, and one more.

Its records have the id of a report as their key. An id is of an index, a session and a mode, so who
finds it there does not publish again. What a killed process had sent stands there long before its
successor looks.
"""

from typing import Any, Self

import msgspec

from agents.alerts.tail import assigned
from agents.kafka.client import kafka_failures
from agents.kafka.frame_publisher import FramePublisher
from agents.process.exits import UnavailableError
from config.settings import Settings
from streams.framing.partitioner import partition_of
from streams.report.document import Report, encode_report
from streams.stage import Message
from streams.topics import Topics

POLL_MS = 500
SILENCE = 10
"""Empty polls in a row, before the end, after which Kafka is taken to be down."""
DELIVERY_SECONDS = 20.0
CONTENT_TYPE = (("content-type", b"application/json"),)


class _ReportHead(msgspec.Struct):
    id: str


class ReportsTopic:
    """All partitions, read to their present ends; a context manager."""

    def __init__(self, settings: Settings) -> None:
        """Connect. Raises `ConfigError`, `ActionNeededError`, `UnavailableError`."""
        self._settings = settings
        self._ids: set[str] = set()
        name = Topics(settings.kafka.topic_prefix).name("reports")
        with kafka_failures(settings, f"Read on {name}"):
            self._consumer, ends = assigned(settings, name, from_beginning=True)
        self._places = list(ends)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def has(self, report: str) -> bool:
        """Whether a report is there, by its id.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        self._catch_up()
        return report in self._ids

    def publish(self, report: Report) -> None:
        """Publish a report; it is stored once this returns.

        Raises `ActionNeededError`, `UnavailableError`.
        """
        place = partition_of(report.index, len(self._places))
        with FramePublisher(self._settings, delivery_seconds=DELIVERY_SECONDS) as publisher:
            key, value = report.id.encode(), encode_report(report)
            publisher.publish_message(Message("reports", key, value, CONTENT_TYPE, place))

    def _catch_up(self) -> None:
        with kafka_failures(self._settings, "Read"):
            ends = self._consumer.end_offsets(self._places)
            silent = 0
            while any(self._consumer.position(place) < end for place, end in ends.items()):
                batches = self._consumer.poll(timeout_ms=POLL_MS)
                silent = 0 if batches else silent + 1
                if silent > SILENCE:
                    raise UnavailableError(
                        "Kafka does not give out the reports; see `dispersion doctor`"
                    )
                self._take(record for batch in batches.values() for record in batch)

    def _take(self, records: Any) -> None:
        """What is no report of ours, by its key, says nothing of ours."""
        for record in records:
            try:
                head = _decoder.decode(record.value or b"")
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue
            if record.key == head.id.encode():
                self._ids.add(head.id)


_decoder = msgspec.json.Decoder(_ReportHead)
