"""A worker that is told to stop while its group is being rebalanced ends in order, and in time.

`python -m tests.integration.test_stop_in_rebalance` is a worker with a task that nobody can cancel.
"""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen

import pytest
from confluent_kafka import Consumer

from agents.plan import Counts, Plan
from agents.process.exits import EXIT_OK
from agents.worker.process import run_worker
from config.settings import Settings
from streams.stage import Stage
from tests.support.counting import counting_plans, record_value
from tests.support.fleet import Fleet, wait_until
from tests.support.stack import RealStack, create_flow_topics, settings_for

FROZEN_SECONDS = 1.5
"""Longer than until the next heartbeat is due."""
STOP_SECONDS = 20.0
MODULE = "tests.integration.test_stop_in_rebalance"

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

Worker = Popen[bytes]


@pytest.fixture
def fleet(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = settings_for(
        real_stack,
        topic_prefix,
        kafka={"partitions": {"quotes": 2, "ticks": 1, "results": 2}, "session_timeout": 30.0},
        redis={"checkpoint_seconds": 0.5, "lease_seconds": 3},
    )
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield fleet


@contextmanager
def one_more_member(fleet: Fleet) -> Iterator[None]:
    """Somebody joins the group, and goes again: the workers have to join anew."""
    kafka, over = fleet.settings.kafka, threading.Event()
    consumer = Consumer(
        {
            "bootstrap.servers": kafka.bootstrap_servers,
            "group.id": kafka.group,
            "partition.assignment.strategy": "range",
            "enable.auto.commit": False,
            "log_level": 0,
        }
    )
    consumer.subscribe([fleet.topics.name("quotes")])

    def take_part() -> None:
        while not over.is_set():
            consumer.poll(0.1)
        consumer.close()

    member = threading.Thread(target=take_part)
    member.start()
    try:
        yield
    finally:
        over.set()
        member.join()


def said(fleet: Fleet, worker: Worker, words: str) -> None:
    """Until a worker has logged words since it works; without a pause that would miss them."""
    deadline = time.monotonic() + 60
    while words not in fleet.log(worker).partition("Setting newly assigned")[2]:
        assert time.monotonic() < deadline, fleet.log(worker)
        time.sleep(0.001)


def awake(seconds: float) -> Callable[[Fleet, Worker], None]:
    """So many seconds after a frozen worker goes on: its next heartbeat tells it to join anew."""

    def instant(_fleet: Fleet, worker: Worker) -> None:
        time.sleep(FROZEN_SECONDS)
        worker.send_signal(signal.SIGCONT)
        time.sleep(seconds)

    return instant


def line(words: str) -> Callable[[Fleet, Worker], None]:
    """The worker logs these words."""
    return lambda fleet, worker: said(fleet, worker, words)


INSTANTS: dict[str, Callable[[Fleet, Worker], None]] = {
    **{f"{ms} ms after a pause": awake(ms / 1000) for ms in (0, 20, 30, 40)},
    "the group begins anew": line("because it is rebalancing"),
    "partitions are revoked": line("Revoking previously assigned partitions frozenset"),
    "the group is joined": line("(Re-)joining group"),
    "partitions are assigned": line("Setting newly assigned partitions"),
}


@pytest.mark.parametrize("instant", INSTANTS.values(), ids=INSTANTS)
def test_a_stop_in_a_rebalance_ends_the_worker_in_order(
    fleet: Fleet, instant: Callable[[Fleet, Worker], None]
) -> None:
    worker = fleet.start()
    fleet.put("quotes", [record_value(1)])
    wait_until(lambda: fleet.watermarks("quotes").get(0) == 0, 60, "the worker works")
    if instant not in list(INSTANTS.values())[4:]:
        fleet.freeze(worker)
    with one_more_member(fleet):
        instant(fleet, worker)
        assert fleet.stop(worker, STOP_SECONDS) == EXIT_OK, fleet.log(worker)
    log = fleet.log(worker)
    assert "stopped in" in log
    assert "LeaveGroup request succeeded" in log, "the others need not wait for its session"
    assert "leaving with exit code" not in log


def test_a_worker_that_has_stopped_ends_whatever_task_is_left(fleet: Fleet) -> None:
    worker = fleet.start(MODULE)
    fleet.put("quotes", [record_value(1)])
    wait_until(lambda: fleet.watermarks("quotes").get(0) == 0, 60, "the worker works")
    assert fleet.stop(worker, STOP_SECONDS) == EXIT_OK, fleet.log(worker)
    assert "stopped in" in fleet.log(worker)
    assert "tasks or threads are left" in fleet.log(worker)


async def deaf() -> None:
    """A task that takes no notice of being cancelled."""
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)


def plans(settings: Settings) -> Sequence[Plan]:
    """Those of the counting worker; the first stage brings the task with it."""
    tasks: list[asyncio.Task[None]] = []
    first, *others = counting_plans(settings)

    def make(partition: int, counts: Counts) -> Stage:
        tasks.append(asyncio.get_running_loop().create_task(deaf()))
        return first.make(partition, counts)

    return (first._replace(make=make), *others)


if __name__ == "__main__":
    sys.exit(run_worker(Settings(), plans))
