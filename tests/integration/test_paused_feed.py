"""A live feed that pauses again and again, without heartbeats.

Two workers say what one process does, whatever their clocks and stalls.
"""

import signal
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_python_options
from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_OK
from streams.points_codec import decode_points
from streams.records import InputRecord
from tests.support.fleet import Fleet, wait_until
from tests.support.monitor import expected, feed, follow, publish, published
from tests.support.pages import ready
from tests.support.stack import RealStack, create_flow_topics, settings_for

pytestmark = pytest.mark.stack
PARTITIONS = 2
REFRESH = 120
IDLE_AFTER = 1.0
STALL = 2.0
UNTIL = 1_783_951_920_000
"""Twelve minutes into the unwind, when its alert has fired (ms)."""


def beats(record: InputRecord) -> bool:
    """Whether a record is a heartbeat."""
    return b"heartbeat" in dict(record.headers)["content-type"]


def bursts(records: Sequence[InputRecord]) -> list[list[InputRecord]]:
    """Two seconds with quotes in each.

    The second one closes the first, so whoever hears of them first has much to say at once.
    """
    seconds = [list(group) for _, group in groupby(records, key=lambda record: record.timestamp)]
    return [
        [record for second in seconds[at : at + 2] for record in second]
        for at in range(0, len(seconds), 2)
    ]


class Lulls:
    """Follows the points topic, to know when every source has been called idle."""

    def __init__(self, fleet: Fleet) -> None:
        self._consumer = KafkaConsumer(**kafka_python_options(fleet.settings))
        self._consumer.assign(
            [TopicPartition(fleet.topics.name("points"), p) for p in range(PARTITIONS)]
        )
        self._consumer.seek_to_beginning()
        self._idle: dict[str, bool] = {}

    def complete(self) -> bool:
        """Whether all are silent as far as the topic says."""
        found: Mapping[TopicPartition, list[object]] = self._consumer.poll(timeout_ms=100)
        for record in (record for records in found.values() for record in records):
            frame = decode_points(record.value)  # type: ignore[attr-defined]
            self._idle[frame.source] = frame.idle
        return len(self._idle) == 2 * PARTITIONS and all(self._idle.values())

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()


@pytest.mark.parametrize(
    "offsets", [(0, 0), (30, -25)], ids=["clocks agree", "clocks a minute apart"]
)
def test_a_paused_feed_gives_what_the_backtest_gives(
    real_stack: RealStack, topic_prefix: str, tmp_path: Path, offsets: tuple[int, int]
) -> None:
    settings = settings_for(
        real_stack,
        topic_prefix,
        mode="live",
        kafka={"partitions": {"quotes": PARTITIONS, "ticks": PARTITIONS, "results": PARTITIONS}},
        rules={"cap_unknown": False},
        redis={"checkpoint_seconds": 0.5},
        worker={"idle_after": IDLE_AFTER},
    )
    create_flow_topics(real_stack, settings)
    records = [
        record for record in feed(settings, REFRESH, PARTITIONS) if record.timestamp <= UNTIL
    ]
    wanted = expected(settings, records, PARTITIONS)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        jumps = [tmp_path / f"jump-{number}" for number in range(2)]
        workers = [
            fleet.start(
                "tests.support.live_worker", "worker", WALL_OFFSET=str(offset), WALL_JUMP=str(jump)
            )
            for offset, jump in zip(offsets, jumps, strict=True)
        ]
        for worker in workers:
            ready(fleet, worker, 150.0)
        lulls = Lulls(fleet)
        for number, burst in enumerate(bursts(records)):
            wait_until(lulls.complete, 60.0, f"a lull before burst {number}")
            stalled = workers[number // 2 % 2] if offsets[0] and number % 2 else None
            if stalled is not None:
                stalled.send_signal(signal.SIGSTOP)
            publish(settings, [record for record in burst if not beats(record)])
            time.sleep(STALL if stalled is not None else IDLE_AFTER)
            if stalled is not None:
                stalled.send_signal(signal.SIGCONT)
        lulls.close()
        follow(fleet, PARTITIONS, wanted, 120.0)
        readings, events = published(fleet, PARTITIONS)
        if offsets[0]:
            jumps[0].touch()
            assert workers[0].wait(60.0) == EXIT_ACTION_NEEDED
            assert "refused: the clock has gone +120 s away from that of Redis" in fleet.log(
                workers[0]
            )
            assert fleet.stop(workers[1]) == EXIT_OK
    assert {event["data"]["transition"] for event in events} >= {"pending", "firing"}
    assert readings == wanted[0]
    assert events == wanted[1]
