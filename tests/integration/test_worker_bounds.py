"""What a worker may take when Redis hangs, and what one name for two members leads to.

What it may take is memory and time. Kafka is a real one.
"""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer

from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_OK, EXIT_UNAVAILABLE
from streams.stage import Role
from tests.benchmarks.meter import peak_rss_mb
from tests.support.counting import record_value
from tests.support.fleet import Fleet, Pacer, judge_alerts, judge_once, wait_until
from tests.support.stack import RealStack, create_flow_topics, settings_for

ROLES: dict[Role, int] = {"quotes": 4, "readings": 2}
FRAME = bytes(100_000)
FRAMES = 3_000
BOUND_MB = 100
"""2 batches of a stream, and a fetch of each partition, at 8 MiB each: 48 MiB.

What copying takes comes on top.
"""

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(200)]


@pytest.fixture
def fleet(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    kafka: dict[str, Any] = {
        "partitions": {"quotes": 4, "ticks": 1, "results": 2},
        "session_timeout": 30.0,
    }
    settings = settings_for(
        real_stack, topic_prefix, kafka=kafka, redis={"checkpoint_seconds": 0.5, "lease_seconds": 3}
    )
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield fleet


def flood(fleet: Fleet) -> None:
    """A backlog on every partition of the quotes."""
    producer = Producer(
        {
            "bootstrap.servers": fleet.settings.kafka.bootstrap_servers,
            "queue.buffering.max.kbytes": 1_000_000,
            "log_level": 0,
        }
    )
    for number in range(FRAMES):
        producer.produce(fleet.topics.name("quotes"), FRAME, partition=number % 4)
    assert producer.flush(60) == 0


def stopped_in(fleet: Fleet, worker: Any) -> float:
    """Seconds from the signal to the end, as the worker says."""
    (seconds,) = re.findall(r"stopped in ([\d.]+) s", fleet.log(worker))
    return float(seconds)


def leases(fleet: Fleet) -> dict[bytes, int]:
    """When each partition's lease runs out, by Redis' clock."""
    client = fleet.redis
    return {
        key: int(client.hget(key, "exp"))
        for key in client.keys(f"dispersion:v1:{{*:{fleet.settings.kafka.topic_prefix}*}}:own")
    }


def test_a_hanging_redis_bounds_memory_and_the_stop(fleet: Fleet, real_stack: RealStack) -> None:
    worker = fleet.start()
    fleet.put("quotes", [record_value(1)])
    wait_until(lambda: fleet.watermarks("quotes") == {0: 0}, 60, fleet.log(worker))
    before = peak_rss_mb(worker.pid)
    worker.send_signal(signal.SIGSTOP)
    flood(fleet)
    real_stack.redis.signal(signal.SIGSTOP)
    try:
        worker.send_signal(signal.SIGCONT)
        wait_until(lambda: "trying again" in fleet.log(worker), 60, "the worker waits for Redis")
        seen, peak = 0.0, before
        while peak > seen + 1:
            time.sleep(2)
            seen, peak = peak, peak_rss_mb(worker.pid)
        assert peak - before < BOUND_MB < FRAMES * len(FRAME) / 1e6, (
            f"{before:.0f} MB, with a backlog in reach {peak:.0f} MB"
        )
        assert fleet.stop(worker) == EXIT_UNAVAILABLE, fleet.log(worker)
    finally:
        real_stack.redis.signal(signal.SIGCONT)
    assert stopped_in(fleet, worker) < 5
    marks, given = fleet.watermarks("quotes"), fleet.committed("quotes", 4)
    assert all((offset or 0) <= marks.get(p, -1) + 1 for p, offset in given.items()), (
        "nothing is given up that is not kept"
    )


def test_a_named_member_restarts_unnoticed_and_a_second_of_its_name_is_fenced(fleet: Fleet) -> None:
    first, other = (fleet.start(DISPERSION_KAFKA__INSTANCE_ID=name) for name in ("first", "other"))
    pacer = Pacer(fleet, ROLES, 200)
    pacer.start()

    def joins(worker: Any) -> int:
        return fleet.log(worker).count("Successfully synced")

    def advance() -> bool:
        return (
            all(mark > before.get(p, -1) for p, mark in fleet.watermarks("quotes").items())
            and len(fleet.watermarks("quotes")) == 4
        )

    before: dict[int, int] = {}
    wait_until(lambda: joins(first) > 0 and joins(other) > 0 and advance(), 90, "both work")
    undisturbed = joins(other)
    first.kill()
    again = fleet.start(DISPERSION_KAFKA__INSTANCE_ID="first")
    wait_until(lambda: joins(again) > 0, 60, fleet.log(again))
    before = fleet.watermarks("quotes")
    wait_until(advance, 60, "progress on every partition")
    assert joins(other) == undisturbed, "the other member was not disturbed"
    twin = fleet.start(DISPERSION_KAFKA__INSTANCE_ID="first")
    wait_until(
        lambda: again.poll() is not None or twin.poll() is not None,
        60,
        f"{fleet.log(again)} {fleet.log(twin)}",
    )
    survivor, fenced = (twin, again) if twin.poll() is None else (again, twin)
    assert fenced.returncode == EXIT_ACTION_NEEDED, fleet.log(fenced)
    assert "give each worker a kafka.instance_id of its own" in fleet.log(fenced)
    pacer.stop()
    for role, partitions in ROLES.items():
        wait_until(
            lambda role=role, n=partitions: fleet.drained(role, n),  # type: ignore[misc]
            60,
            f"{role} drained",
        )
    seen = leases(fleet)
    wait_until(
        lambda: all(leases(fleet)[key] > end for key, end in seen.items()),
        30,
        "idle partitions keep their leases",
    )
    for worker in (survivor, other):
        assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
        assert stopped_in(fleet, worker) < 5
    for role in ROLES:
        judge_once(fleet, role, pacer.sent[role])
    judge_alerts(fleet, 2)
