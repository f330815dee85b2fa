"""Reading the alerts topic as a subscriber does: every event once, in order within an index."""

from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable
from time import monotonic
from typing import Any, NamedTuple

from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.alerts.read_event import ReadEvent, read_event
from agents.kafka.client import kafka_failures, kafka_python_options, no_topic
from agents.process.call_timeout import CALL_SECONDS, call_within
from agents.process.exits import UnavailableError
from config.connections import kafka_place
from config.settings import Settings
from streams.topics import Topics

POLL_MS = 500
SILENT_SECONDS = 5.0
"""Without a record, after which Kafka is asked whether it is there."""
Outage = Callable[[UnavailableError | None], None]
KEPT_IDS = 10_000
"""Event ids kept to pass over a repeat.

The publisher repeats only what it sent shortly before a crash.
"""


class AlertRecord(NamedTuple):
    """One alert event as it stands on the topic."""

    partition: int
    offset: int
    published_ms: int
    """Unix milliseconds."""
    key: bytes | None
    """The fingerprint."""
    value: bytes
    """The CloudEvent, structured JSON, unchanged."""
    headers: dict[str, bytes]


class TailedEvent(NamedTuple):
    """A record that is an event of ours, and the event."""

    record: AlertRecord
    event: ReadEvent


def reader(settings: Settings, **options: Any) -> Any:
    """A consumer in no group, without partitions yet. Raises kafka-python's errors."""
    return KafkaConsumer(
        **kafka_python_options(settings),
        allow_auto_create_topics=False,
        auto_offset_reset="earliest",
        check_crcs=settings.kafka.check_crcs,
        enable_auto_commit=False,
        group_id=None,
        max_partition_fetch_bytes=settings.kafka.max_message_bytes,
        **options,
    )


def tail_alerts(
    settings: Settings,
    *,
    follow: bool = True,
    from_beginning: bool = False,
    partition: int | None = None,
    foreign: Callable[[AlertRecord], None] = lambda _: None,
    outage: Outage = lambda _: None,
) -> Generator[TailedEvent]:
    """Alert events of all partitions, those of one poll by time of publication.

    Closing the iterator disconnects. What is no event of ours is passed over: anybody who may
    write to the topic may have put it there.

    Args:
        settings: how to reach Kafka, and the topic prefix.
        follow: go on for ever; otherwise end at what was published when the reading began.
        from_beginning: start with the oldest event kept, not with the next one.
        partition: of this one alone.
        foreign: is told of each record that was passed over.
        outage: is called when Kafka does not answer, and with None when it does again; for who
            follows. Without `follow`, `UnavailableError` is raised.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka may not, or cannot, be used.
            An outage later is waited for.
    """
    topic = Topics(settings.kafka.topic_prefix).name("alerts")
    with kafka_failures(settings, "Read"):
        consumer, ends = assigned(
            settings, topic, from_beginning=from_beginning, partition=partition
        )
        outage_watch = OutageWatch(settings, consumer, ends, outage if follow else None)
        try:
            seen: OrderedDict[tuple[str, int], None] = OrderedDict()
            while follow or any(consumer.position(place) < end for place, end in ends.items()):
                alerts = poll_alerts(consumer)
                outage_watch.polled(something=bool(alerts))
                for alert in alerts:
                    if not follow and alert.offset >= ends[TopicPartition(topic, alert.partition)]:
                        continue
                    event = _event(alert)
                    if event is None:
                        foreign(alert)
                    elif not _repeated(alert, event, seen):
                        yield TailedEvent(alert, event)
        finally:
            consumer.close()


class OutageWatch:
    """Asks Kafka whether it is there when nothing comes."""

    def __init__(
        self,
        settings: Settings,
        consumer: Any,
        places: Iterable[TopicPartition],
        outage: Outage | None,
    ) -> None:
        """Without `outage`, one is raised."""
        self._settings = settings
        self._consumer = consumer
        self._places = list(places)
        self._outage = outage
        self._asked = monotonic()
        self._away = False

    def polled(self, *, something: bool) -> None:
        """A poll is over.

        Raises `UnavailableError`, `ActionNeededError` unless outages are told.
        """
        if not something and monotonic() - self._asked < SILENT_SECONDS:
            return
        down = None if something else self._down()
        self._asked = monotonic()
        if self._outage is not None and self._away != (down is not None):
            self._outage(down)
        self._away = down is not None

    def _down(self) -> UnavailableError | None:
        try:
            with kafka_failures(self._settings):
                self._consumer.end_offsets(self._places, timeout_ms=int(CALL_SECONDS * 1000))
        except UnavailableError as down:
            if self._outage is None:
                raise
            return down
        return None


def assigned(
    settings: Settings,
    topic: str,
    *,
    from_beginning: bool,
    partition: int | None = None,
    **options: Any,
) -> tuple[Any, dict[TopicPartition, int]]:
    """A consumer that has every partition of the topic, or one, and where each ends.

    Raises as `assign`, and `UnavailableError` in time.
    """
    return call_within(
        kafka_place(settings.kafka),
        lambda: _assigned(settings, topic, from_beginning, partition, options),
    )


def _assigned(
    settings: Settings,
    topic: str,
    from_beginning: bool,
    partition: int | None,
    options: dict[str, Any],
) -> tuple[Any, dict[TopicPartition, int]]:
    consumer = reader(settings, **options)
    try:
        return consumer, assign(
            consumer, settings, topic, from_beginning=from_beginning, partition=partition
        )
    except BaseException:
        consumer.close()
        raise


def assign(
    consumer: Any,
    settings: Settings,
    topic: str,
    *,
    from_beginning: bool,
    partition: int | None = None,
) -> dict[TopicPartition, int]:
    """Take every partition of the topic, or one; returns where each ends now."""
    partitions = [
        TopicPartition(topic, number)
        for number in sorted(consumer.partitions_for_topic(topic) or ())
    ]
    if not partitions:
        raise no_topic(settings.kafka, topic)
    if partition is not None:
        partitions = [TopicPartition(topic, partition)]
    consumer.assign(partitions)
    ends: dict[TopicPartition, int] = consumer.end_offsets(partitions)
    for place, offset in (
        consumer.beginning_offsets(partitions) if from_beginning else ends
    ).items():
        consumer.seek(place, offset)
    return ends


def poll_alerts(consumer: Any) -> list[AlertRecord]:
    """What one poll brings, by time of publication; empty after a while."""
    batches = consumer.poll(timeout_ms=POLL_MS)
    alerts = [_alert(record) for batch in batches.values() for record in batch]
    return sorted(alerts, key=lambda alert: (alert.published_ms, alert.offset))


def _alert(record: Any) -> AlertRecord:
    return AlertRecord(
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value or b"",
        dict(record.headers),
    )


def _event(alert: AlertRecord) -> ReadEvent | None:
    try:
        return read_event(alert.value)
    except ValueError:
        return None


def _repeated(
    alert: AlertRecord, event: ReadEvent, seen: OrderedDict[tuple[str, int], None]
) -> bool:
    """By id and content: an event of somebody else's under an id of ours hides none of ours.

    The headers may be anybody's too.
    """
    what = (event.id, 0 if event.data is None else hash(alert.value))
    if what in seen:
        return True
    seen[what] = None
    if len(seen) > KEPT_IDS:
        seen.popitem(last=False)
    return False
