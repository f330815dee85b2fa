"""Workers die at random instants, Kafka and Redis go away.

A subscriber sees every transition once, in order. `DISPERSION_CHAOS_KILLS` and
`DISPERSION_CHAOS_SECONDS` make it longer than the suite has time for (`make chaos`).
"""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.alert_observer import AlertObserver
from tests.support.fleet import Fleet, wait_until
from tests.support.monitor import expected, feed, publish
from tests.support.stack import RealStack, create_flow_topics, settings_for

KILLS = int(os.environ.get("DISPERSION_CHAOS_KILLS", "6"))
SEED = int(os.environ.get("DISPERSION_CHAOS_SEED", "20180205"))
PARTITIONS, REFRESH = 2, 30
WAIT_SECONDS = 120.0
OUTAGE = float(os.environ.get("DISPERSION_CHAOS_SECONDS", "6"))
"""Seconds that Kafka and Redis are away."""

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.stack,
    pytest.mark.timeout(240 + 20 * KILLS + 6 * OUTAGE),
]


@contextmanager
def fleet_on(stack: RealStack, prefix: str, folder: Path) -> Iterator[Fleet]:
    partitions = dict.fromkeys(("quotes", "ticks", "results"), PARTITIONS)
    settings = settings_for(
        stack,
        prefix,
        mode="replay",
        rules={"cap_unknown": False},
        redis={"checkpoint_seconds": 0.5},
        kafka={"partitions": partitions},
    )
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, folder) as fleet:
        yield fleet


def test_killed_at_random_instants(
    real_stack: RealStack, topic_prefix: str, tmp_path: Path
) -> None:
    """Static members: a worker back within the session takes its partitions over at once."""
    rng = random.Random(SEED)
    with fleet_on(real_stack, topic_prefix, tmp_path) as fleet:
        records = feed(fleet.settings, REFRESH, PARTITIONS)
        wanted = expected(fleet.settings, records, PARTITIONS)[1]
        crew = {
            name: fleet.start("agents.cli.main", "worker", DISPERSION_KAFKA__INSTANCE_ID=name)
            for name in ("one", "two")
        }
        start = len(records) // 5
        edges = [start + (len(records) - start) * step // KILLS for step in range(KILLS + 1)]
        with AlertObserver(fleet.settings, PARTITIONS) as observer:
            publish(fleet.settings, records[:start])
            wait_until(
                lambda: bool(fleet.watermarks("readings")),
                WAIT_SECONDS,
                "the first readings are judged",
            )
            for first, last in pairwise(edges):
                publish(fleet.settings, records[first:last])
                time.sleep(rng.uniform(0.0, 3.0))
                name = rng.choice(sorted(crew))
                crew[name].kill()
                crew[name].wait()
                crew[name] = fleet.start(
                    "agents.cli.main", "worker", DISPERSION_KAFKA__INSTANCE_ID=name
                )
            observer.wait_for(len(wanted), WAIT_SECONDS)
        assert not observer.contradictions
        assert observer.events == wanted
        assert len(wanted) >= 3
        assert all(
            worker.poll() == -signal.SIGKILL or worker.poll() is None for worker in fleet.workers
        ), "nobody died by itself"


def test_kafka_and_redis_away(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> None:
    """Redis, then Kafka, then both, each time with input under way."""
    with fleet_on(real_stack, topic_prefix, tmp_path) as fleet:
        records = feed(fleet.settings, REFRESH, PARTITIONS)
        wanted = expected(fleet.settings, records, PARTITIONS)[1]
        for _ in range(2):
            fleet.start("agents.cli.main", "worker")
        quarter = len(records) // 4
        with AlertObserver(fleet.settings, PARTITIONS) as observer:
            publish(fleet.settings, records[:quarter])
            wait_until(
                lambda: bool(fleet.watermarks("readings")),
                WAIT_SECONDS,
                "the first readings are judged",
            )
            for step, (redis, kafka) in enumerate(
                ((True, False), (False, True), (True, True)), start=1
            ):
                publish(
                    fleet.settings,
                    records[step * quarter : (step + 1) * quarter if step < 3 else len(records)],
                )
                with away(real_stack, redis=redis, kafka=kafka):
                    time.sleep(OUTAGE)
            observer.wait_for(len(wanted), WAIT_SECONDS)
        assert not observer.contradictions
        assert observer.events == wanted
        assert [worker.poll() for worker in fleet.workers] == [None, None], "they waited"


@contextmanager
def away(stack: RealStack, *, redis: bool, kafka: bool) -> Iterator[None]:
    """One or both are gone for a while, Kafka by a kill."""
    if redis:
        stack.redis.stop()
    if kafka:
        stack.kafka_down()
    try:
        yield
    finally:
        if kafka:
            stack.kafka_up()
        if redis:
            stack.redis.start()
