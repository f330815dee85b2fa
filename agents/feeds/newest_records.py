"""The newest records of a topic, as far back as a window of time."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from kafka.structs import TopicPartition

from agents.alerts.tail import POLL_MS, OutageWatch, assigned
from agents.kafka.client import kafka_failures
from config.settings import Settings
from streams.records import NS
from streams.valuation.input_sample import InputSample

WINDOW_SECONDS: Final = 300
"""How far back records are looked at: two sweeps of a slow feed are within it."""

MOST: Final = 20_000
"""Records of a partition that are looked at, at most."""

LEAST: Final = 100
"""Records of a partition that are looked at where none is of the window."""


def newest_records(
    settings: Settings, topic: str, now: int, sample: InputSample
) -> Iterator[Sequence[Any]]:
    """Records of the latest minutes, some of one partition at a time, in offset order.

    Of a partition that has none, the last that it has. The sample learns of every partition.
    """
    since = (now - WINDOW_SECONDS * NS) // 1_000_000
    with kafka_failures(settings, "Read"):
        consumer, ends = assigned(
            settings, topic, from_beginning=True, isolation_level="read_committed"
        )
        try:
            for place in ends:
                sample.part(place.partition)
            watch = OutageWatch(settings, consumer, ends, None)
            undated = _seek(consumer, ends, since)
            last = {place: deque[Any](maxlen=LEAST) for place in undated}
            for place, records in _read(consumer, ends, watch):
                if place in last:
                    last[place].extend(records)
                else:
                    yield from _young(records, since)
            further = [place for place, held in last.items() if held and _is_young(held[0], since)]
            _go_back(consumer, further, ends)
            for _, records in _read(consumer, {place: ends[place] for place in further}, watch):
                yield from _young(records, since)
            for place in last.keys() - set(further):
                held = list(last[place])
                yield from list(_young(held, since)) or ([held] if held else [])
        finally:
            consumer.close()


def _read(
    consumer: Any, ends: Mapping[TopicPartition, int], watch: OutageWatch
) -> Iterator[tuple[TopicPartition, list[Any]]]:
    """Records up to where the partitions ended."""
    while any(consumer.position(place) < end for place, end in ends.items()):
        batches = consumer.poll(timeout_ms=POLL_MS)
        watch.polled(something=bool(batches))
        for place, records in batches.items():
            if kept := [one for one in records if one.offset < ends.get(place, 0)]:
                yield place, kept


def _is_young(record: Any, since: int) -> bool:
    return bool(record.timestamp >= since)


def _young(records: Sequence[Any], since: int) -> Iterator[list[Any]]:
    """Those of the window, if there are any."""
    if young := [one for one in records if _is_young(one, since)]:
        yield young


def _seek(consumer: Any, ends: Mapping[TopicPartition, int], since: int) -> set[TopicPartition]:
    """Go to the first record of the window, or to the last ones where Kafka names none.

    The result are the latter: they have nothing of the window, or the broker keeps no times, as the
    embedded one does.
    """
    found = consumer.offsets_for_times(dict.fromkeys(ends, since))
    undated = {place for place in ends if found.get(place) is None}
    _go_back(consumer, undated, ends, LEAST)
    for place in ends.keys() - undated:
        consumer.seek(place, max(found[place].offset, ends[place] - MOST))
    return undated


def _go_back(
    consumer: Any,
    places: Collection[TopicPartition],
    ends: Mapping[TopicPartition, int],
    most: int = MOST,
) -> None:
    """To so many records before the end, or to the beginning."""
    begins = consumer.beginning_offsets(list(places)) if places else {}
    for place in places:
        consumer.seek(place, max(begins[place], ends[place] - most))
