"""A feed of single quotes becomes frames: the process between two topics of a real Kafka."""

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pytest
from kafka import KafkaConsumer, KafkaProducer
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_python_options
from agents.process.ports import free_ports
from config.settings import Settings
from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE, decode_quotes
from streams.framing.partitioner import partition_of
from streams.records import NS, Heartbeat, Malformed, Unread
from streams.topics import Topics
from tests.support.catalogue import catalogue
from tests.support.command import Running, run, start, stop
from tests.support.fleet import wait_until
from tests.support.frame_bytes import START
from tests.support.option_chains import Chain, quotes_of, taken
from tests.support.pages import get, samples
from tests.support.stack import RealStack, create_flow_topics, environment_for, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
TERMS = (date(2026, 7, 31), date(2026, 8, 14))
CHAINS = [Chain(name, TERMS) for name in ("SPY", "AAPL", "MSFT", "BRK.B")]
INPUTS, OUTPUTS = 3, 2
Row = tuple[str, int, float, bool, float, float, int]


def rows_of(item: Any) -> list[Row]:
    columns = (item.expiry, item.strike, item.call, item.bid, item.ask, item.ts_event)
    names = [item.series[code].underlying for code in item.series_code.tolist()]
    return list(zip(names, *(column.tolist() for column in columns), strict=True))


@dataclass
class Feed:
    """A topic of single quotes, the monitor's topics, and the processes between."""

    settings: Settings
    sent: Counter[Row] = field(default_factory=Counter)
    running: list[Running] = field(default_factory=list)

    def start(self, *arguments: str) -> Running:
        self.running.append(start("ingest", *arguments, env=environment_for(self.settings)))
        return self.running[-1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.metrics.port}"

    def publish(self, first: int, count: int) -> None:
        """Quotes number `first` and following, a millisecond apart, one a record.

        They are on all partitions by turns; each second has a bad record.
        """
        whole = quotes_of(CHAINS, START)
        numbers = np.arange(first, first + count)
        quotes = taken(whole, numbers % whole.strike.size)._replace(
            ts_event=START + numbers * 1_000_000
        )
        rows = rows_of(quotes)
        self.sent.update(rows)
        producer = KafkaProducer(**kafka_python_options(self.settings), linger_ms=20)
        topic = self.settings.ingest.topic
        for number, (name, day, strike, call, bid, ask, at) in enumerate(rows, first):
            expiry = date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()
            quote = {
                "underlying": name,
                "expiry": expiry,
                "strike": strike,
                "right": "C" if call else "P",
                "bid": bid,
                "ask": ask,
            }
            value = json.dumps(quote | {"ts_event": at}).encode()
            producer.send(topic, value, partition=number % INPUTS, timestamp_ms=at // 1_000_000)
            if number % 1000 == 0:
                producer.send(topic, b'{"bid": "cheap"}', partition=number % INPUTS)
        producer.flush()
        producer.close()

    def beat(self, at: int, partitions: range) -> None:
        producer = KafkaProducer(**kafka_python_options(self.settings))
        for partition in partitions:
            headers = [("content-type", HEARTBEAT_CONTENT_TYPE.encode())]
            producer.send(
                self.settings.ingest.topic,
                json.dumps({"ts_event": at}).encode(),
                headers=headers,
                partition=partition,
            )
        producer.close()

    def records(self, topic: str, partition: int) -> list[Any]:
        """Everything on a partition."""
        consumer = KafkaConsumer(**kafka_python_options(self.settings), consumer_timeout_ms=10_000)
        place = TopicPartition(topic, partition)
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        consumer.seek_to_beginning()
        found = []
        while consumer.position(place) < end:
            found.append(next(consumer))
        consumer.close()
        return found

    def received(self) -> tuple[Counter[Row], list[list[int]]]:
        """Rows in all frames, each on its partition, and the heartbeats of each."""
        rows, beats = Counter[Row](), []
        for partition in range(OUTPUTS):
            mine: list[int] = []
            for item in decode_quotes(
                self.records(Topics(self.settings.kafka.topic_prefix).name("quotes"), partition)
            ):
                assert not isinstance(item, Malformed | Unread)
                if isinstance(item, Heartbeat):
                    mine.append(item.ts_event)
                else:
                    assert {partition_of(one.underlying, OUTPUTS) for one in item.series} == {
                        partition
                    }
                    rows.update(rows_of(item))
            beats.append(mine)
        return rows, beats

    def complete(self, seconds: float = 120.0) -> None:
        """Wait until every quote sent has come through; what the process said is in the error."""
        try:
            wait_until(
                lambda: set(self.sent) <= set(self.received()[0]), seconds, "every quote in a frame"
            )
        except AssertionError as error:
            missing = len(set(self.sent) - set(self.received()[0]))
            said = stop(self.running[-1], signal.SIGKILL)
            error.add_note(f"{missing} of {len(self.sent)} are missing; {said.stderr[-3000:]}")
            raise


@pytest.fixture
def feed(real_stack: RealStack, topic_prefix: str) -> Iterator[Feed]:
    real_stack.create_topics([(f"{topic_prefix}feed", INPUTS)])
    settings = settings_for(
        real_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": {"quotes": OUTPUTS, "ticks": 1, "results": 1}},
        metrics={"port": free_ports(1)[0]},
        ingest={"topic": f"{topic_prefix}feed"},
    )
    create_flow_topics(real_stack, settings)
    made = Feed(settings)
    try:
        yield made
    finally:
        for process in made.running:
            stop(process, signal.SIGKILL)


def ended(process: Running) -> tuple[int, str]:
    """SIGTERM; whatever Kafka does it ends, on a loaded machine too."""
    done = stop(process, seconds=60)
    return done.returncode, done.stderr


def test_quotes_become_frames_and_nothing_is_lost(feed: Feed, real_stack: RealStack) -> None:
    feed.publish(0, 5_000)
    first = feed.start()
    feed.complete()
    assert feed.received()[0] == feed.sent, "once each, as nobody died"
    _bad_ones_are_on_the_dead_letter_topic(feed)
    feed.beat(START + 5 * NS, range(INPUTS - 1))
    feed.publish(5_000, 3_000)
    first.send_signal(signal.SIGKILL)
    second = feed.start("--topic", feed.settings.ingest.topic, "--json")
    feed.complete()
    assert feed.received()[1] == [[], []], "a partition has not promised anything"
    feed.beat(
        START + 5 * NS, range(INPUTS - 1)
    )  # as a feed does: the first one may have died with what it had heard
    feed.beat(START + 8 * NS, range(INPUTS - 1, INPUTS))
    wait_until(lambda: all(feed.received()[1]), 20, "the least of all promises")
    assert {beat for beats in feed.received()[1] for beat in beats} == {START + 5 * NS}
    assert samples(feed.url)
    code, said = ended(second)
    assert code == 0, said
    assert json.loads(said.splitlines()[-1])["message"].startswith("at the end: ")
    before = feed.received()[0]
    _outage(feed, real_stack)
    after = feed.received()[0]
    assert before == Counter({row: after[row] for row in before}), (
        "what is committed is not read again"
    )


def _bad_ones_are_on_the_dead_letter_topic(feed: Feed) -> None:
    letters = feed.records(Topics(feed.settings.kafka.topic_prefix).name("dead_letters"), 0)
    told = [dict(letter.headers) for letter in letters]
    assert [(one["x-error-topic"].decode(), one["reason"]) for one in told] == [
        (feed.settings.ingest.topic, b"type")
    ] * 5


def _outage(feed: Feed, real_stack: RealStack) -> None:
    third = feed.start()
    wait_until(lambda: _ready(feed), 90, "ready")
    real_stack.kafka_down()
    try:
        time.sleep(1.0)
        assert third.poll() is None
    finally:
        real_stack.kafka_up()
    feed.publish(8_000, 500)
    feed.complete(60)
    real_stack.kafka_down()
    try:
        code, said = ended(third)
        assert code == 3, said
    finally:
        real_stack.kafka_up()


def _ready(feed: Feed) -> bool:
    try:
        return get(f"{feed.url}/readyz")[0] == 200
    except OSError:
        return False


def test_the_page_is_catalogued_and_wrong_topics_are_refused(feed: Feed) -> None:
    feed.publish(0, 10)
    process = feed.start()
    feed.complete()
    described = {name for name, metric in catalogue().items() if "ingest" in metric.jobs}
    wait_until(lambda: _ready(feed), 90, "ready")
    wait_until(
        lambda: {name for name, _ in samples(feed.url)} == described, 5, "the catalogue's metrics"
    )
    assert ended(process)[0] == 0
    environment = environment_for(feed.settings)
    for topic, code, words in (
        ("nowhere", 1, "there is no topic nowhere"),
        (
            Topics(feed.settings.kafka.topic_prefix).name("quotes"),
            1,
            "a topic of the monitor itself",
        ),
    ):
        refused = run("ingest", "--topic", topic, env=environment)
        assert (refused.returncode, words in refused.stderr) == (code, True), refused.stderr
