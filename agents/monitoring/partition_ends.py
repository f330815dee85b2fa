"""Where the logs of partitions begin and end, asked of Kafka."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

TOGETHER_MS = 2_000
"""For the ends of all logs at once."""

ALONE_MS = 400
"""For those of one topic, once all together were not told."""

Ends = Mapping[TopicPartition, int]


def partitions_of(consumer: Any, topics: Sequence[str]) -> dict[str, list[TopicPartition]]:
    """Partitions by topic, of the topics that there are and that we may see."""
    counts = {topic: sorted(consumer.partitions_for_topic(topic) or ()) for topic in topics}
    return {
        topic: [TopicPartition(topic, number) for number in numbers]
        for topic, numbers in counts.items()
        if numbers
    }


def ends_of(consumer: Any, places: Mapping[str, Sequence[TopicPartition]]) -> dict[str, Ends]:
    """Ends of logs by topic.

    A leader does not tell the end of its log between its election and the return of the replicas
    that must be in sync. kafka-python asks it again and again, and drops what others have told.
    """
    try:
        offsets = consumer.end_offsets(
            [tp for of_topic in places.values() for tp in of_topic], timeout_ms=TOGETHER_MS
        )
    except KafkaTimeoutError:
        return dict(_one_by_one(consumer, places))
    return {topic: {tp: offsets[tp] for tp in of_topic} for topic, of_topic in places.items()}


def _one_by_one(
    consumer: Any, places: Mapping[str, Sequence[TopicPartition]]
) -> Iterator[tuple[str, Ends]]:
    for topic, of_topic in places.items():
        try:
            yield topic, consumer.end_offsets(of_topic, timeout_ms=ALONE_MS)
        except KafkaTimeoutError:
            continue
