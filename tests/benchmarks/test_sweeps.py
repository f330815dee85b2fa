"""Sweeps over 506 names at 100 requests a second: what they cost, and that their frames repeat."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_python_options
from config.settings import Settings
from streams.decoding.frame_columns import Limits
from streams.decoding.frames import decode_quote_frame
from streams.records import Quotes
from streams.topics import Topics
from tests.benchmarks.sweeps import SweepServer, basket_file, sections, symbols, variables
from tests.support.command import DISPERSION, stop
from tests.support.feed_run import MONDAY, eastern
from tests.support.shifted_clock import ShiftedClock
from tests.support.stack import RealStack, create_flow_topics, environment_for, settings_for

NAMES = 506
SWEEPS = 2
PERIOD = 8.0
CPU_SECONDS = 3.0
PEAK_MB = 400.0
LIMITS = Limits()


def frames_of_sweeps(settings: Settings) -> list[list[Quotes]]:
    """By sweep, its frames in the order of partition and offset."""
    topic = Topics(settings.kafka.topic_prefix).name("quotes")
    consumer = KafkaConsumer(**kafka_python_options(settings), consumer_timeout_ms=10_000)
    partitions = [TopicPartition(topic, at) for at in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    records = []
    while any(consumer.position(one) < ends[one] for one in partitions):
        records += [one for found in consumer.poll(1000).values() for one in found]
    consumer.close()
    sweeps: dict[int, list[Quotes]] = {}
    for record in sorted(records, key=lambda one: (one.offset, one.partition)):
        if b"arrow" in dict(record.headers).get("content-type", b""):
            for quotes in decode_quote_frame(record.value, 0, LIMITS):
                assert isinstance(quotes, Quotes)
                sweeps.setdefault(int(quotes.ts_event[0]), []).append(quotes)
    return [sweeps[at] for at in sorted(sweeps)]


def contracts(frames: list[Quotes]) -> Counter[tuple[object, ...]]:
    """What the frames of a sweep are about."""
    return Counter(
        (
            one.series,
            one.series_code.tobytes(),
            one.expiry.tobytes(),
            one.strike.tobytes(),
            one.call.tobytes(),
        )
        for one in frames
    )


@pytest.mark.stack
@pytest.mark.timeout(280)
async def test_a_sweep_over_506_names(
    real_stack: RealStack, topic_prefix: str, tmp_path: Path
) -> None:
    names = symbols(NAMES - 1)
    clock = ShiftedClock(eastern(MONDAY, 10, 30), tmp_path)
    async with SweepServer(names, clock) as server:
        chosen = sections(server, basket_file(tmp_path, names), PERIOD)
        settings = settings_for(real_stack, topic_prefix, **chosen)
        create_flow_topics(real_stack, settings)
        command = [str(DISPERSION), "feed", "run", "cboe"]
        feed = subprocess.Popen(  # noqa: ASYNC220 - it lives as long as the test
            command,
            env=variables(clock, environment_for(settings)),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        server.pid = feed.pid
        try:
            sweeps = await server.sweeps(SWEEPS, feed, 240.0)
        finally:
            ended = stop(feed)
    assert ended.returncode == 0, ended.stderr
    frames = frames_of_sweeps(settings)[:SWEEPS]
    assert sum(one.strike.size for one in frames[0]) > 100 * NAMES
    # A worker reads such frames at the speed of `worker_frames_repeated`.
    assert contracts(frames[1]) == contracts(frames[0])
    assert sweeps[1].cpu_s <= CPU_SECONDS
    assert sweeps[1].peak_rss_mb <= PEAK_MB
