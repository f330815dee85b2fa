"""Workers are killed, stopped, frozen and starved; the ledger must show every record applied once, on both stacks."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.exits import INTERNAL, OK
from streams.stage import Role
from tests.support.fleet import Fleet, Pacer, judge_alerts, judge_once, wait_until
from tests.support.stack import EmbeddedTestStack, Stack, create_flow_topics, settings_for

ROLES: dict[Role, int] = {"quotes": 4, "readings": 2}
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]


@pytest.fixture
def fleet(stack: Stack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = settings_for(
        stack,
        topic_prefix,
        kafka={"partitions": {"quotes": 4, "ticks": 1, "results": 2}},
        redis={"checkpoint_seconds": 1.0, "lease_seconds": 3},
    )
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, tmp_path) as fleet:
        yield fleet


def drain(fleet: Fleet, seconds: float = 60.0) -> None:
    for role, partitions in ROLES.items():
        wait_until(lambda role=role, n=partitions: fleet.drained(role, n), seconds, f"{role} drained: {fleet.watermarks(role)}")  # type: ignore[misc]


def judge(fleet: Fleet, pacer: Pacer) -> None:
    for role in ROLES:
        judge_once(fleet, role, pacer.sent[role])
    judge_alerts(fleet, 2)


def test_joining_stopping_and_killing_workers_loses_and_doubles_nothing(fleet: Fleet) -> None:
    first, pacer = fleet.start(), Pacer(fleet, ROLES, 600)
    pacer.start()
    wait_until(lambda: len(fleet.watermarks("quotes")) == 4, 90, "the first worker works")
    second = fleet.start()
    wait_until(lambda: "Successfully synced" in fleet.log(second), 90, "the second worker joins")
    time.sleep(5)
    first.kill()
    time.sleep(8)
    third = fleet.start()
    time.sleep(8)
    assert fleet.stop(second) == OK, fleet.log(second)
    time.sleep(5)
    pacer.stop()
    drain(fleet)
    assert fleet.stop(third) == OK, fleet.log(third)
    judge(fleet, pacer)
    for role, partitions in ROLES.items():
        assert fleet.committed(role, partitions) == fleet.ends(role, partitions)


def test_a_zombie_is_fenced(fleet: Fleet) -> None:
    zombie, pacer = fleet.start(), Pacer(fleet, ROLES, 400)
    pacer.start()
    wait_until(lambda: len(fleet.watermarks("quotes")) == 4, 90, "the first worker works")
    time.sleep(2)
    zombie.send_signal(signal.SIGSTOP)
    heir = fleet.start()
    wait_until(lambda: "Successfully synced" in fleet.log(heir), 90, "the heir joins")
    time.sleep(6)
    zombie.send_signal(signal.SIGCONT)
    time.sleep(8)
    pacer.stop()
    drain(fleet)
    if zombie.poll() is None:
        assert fleet.stop(zombie) == OK
    else:
        assert zombie.returncode == INTERNAL, fleet.log(zombie)
    drain(fleet)
    assert fleet.stop(heir) == OK, fleet.log(heir)
    judge(fleet, pacer)


def test_outages_of_kafka_and_redis_are_waited_out(fleet: Fleet, stack: Stack) -> None:
    worker, pacer = fleet.start(), Pacer(fleet, ROLES, 400)
    pacer.start()
    wait_until(lambda: len(fleet.watermarks("quotes")) == 4, 90, "the worker works")
    stack.redis.stop()
    time.sleep(6)
    stack.redis.start()
    time.sleep(3)
    stack.kafka_down()
    time.sleep(6)
    stack.kafka_up()
    time.sleep(5)
    pacer.stop()
    drain(fleet)
    assert fleet.stop(worker) == OK, fleet.log(worker)
    judge(fleet, pacer)


@pytest.mark.parametrize("stack", [pytest.param("embedded", marks=pytest.mark.embedded)], indirect=True)
def test_an_unexpected_coordinator_error_does_not_park_the_worker(fleet: Fleet, stack: Stack) -> None:
    """One SyncGroup answered with error 42 leaves a stock Faust worker without partitions for ever."""
    assert isinstance(stack, EmbeddedTestStack)
    first, pacer = fleet.start(), Pacer(fleet, ROLES, 200)
    pacer.start()
    wait_until(lambda: len(fleet.watermarks("quotes")) == 4, 90, "the first worker works")
    stack.broker.command("err 14 42 1")
    second = fleet.start()
    wait_until(lambda: "group coordinator:" in fleet.log(first) + fleet.log(second), 60, "the guard speaks up")
    before = fleet.watermarks("quotes")
    wait_until(lambda: all(fleet.watermarks("quotes")[p] > before[p] for p in range(4)), 60, "progress on every partition")
    pacer.stop()
    drain(fleet)
    assert fleet.stop(first) == OK, fleet.log(first)
    drain(fleet)
    assert fleet.stop(second) == OK, fleet.log(second)
    judge(fleet, pacer)
