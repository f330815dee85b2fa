"""The sample producers, run as they stand.

What they publish is read as the very quotes that they were given.
"""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from agents.kafka.client import kafka_python_options
from agents.kafka.frame_publisher import FramePublisher
from config.settings import Settings
from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE, decode_quotes
from streams.decoding.frames import ARROW_CONTENT_TYPE
from streams.framing.framing import FRAME_ROWS
from streams.framing.partitioner import partition_of
from streams.records import NS, Heartbeat, Malformed, Series
from streams.topics import Topics
from tests.support.command import environment
from tests.support.frame_bytes import START
from tests.support.option_chains import Chain, quotes_of
from tests.support.option_vols import vols_of
from tests.support.producers import ROOT, java_producer
from tests.support.stack import RealStack, environment_for, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
PARTITIONS = 3
TERMS = (
    date(2026, 7, 17),
    date(2026, 8, 14),
    date(2026, 9, 18),
    date(2026, 12, 18),
    date(2027, 6, 18),
    date(2028, 1, 21),
)
QUOTES = quotes_of(
    [
        Chain(name, TERMS, forward=forward)
        for name, forward in (("SPY", 600.0), ("AAPL", 200.0), ("BRK.B", 500.0))
    ],
    START,
)
SAMPLES = ROOT / "samples" / "producers"
Row = tuple[str, str, float, str, float, float, int]


def rows_of(item: Any) -> list[Row]:
    names = [item.series[code].underlying for code in item.series_code.tolist()]
    days = [
        date.fromordinal(date(1970, 1, 1).toordinal() + day).isoformat()
        for day in item.expiry.tolist()
    ]
    rights = ["C" if call else "P" for call in item.call.tolist()]
    columns = (
        item.strike.tolist(),
        rights,
        np.round(item.bid, 4).tolist(),
        np.round(item.ask, 4).tolist(),
        item.ts_event.tolist(),
    )
    return list(zip(names, days, *columns, strict=True))


@pytest.fixture
def configured(real_stack: RealStack, topic_prefix: str) -> Settings:
    topics = Topics(topic_prefix)
    real_stack.create_topics([(topics.name(one), PARTITIONS) for one in ("quotes", "ticks")])
    return settings_for(real_stack, topic_prefix)


def read(settings: Settings) -> list[tuple[int, Any, Any]]:
    """Partition, record and decoded item of all that is on the quotes topic.

    Each record is one item.
    """
    consumer = KafkaConsumer(**kafka_python_options(settings), consumer_timeout_ms=10_000)
    places = [
        TopicPartition(Topics(settings.kafka.topic_prefix).name("quotes"), partition)
        for partition in range(PARTITIONS)
    ]
    found: list[tuple[int, Any, Any]] = []
    for place, end in consumer.end_offsets(places).items():
        consumer.assign([place])
        consumer.seek_to_beginning()
        while consumer.position(place) < end:
            record = next(consumer)
            (item,) = decode_quotes([record])
            assert not isinstance(item, Malformed), item
            found.append((place.partition, record, item))
    consumer.close()
    return found


@pytest.mark.parametrize(
    "command",
    [lambda: [sys.executable, str(SAMPLES / "frame_producer.py")], java_producer],
    ids=["python", "java"],
)
def test_a_sample_publishes_the_quotes_it_is_given(
    configured: Settings, command: Callable[[], list[str]]
) -> None:
    rows = rows_of(QUOTES)
    assert len(rows) > 2 * FRAME_ROWS, "full frames and rests"
    lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    topic = Topics(configured.kafka.topic_prefix).name("quotes")
    arguments = [*command(), configured.kafka.bootstrap_servers, topic]
    done = subprocess.run(
        arguments, input=lines, capture_output=True, text=True, timeout=90, check=False
    )
    assert done.returncode == 0, done.stderr
    got, ends = dict[str, list[Row]](), dict[int, int]()
    for partition, record, item in read(configured):
        kind = dict(record.headers)["content-type"].decode()
        if isinstance(item, Heartbeat):
            assert kind == HEARTBEAT_CONTENT_TYPE
            ends[partition] = item.ts_event
            continue
        assert (kind, item.ts_event.size <= FRAME_ROWS, partition in ends) == (
            ARROW_CONTENT_TYPE,
            True,
            False,
        )
        for row in rows_of(item):
            assert partition == partition_of(row[0], PARTITIONS)
            got.setdefault(row[0], []).append(row)
    wanted: dict[str, list[Row]] = {}
    for row in rows:
        wanted.setdefault(row[0], []).append(row)
    assert got == wanted, "each underlying's quotes in their order"
    assert ends == dict.fromkeys(range(PARTITIONS), START)


def test_the_example_of_the_page(configured: Settings, tmp_path: Path) -> None:
    (code,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/connect/wire-format.md").read_text(), re.DOTALL
    )
    program = tmp_path / "example.py"
    program.write_text(code)
    variables = environment(environment_for(configured)) | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, program],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = read(configured)
    told = {
        (one, item.bid[0])
        for _, _, item in found
        if not isinstance(item, Heartbeat)
        for one in item.series
    }
    assert {(Series("SPX", "SPXW"), 41.5), (Series("SPY", "SPY"), 4.1)} >= told
    assert sum(isinstance(item, Heartbeat) for _, _, item in found) == PARTITIONS


def test_quotes_and_vols_are_gathered_until_they_are_flushed(configured: Settings) -> None:
    vols = vols_of([Chain("SPY", TERMS[:1])], START)._replace(refresh_seconds=60.0)
    with FramePublisher(configured) as publisher:
        for at in range(10):
            publisher.add(QUOTES._replace(ts_event=QUOTES.ts_event + at * NS))
        publisher.add(vols)
        publisher.flush()
        found = [item for _, _, item in read(configured)]
    assert sum(item.ts_event.size for item in found) == 10 * QUOTES.strike.size + vols.strike.size
    assert {(type(item).__name__, item.refresh_seconds) for item in found} == {
        ("Quotes", None),
        ("Vols", 60.0),
    }
    assert max(item.ts_event.size for item in found) <= FRAME_ROWS
