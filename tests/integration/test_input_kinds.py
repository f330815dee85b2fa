"""Input as foreign producers write it: every compression, transactions and compacted logs.

It goes through a worker on a real Kafka.
"""

import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from agents.process.exits import EXIT_OK
from tests.support.counting import record_value
from tests.support.fleet import Fleet, wait_until
from tests.support.pages import samples, series, url_of
from tests.support.stack import RealStack, create_flow_topics, settings_for

COMPRESSED, TRANSACTIONS, COMPACTED = range(3)
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
SECONDS = 30.0

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]


@pytest.fixture
def fleet(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    partitions = {"quotes": 3, "ticks": 1, "results": 1}
    settings = settings_for(
        real_stack,
        topic_prefix,
        kafka={"partitions": partitions},
        redis={"checkpoint_seconds": 0.5},
    )
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield fleet


def producer(fleet: Fleet, **options: Any) -> Producer:
    return Producer(
        {
            "bootstrap.servers": fleet.settings.kafka.bootstrap_servers,
            "linger.ms": 50,
            "log_level": 0,
            **options,
        }
    )


def send(fleet: Fleet, via: Producer, numbers: Iterable[int], partition: int) -> None:
    for number in numbers:
        via.produce(
            fleet.topics.name("quotes"),
            record_value(number),
            key=b"%d" % (number % 10),
            partition=partition,
        )
    assert via.flush(SECONDS) == 0


def offsets(fleet: Fleet, partition: int) -> list[int]:
    return [record.offset for record in fleet.records("quotes", partition)]


def compact(fleet: Fleet, partition: int) -> None:
    """Let the broker throw away what newer records of the same keys have made obsolete.

    The policy is `delete` again afterwards.
    """
    admin = AdminClient({"bootstrap.servers": fleet.settings.kafka.bootstrap_servers})
    before, rolling, via = len(offsets(fleet, partition)), itertools.count(5000), producer(fleet)

    def thinned() -> bool:
        send(
            fleet, via, [next(rolling)], partition
        )  # rolls the segment: the active one is never compacted
        return len(offsets(fleet, partition)) < before / 2

    _configure(
        admin,
        fleet,
        {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01"},
    )
    wait_until(thinned, SECONDS, "compaction")
    _configure(admin, fleet, {"cleanup.policy": "delete", "segment.ms": "600000"})
    last: list[list[int]] = [[]]
    wait_until(
        lambda: _settled(last, offsets(fleet, partition)), SECONDS, "the end of the compaction"
    )


def _settled(last: list[list[int]], now: list[int]) -> bool:
    before, last[0] = last[0], now
    time.sleep(1.5)  # three rounds of the cleaner
    return before == now


def _configure(admin: AdminClient, fleet: Fleet, values: dict[str, str]) -> None:
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        for key, value in values.items()
    ]
    resource = ConfigResource(
        ResourceType.TOPIC, fleet.topics.name("quotes"), incremental_configs=entries
    )
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(SECONDS)


def test_what_a_broker_may_hand_out_is_applied_once_and_nothing_else_waited_for(
    fleet: Fleet,
) -> None:
    for at, codec in enumerate(CODECS):
        send(
            fleet,
            producer(fleet, **{"compression.type": codec}),
            range(at * 200, (at + 1) * 200),
            COMPRESSED,
        )
    send(fleet, producer(fleet), range(1000, 1999), COMPACTED)
    compact(fleet, COMPACTED)
    kept = fleet.records("quotes", COMPACTED)
    surviving = [int.from_bytes(record.value, "little") for record in kept]
    assert len(surviving) <= kept[-1].offset / 2, "the log has gaps"
    transactional = producer(
        fleet, **{"transactional.id": f"{fleet.settings.kafka.topic_prefix}feed"}
    )
    transactional.init_transactions(SECONDS)
    for first, commits in ((2000, True), (2100, False), (2200, True)):
        transactional.begin_transaction()
        send(fleet, transactional, range(first, first + 100), TRANSACTIONS)
        (transactional.commit_transaction if commits else transactional.abort_transaction)(SECONDS)
    transactional.begin_transaction()
    send(fleet, transactional, range(2300, 2400), TRANSACTIONS)

    def applied() -> set[int]:
        counts = fleet.applied("quotes")
        assert counts.max() <= 1
        return set(np.flatnonzero(counts).tolist())

    closed = {*range(1000), *surviving, *range(2000, 2100), *range(2200, 2300)}
    worker = fleet.start()
    url = url_of(fleet, worker)
    wait_until(
        lambda: applied() == closed, SECONDS, f"{len(closed)} records applied; {fleet.log(worker)}"
    )
    places = [
        {"topic": fleet.topics.name("quotes"), "partition": str(p)}
        for p in (COMPRESSED, TRANSACTIONS, COMPACTED)
    ]

    def lags() -> list[float]:
        page = samples(url)
        return [page[series("dispersion_kafka_consumer_lag_messages", **place)] for place in places]

    wait_until(
        lambda: lags() == [0, 0, 0],
        SECONDS,
        "an open transaction and what follows the last record are no lag",
    )
    transactional.commit_transaction(SECONDS)
    wait_until(lambda: applied() == closed | set(range(2300, 2400)), SECONDS, "the committed rest")
    assert fleet.watermarks("quotes")[TRANSACTIONS] + 1 < fleet.ends("quotes", 3)[TRANSACTIONS], (
        "the log ends with a marker"
    )
    wait_until(lambda: lags() == [0, 0, 0], SECONDS, "the marker is no lag")
    assert (
        samples(url)[series("dispersion_offset_gaps_total", topic=fleet.topics.name("quotes"))] > 0
    )
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
