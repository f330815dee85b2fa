"""A replay's publisher and a subscriber's tail, on both stacks."""

from collections.abc import Sequence

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.alerts.tail import tail_alerts
from agents.kafka.client import kafka_python_options
from agents.kafka.frame_publisher import FramePublisher
from agents.process.exits import ActionNeededError, UnavailableError
from config.settings import Settings
from streams.framing.partitioner import partition_of
from streams.stage import Message
from streams.topics import Topics
from tests.support.alert_values import event_value
from tests.support.own_wait import own_wait
from tests.support.stack import Stack, create_flow_topics, settings_for


@pytest.fixture
def settings(stack: Stack, topic_prefix: str) -> Settings:
    """Settings whose topics exist: four quote partitions, two of results."""
    configured = settings_for(
        stack, topic_prefix, kafka={"partitions": {"quotes": 4, "ticks": 1, "results": 2}}
    )
    create_flow_topics(stack, configured)
    return configured


def quotes_of(settings: Settings, partition: int) -> list[tuple[bytes, bytes, dict[str, bytes]]]:
    consumer = KafkaConsumer(**kafka_python_options(settings), consumer_timeout_ms=20_000)
    place = TopicPartition(Topics(settings.kafka.topic_prefix).name("quotes"), partition)
    consumer.assign([place])
    end = consumer.end_offsets([place])[place]
    consumer.seek_to_beginning()
    records = []
    while consumer.position(place) < end:
        record = next(consumer)
        records.append((record.key, record.value, dict(record.headers)))
    consumer.close()
    return records


def test_keys_choose_partitions_and_headers_travel(settings: Settings) -> None:
    headers = (("content-type", b"application/json"), ("dispersion-refresh-seconds", b"60"))
    with FramePublisher(settings) as publisher:
        assert publisher.partitions("quotes") == 4
        publisher.publish("quotes", "AAPL", b"one", headers=headers)
        publisher.publish("quotes", "AAPL", b"two")
        publisher.publish("quotes", "AAPL", b"elsewhere", partition=0)
    assert partition_of("AAPL", 4) == 1
    assert quotes_of(settings, 1) == [(b"AAPL", b"one", dict(headers)), (b"AAPL", b"two", {})]
    assert quotes_of(settings, 0) == [(b"AAPL", b"elsewhere", {})]


def test_flush_means_stored(settings: Settings) -> None:
    publisher = FramePublisher(settings)
    for number in range(500):
        publisher.publish("quotes", None, b"%d" % number, partition=2)
    publisher.flush()
    assert [int(value) for _, value, _ in quotes_of(settings, 2)] == list(range(500))
    publisher.close()


def test_a_record_beyond_the_limit_is_refused_aloud(settings: Settings) -> None:
    with (
        pytest.raises(ActionNeededError, match="MessageSizeTooLarge"),
        FramePublisher(settings) as publisher,
    ):
        publisher.publish("quotes", "AAPL", bytes(settings.kafka.max_message_bytes))


def test_an_outage_beyond_the_patience_is_raised(stack: Stack, settings: Settings) -> None:
    publisher = FramePublisher(settings, delivery_seconds=2.0)
    publisher.publish("quotes", "AAPL", b"before")
    publisher.flush()
    stack.kafka_down()
    try:
        publisher.publish("quotes", "AAPL", b"lost")
        with pytest.raises(UnavailableError):
            publisher.flush()
    finally:
        stack.kafka_up()
        publisher.close(flush=False)


def test_an_interrupted_publisher_drops_what_is_unsent_and_leaves_at_once(
    stack: Stack, settings: Settings
) -> None:
    publisher = FramePublisher(settings)
    publisher.publish("quotes", "AAPL", b"before")
    publisher.flush()
    stack.kafka_down()
    try:
        publisher.publish("quotes", "AAPL", b"lost")
        with own_wait() as waited:
            publisher.close(flush=False)
        # Delivery may take eight times as long.
        assert waited.seconds < 15
    finally:
        stack.kafka_up()


def publish_alerts(settings: Settings, events: Sequence[tuple[int, str]]) -> None:
    with FramePublisher(settings) as publisher:
        for partition, identity in events:
            publisher.publish_message(
                Message("alerts", b"fp", event_value(identity), (), partition)
            )


def test_the_tail_gives_every_event_once_and_ends_where_it_began(settings: Settings) -> None:
    publish_alerts(settings, [(0, "a"), (1, "b"), (0, "a"), (1, "c")])
    tailed = list(tail_alerts(settings, follow=False, from_beginning=True))
    records = [record for record, _ in tailed]
    assert sorted(event.id for _, event in tailed) == ["a", "b", "c"]
    places = {(record.partition, record.offset, record.key) for record in records}
    assert places == {(0, 0, b"fp"), (1, 0, b"fp"), (1, 1, b"fp")}
    assert list(tail_alerts(settings, follow=False)) == []


def test_a_following_tail_sees_what_comes_next(settings: Settings) -> None:
    publish_alerts(settings, [(0, "old")])
    tail = tail_alerts(settings, from_beginning=True)
    first = next(tail)
    publish_alerts(settings, [(1, "new")])
    second = next(tail)
    tail.close()
    assert (first.event.id, second.event.id, second.record.value) == (
        "old",
        "new",
        event_value("new"),
    )


def test_the_tail_of_nothing_names_the_next_step(stack: Stack, topic_prefix: str) -> None:
    with pytest.raises(ActionNeededError, match="dispersion topics create"):
        next(tail_alerts(settings_for(stack, f"{topic_prefix}none.")))
