"""What leaves a worker without partitions for ever, or for a minute.

It does unless somebody looks at the group coordinator each second.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.process.exits import EXIT_OK
from agents.worker.app import METADATA_SECONDS
from streams.stage import Role
from tests.support.counting import record_value
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
        wait_until(
            lambda role=role, n=partitions: fleet.drained(role, n),  # type: ignore[misc]
            seconds,
            f"{role} drained: {fleet.watermarks(role)}",
        )


def judge(fleet: Fleet, pacer: Pacer) -> None:
    for role in ROLES:
        judge_once(fleet, role, pacer.sent[role])
    judge_alerts(fleet, 2)


EMBEDDED = pytest.mark.parametrize(
    "stack", [pytest.param("embedded", marks=pytest.mark.embedded)], indirect=True
)
UNKNOWN_TOPIC = 3
"""The error of a broker that has just started and does not know its topics yet."""


@EMBEDDED
def test_partitions_that_were_unknown_when_they_were_assigned_are_asked_for_again(
    fleet: Fleet, stack: Stack
) -> None:
    assert isinstance(stack, EmbeddedTestStack)
    worker = fleet.start()
    wait_until(lambda: "metrics and health on" in fleet.log(worker), 90, "the topics are checked")
    for role in ROLES:
        stack.broker.command(f"topic-error {fleet.topics.name(role)} {UNKNOWN_TOPIC}")
    wait_until(
        lambda: "newly assigned partitions set()" in fleet.log(worker), 30, "nothing is assigned"
    )
    for role, partitions in ROLES.items():
        stack.broker.command(f"topic-error {fleet.topics.name(role)} 0")
        for partition in range(partitions):
            fleet.put(role, [record_value(partition)], partition)
    wait_until(
        lambda: len(fleet.watermarks("quotes")) == 4, METADATA_SECONDS / 2, "it works all the same"
    )
    drain(fleet)
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)


@EMBEDDED
def test_an_unexpected_coordinator_error_does_not_park_the_worker(
    fleet: Fleet, stack: Stack
) -> None:
    """One SyncGroup answered with error 42.

    It leaves a stock Faust worker without partitions for ever.
    """
    assert isinstance(stack, EmbeddedTestStack)
    first, pacer = fleet.start(), Pacer(fleet, ROLES, 200)
    pacer.start()
    wait_until(lambda: len(fleet.watermarks("quotes")) == 4, 90, "the first worker works")
    stack.broker.command("err 14 42 1")
    second = fleet.start()
    wait_until(
        lambda: "group coordinator:" in fleet.log(first) + fleet.log(second),
        60,
        "the guard speaks up",
    )
    before = fleet.watermarks("quotes")
    wait_until(
        lambda: all(fleet.watermarks("quotes")[p] > before[p] for p in range(4)),
        60,
        "progress on every partition",
    )
    pacer.stop()
    drain(fleet)
    assert fleet.stop(first) == EXIT_OK, fleet.log(first)
    drain(fleet)
    assert fleet.stop(second) == EXIT_OK, fleet.log(second)
    judge(fleet, pacer)
