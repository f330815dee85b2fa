"""Topics that gain partitions while a worker runs, on a real Kafka.

New sources join, a moved index is refused.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_OK
from agents.store.keys import stage_keys
from streams.framing.partitioner import partition_of
from streams.stage import Role
from tests.support.counting import record_value
from tests.support.fleet import Fleet, judge_alerts, judge_once, wait_until
from tests.support.stack import RealStack, create_flow_topics, settings_for

INDEX = "SPY"
RESULTS: tuple[Role, ...] = ("points", "readings", "alerts", "alerts_state", "commands")
SECONDS = 45.0

pytestmark = [pytest.mark.stack, pytest.mark.timeout(150)]


@pytest.fixture
def fleet(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    partitions = {"quotes": 2, "ticks": 1, "results": 1}
    settings = settings_for(
        real_stack,
        topic_prefix,
        kafka={"partitions": partitions},
        redis={"checkpoint_seconds": 0.5},
    )
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield fleet


def grow(fleet: Fleet, count: int, *roles: Role) -> None:
    admin = AdminClient({"bootstrap.servers": fleet.settings.kafka.bootstrap_servers})
    for done in admin.create_partitions(
        [NewPartitions(fleet.topics.name(role), count) for role in roles]
    ).values():
        done.result(30)


def test_a_new_partition_is_a_new_source_without_a_restart(fleet: Fleet) -> None:
    worker = fleet.start("tests.support.counting", "--metadata-seconds", "1")
    for p in range(2):
        fleet.put("quotes", [record_value(n) for n in range(p * 100, p * 100 + 100)], p)
    fleet.put("readings", [record_value(n) for n in range(100)])
    wait_until(lambda: fleet.drained("quotes", 2), SECONDS, f"two partitions; {fleet.log(worker)}")
    grow(fleet, 3, "quotes")
    for p in range(3):
        fleet.put("quotes", [record_value(n) for n in range(200 + p * 100, 300 + p * 100)], p)
    wait_until(
        lambda: fleet.drained("quotes", 3), SECONDS, f"three partitions; {fleet.log(worker)}"
    )
    assert f"{fleet.topics.name('quotes')} from 2 to 3" in fleet.log(worker)
    told = [json.loads(record.value) for record in fleet.records("dead_letters")]
    sources = {(one["partition"], one["total"]): one["sources"] for one in told if "sources" in one}
    assert sources[0, 100] == sources[1, 100] == 2
    assert sources[2, 100] == 3
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
    judge_once(fleet, "quotes", 500)
    judge_alerts(fleet, 1)


def test_results_that_grow_apart_are_refused(fleet: Fleet) -> None:
    worker = fleet.start("tests.support.counting", "--metadata-seconds", "1")
    fleet.put("readings", [record_value(n) for n in range(100)])
    wait_until(lambda: fleet.drained("readings", 1), SECONDS, fleet.log(worker))
    grow(fleet, 2, "readings")
    assert worker.wait(SECONDS) == EXIT_ACTION_NEEDED, fleet.log(worker)
    assert "need equal partition counts" in fleet.log(worker).splitlines()[-1]


def test_an_index_that_would_leave_its_history_is_refused(fleet: Fleet) -> None:
    count = next(n for n in range(2, 9) if partition_of(INDEX, n) != 0)
    readings = fleet.topics.name("readings")
    fleet.redis.hset(
        stage_keys("detector", [readings], 0, [INDEX]).day(INDEX), "2026-07-10", b"facts"
    )
    grow(fleet, count, *RESULTS)
    worker = fleet.start()
    assert worker.wait(SECONDS) == EXIT_ACTION_NEEDED, fleet.log(worker)
    assert (
        f"{INDEX} belongs to {partition_of(INDEX, count)}, but its daily history is kept for 0"
        in fleet.log(worker)
    )
