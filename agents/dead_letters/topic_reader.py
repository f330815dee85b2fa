"""Reading the dead-letter topic.

It gives every letter, which of them were sent again, and what on it is none of ours.
"""

from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from kafka.structs import TopicPartition

from agents.alerts.tail import POLL_MS, Outage, OutageWatch, assigned
from agents.kafka.client import kafka_failures
from config.settings import Settings
from streams.refusals.dead_letter_records import DeadLetter, read_letter, replayed_by
from streams.topics import Topics


class ReplayMarker(NamedTuple):
    """That a record is sent again."""

    identity: tuple[str, str]
    """Of the dead letter (`DeadLetter.identity`)."""


def read_topic(
    settings: Settings,
    *,
    follow: bool = False,
    from_beginning: bool = True,
    foreign: Callable[[Any], None] = lambda _: None,
    outage: Outage = lambda _: None,
) -> Generator[DeadLetter | ReplayMarker]:
    """Letters and markers of all partitions, those of one poll by time.

    Closing the iterator disconnects.

    Args:
        settings: how to reach Kafka, and the topic prefix.
        follow: go on for ever; otherwise end at what was there when the reading began.
        from_beginning: start with the oldest letter kept, not with the next one.
        foreign: is told of each record that is none of ours; it is passed over.
        outage: is told as by `tail_alerts`.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka may not, or cannot, be used.
            An outage later is waited for.
    """
    topic = Topics(settings.kafka.topic_prefix).name("dead_letters")
    with kafka_failures(settings, "Read"):
        consumer, ends = assigned(settings, topic, from_beginning=from_beginning)
        outage_watch = OutageWatch(settings, consumer, ends, outage if follow else None)
        try:
            while follow or any(consumer.position(place) < end for place, end in ends.items()):
                records = _polled(consumer)
                outage_watch.polled(something=bool(records))
                for record in records:
                    end = ends[TopicPartition(topic, record.partition)]
                    if not follow and record.offset >= end:
                        continue
                    found = _read(record)
                    if found is None:
                        foreign(record)
                    else:
                        yield found
        finally:
            consumer.close()


def _polled(consumer: Any) -> list[Any]:
    """What one poll brings, by time; empty after a while."""
    batches = consumer.poll(timeout_ms=POLL_MS)
    records = [record for batch in batches.values() for record in batch]
    return sorted(records, key=lambda one: (one.timestamp, one.offset))


def _read(record: Any) -> DeadLetter | ReplayMarker | None:
    marked = replayed_by(record.headers)
    if marked is not None:
        return ReplayMarker(marked)
    try:
        return read_letter(record)
    except ValueError:
        return None
