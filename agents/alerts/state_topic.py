"""The compacted topic of alert states, read whole and then followed.

It is the memory of everybody who comes late.
"""

from datetime import UTC, datetime
from time import time
from typing import Any, NamedTuple

from agents.alerts.foreign_records import ForeignRecords, RecordAddress
from agents.alerts.tail import assigned
from agents.kafka.client import kafka_failures
from config.settings import Settings
from streams.detection.alerts.alert_event import AlertEvent
from streams.detection.alerts.own_event import ForeignEventError, readable_event
from streams.topics import Topics

RECONNECT_MS = 2_000


class StateRecord(NamedTuple):
    """The latest event of one alert, or None: it is forgotten."""

    partition: int
    key: bytes
    value: bytes | None
    published: datetime
    event: AlertEvent | None


class StateTopic:
    """All partitions from the beginning; in no group, so any number of readers may look."""

    def __init__(self, settings: Settings, foreign: ForeignRecords | None = None) -> None:
        """Connect; records that are not ours are told to `foreign`.

        Raises `ConfigError`, `ActionNeededError`, `UnavailableError`.
        An outage later is waited for.
        """
        self._settings = settings
        self._foreign = ForeignRecords() if foreign is None else foreign
        name = Topics(settings.kafka.topic_prefix).name("alerts_state")
        with kafka_failures(settings):
            self._consumer, self._ends = assigned(
                settings, name, from_beginning=True, reconnect_backoff_max_ms=RECONNECT_MS
            )

    @property
    def read(self) -> bool:
        """Whether everything is read that was there at the start.

        Before that, a state may be an old one.
        """
        return all(
            self._consumer.position(partition) >= end for partition, end in self._ends.items()
        )

    def poll(self, seconds: float) -> list[StateRecord]:
        """What has come, in order of each alert; empty after some time, and while Kafka is away.

        Raises `ActionNeededError` where the topic may be seen but not read.
        A fetch is the first to be told.
        """
        with kafka_failures(self._settings, "Read"):
            batches = self._consumer.poll(timeout_ms=int(seconds * 1000))
        return [
            state
            for batch in batches.values()
            for record in batch
            if (state := self._state(record)) is not None
        ]

    def _state(self, record: Any) -> StateRecord | None:
        """A record of ours; what is foreign leaves what stood under its key."""
        place = RecordAddress(record.topic, record.partition, record.offset)
        if record.key is None:
            self._foreign.saw(place, "key", "a record without a key")
            return None
        try:
            event = None if record.value is None else readable_event(record.key, record.value)
        except ForeignEventError as problem:
            self._foreign.saw(place, problem.reason, str(problem))
            return None
        published = datetime.fromtimestamp(min(max(0, record.timestamp) / 1000, time()), UTC)
        return StateRecord(record.partition, record.key, record.value, published, event)

    def check(self, seconds: float) -> None:
        """Raise `ActionNeededError` or `UnavailableError` when Kafka does not answer in time."""
        with kafka_failures(self._settings):
            self._consumer.end_offsets(list(self._ends), timeout_ms=int(seconds * 1000))

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
