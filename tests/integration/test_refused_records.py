"""A record that Kafka refuses: it is told, and what comes after it is sent as ever.

A producer that numbers its records leaves a gap there, and the broker takes nothing behind a gap.
"""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from agents.cli.main import main
from agents.ingest.plain_producer import PlainProducer
from agents.kafka.frame_publisher import FramePublisher
from agents.kafka.publisher import Publisher, RefusedMessageError
from agents.process.exits import EXIT_ACTION_NEEDED, ActionNeededError
from agents.process.release_deadline import Deadline
from agents.worker.partitions import _exit_code_of
from config.settings import Settings
from streams.stage import Message, Role
from streams.topics import Topics
from tests.integration.test_dead_letters import QUOTE, records, refuse
from tests.support.command import run, start, stop
from tests.support.fleet import wait_until
from tests.support.stack import RealStack, create_flow_topics, environment_for, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]
LIMIT = 20_000
LARGE = b" " * (2 * LIMIT)
AHEAD_MS = 3 * 86_400_000
"""Brokers refuse a record that is dated more than an hour ahead."""


class Topic:
    """One topic of the flow, whose limit a test sets."""

    def __init__(self, stack: RealStack, settings: Settings, role: Role) -> None:
        self._admin = AdminClient({"bootstrap.servers": stack.bootstrap_servers})
        self._settings = settings
        self._role = role
        self.name = Topics(settings.kafka.topic_prefix).name(role)

    def limit(self, size: int) -> None:
        entry = ConfigEntry(
            "max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET
        )
        resource = ConfigResource(ResourceType.TOPIC, self.name, incremental_configs=[entry])
        for done in self._admin.incremental_alter_configs([resource]).values():
            done.result(30)

    def values(self) -> list[bytes]:
        return [record.value for record in records(self._settings, self._role)]


@pytest.fixture
def settings(real_stack: RealStack, topic_prefix: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """In the environment too."""
    made = settings_for(
        real_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": {"quotes": 3, "ticks": 1, "results": 1}},
        ingest={"topic": f"{topic_prefix}feed"},
        metrics={"port": 0},
    )
    create_flow_topics(real_stack, made)
    real_stack.create_topics([(made.ingest.topic, 1)])
    for name, value in environment_for(made).items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def quotes(real_stack: RealStack, settings: Settings) -> Topic:
    """The topic of quotes, which takes small records only."""
    topic = Topic(real_stack, settings, "quotes")
    topic.limit(LIMIT)
    return topic


def test_a_frame_publisher_sends_on_after_a_refusal(settings: Settings, quotes: Topic) -> None:
    now = int(time.time() * 1000)
    with FramePublisher(settings) as publisher:
        publisher.publish("quotes", "A", b"before")
        publisher.flush()
        for refused, words in (
            (Message("quotes", b"A", b"late", timestamp=now + AHEAD_MS), "InvalidTimestamp"),
            (Message("quotes", b"A", LARGE), "MessageSizeTooLarge"),
        ):
            publisher.publish_message(refused)
            with pytest.raises(ActionNeededError, match=words):
                publisher.flush()
            publisher.publish("quotes", "A", b"after")
            publisher.flush()
        # The client itself refuses what is larger than it may send: nothing is given up for that.
        publisher.publish("quotes", "A", b"beside")
        with pytest.raises(ActionNeededError, match="MessageSizeTooLarge"):
            publisher.publish("quotes", "A", bytes(settings.kafka.max_message_bytes + 1))
    assert quotes.values() == [b"before", b"after", b"after", b"beside"]


def test_a_replay_sends_the_other_letters_and_says_which_one_kafka_refuses(
    settings: Settings, quotes: Topic, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(settings, [json.dumps({**QUOTE, "bid": word}).encode() for word in "abc"])
    mended = tmp_path / "mended.jsonl"
    values = [json.dumps(QUOTE) + LARGE.decode(), json.dumps(QUOTE), json.dumps(QUOTE)]
    lines = [
        json.dumps({"topic": quotes.name, "partition": 2, "offset": offset, "value": value})
        for offset, value in enumerate(values)
    ]
    mended.write_text("\n".join(lines))
    command = ("dead-letters", "replay", "--mended", str(mended), "--yes", "--json")
    assert main([*command]) == EXIT_ACTION_NEEDED
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["sent"] for one in told] == [False, True, True]
    assert f"{quotes.name} does not take it (MessageSizeTooLargeError)" in told[0]["objection"]
    quotes.limit(settings.kafka.max_message_bytes)
    assert main([*command, "--again"]) == 0
    assert len(quotes.values()) == 5


@pytest.mark.parametrize("refused", ["large", "ahead"])
async def test_a_publisher_names_the_refusal_and_not_what_follows_from_it(
    settings: Settings, quotes: Topic, refused: str
) -> None:
    """What follows is refused as out of order, which a broker says too that has lost records."""
    producer = PlainProducer(settings)
    await producer.open()
    try:
        publisher = Publisher(
            producer, Topics(settings.kafka.topic_prefix), Deadline(), lambda *_: None
        )
        ahead = int(time.time() * 1000) + AHEAD_MS
        bad = {"large": Message("quotes", None, LARGE, (), 0)}.get(
            refused, Message("quotes", None, b"late", (), 0, ahead)
        )
        for message in (bad, *(Message("quotes", None, LARGE[: LIMIT // 2], (), 0),) * 8):
            await publisher.send([message])
        with pytest.raises(RefusedMessageError, match=f"{quotes.name} does not take") as caught:
            await publisher.drain()
        assert _exit_code_of(caught.value) == EXIT_ACTION_NEEDED
    finally:
        await producer.close()


def test_an_ingest_whose_dead_letter_is_refused_says_so_and_goes_on_from_there_later(
    real_stack: RealStack, settings: Settings
) -> None:
    quotes = Topic(real_stack, settings, "quotes")
    letters = Topic(real_stack, settings, "dead_letters")
    letters.limit(200)
    environment = environment_for(settings)
    with FramePublisher(settings) as publisher:
        feed: Any = publisher._connection.current()
        for value in (b'{"bid": "cheap"}', json.dumps(QUOTE).encode()):
            feed.send(settings.ingest.topic, value, partition=0).get(30)
    refused = run("ingest", env=environment)
    assert refused.returncode == EXIT_ACTION_NEEDED, refused.stderr
    assert f"{letters.name} does not take a message (" in refused.stderr
    assert "max.message.bytes" in refused.stderr
    letters.limit(LIMIT)
    again = start("ingest", env=environment)
    try:
        wait_until(lambda: bool(quotes.values() and letters.values()), 60, "both are published")
    finally:
        done = stop(again)
    assert done.returncode == 0, done.stderr
    assert len(letters.values()) == 1
