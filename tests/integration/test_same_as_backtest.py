"""A fleet of workers on Kafka and Redis publishes what one process computes.

It does so on both stacks, re-chunked, and through kills.
"""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.fleet import Fleet, wait_until
from tests.support.monitor import expected, feed, follow, publish, published, rechunked
from tests.support.stack import RealStack, Stack, create_flow_topics, settings_for

PARTITIONS = 4
REFRESH = 60
"""Seconds between the scenario's quotes: 31 refreshes."""
SECONDS = 120.0


AHEAD = {"embedded": 2 * 2**20, "real": 0}


@contextmanager
def fleet_on(stack: Stack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = settings_for(
        stack,
        topic_prefix,
        mode="replay",
        rules={"cap_unknown": False},
        redis={"checkpoint_seconds": 0.5},
    )
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, tmp_path) as fleet:
        yield fleet


def test_two_workers_publish_what_the_backtest_computes(
    stack: Stack, topic_prefix: str, tmp_path: Path
) -> None:
    with fleet_on(stack, topic_prefix, tmp_path) as fleet:
        records = feed(fleet.settings, REFRESH, PARTITIONS)
        wanted = expected(fleet.settings, records, PARTITIONS)
        for _ in range(2):
            fleet.start("agents.cli.main", "worker")
        publish(fleet.settings, records, AHEAD[stack.name])
        follow(fleet, PARTITIONS, wanted, SECONDS)
        readings, events = published(fleet, PARTITIONS)
        assert len(readings) >= 33
        assert {e["data"]["rule"] for e in events} >= {"vix_spike_unwind"}
        assert readings == wanted[0]
        assert events == wanted[1]


@pytest.mark.chaos
@pytest.mark.stack
def test_rechunked_interleaved_and_with_every_worker_killed_once(
    real_stack: RealStack, topic_prefix: str, tmp_path: Path
) -> None:
    with fleet_on(real_stack, topic_prefix, tmp_path) as fleet:
        rng = random.Random(20180205)
        records = feed(fleet.settings, REFRESH, PARTITIONS)
        wanted = expected(fleet.settings, records, PARTITIONS)
        mixed = rechunked(records, rng)
        assert len(mixed) > len(records)
        for _ in range(3):
            fleet.start("agents.cli.main", "worker")
        third = len(mixed) // 3
        for part in range(3):
            publish(
                fleet.settings, mixed[part * third : (part + 1) * third if part < 2 else len(mixed)]
            )
            victim = fleet.workers[part]
            wait_until(lambda: bool(fleet.watermarks("quotes")), 60, "any checkpoint")
            victim.send_signal(signal.SIGKILL)
            victim.wait()
            fleet.start("agents.cli.main", "worker")
        follow(fleet, PARTITIONS, wanted, SECONDS)
        readings, events = published(fleet, PARTITIONS)
        assert readings == wanted[0]
        assert events == wanted[1]
