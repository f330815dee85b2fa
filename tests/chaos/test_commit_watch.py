"""The watch on commits: what it excuses while a fault lasts, and what it finds afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.structs import OffsetAndMetadata, TopicPartition

from agents.kafka.client import kafka_python_options
from tests.chaos import commit_watch
from tests.chaos.chaos_session import ROLES
from tests.chaos.commit_watch import CommitWatch
from tests.support.fleet import Fleet, wait_until
from tests.support.stack import EmbeddedTestStack, create_flow_topics, settings_for

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(120)]


@pytest.fixture
def fleet(embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    partitions = {"quotes": ROLES["quotes"], "ticks": 1, "results": ROLES["readings"]}
    settings = settings_for(embedded_stack, topic_prefix, kafka={"partitions": partitions})
    create_flow_topics(embedded_stack, settings)
    with Fleet(settings, embedded_stack.redis.url, tmp_path) as fleet:
        yield fleet


def commit(fleet: Fleet, offset: int) -> None:
    """The group commits this offset of commands 1, whatever Redis knows."""
    place = TopicPartition(fleet.topics.name("commands"), 1)
    consumer = KafkaConsumer(
        **kafka_python_options(fleet.settings),
        group_id=fleet.settings.kafka.group,
        enable_auto_commit=False,
    )
    consumer.assign([place])
    consumer.commit({place: OffsetAndMetadata(offset, "", -1)})
    consumer.close()


def looked(watch: CommitWatch) -> None:
    before = watch.looks
    wait_until(lambda: watch.looks >= before + 3, 60, "the watch looks")


def test_a_fault_that_forgets_is_excused_as_long_as_it_lasts(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's decision deletes a watermark long after the fault began."""
    monkeypatch.setattr(commit_watch, "EXCUSE_SECONDS", 0.0)
    with CommitWatch(fleet) as watch:
        with watch.excused():
            looked(watch)
            commit(fleet, 50)
            looked(watch)
        looked(watch)
        assert watch.ahead == []
        topic = fleet.topics.name("commands")
        fleet.redis.set(f"dispersion:v1:{{quick:{fleet.topics.name('readings')}:1}}:wm:{topic}", 49)
        looked(watch)
        commit(fleet, 60)
        wait_until(lambda: watch.ahead != [], 60, "the watch finds what is ahead")
    assert watch.ahead[0] == "commands partition 1: offset 60 committed, watermark 49"
