"""Batches that no client can unpack, on every topic that is read.

They are kept for people, counted, and passed over.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agents.process.ports import free_ports
from config.settings import Settings
from streams.decoding.frames import encode_quotes
from streams.records import NS
from streams.refusals.dead_letters import MAX_VALUE_BYTES
from streams.stage import Role
from tests.support.bad_records import BEAT
from tests.support.command import run, start, stop
from tests.support.fleet import Fleet, wait_until
from tests.support.frame_bytes import START
from tests.support.option_chains import Chain, quotes_of
from tests.support.pages import ready, samples, series
from tests.support.raw_batches import (
    GZIP,
    HEADER,
    LZ4,
    SNAPPY,
    ZSTD,
    batch_of,
    produce,
    with_deltas,
    with_payload,
)
from tests.support.stack import RealStack, create_flow_topics, environment_for, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
BOMB = bytes(100 * 2**20)
CODECS = {"gzip": GZIP, "snappy": SNAPPY, "lz4": LZ4, "zstd": ZSTD}
NO_UTF8 = b"\x12\0\0\0\1\1\2\2\xff\1"
"""A record with one header, whose name no text has."""
INPUTS: dict[Role, str] = {
    "quotes": "gzip",
    "ticks": "snappy",
    "points": "lz4",
    "readings": "zstd",
    "commands": "gzip",
}
TOO_LARGE, CORRUPT = "unpacks_too_large", "corrupt_batch"
LATER = START + 60 * NS


@dataclass(frozen=True)
class Sent:
    """A batch of which nothing is to be read."""

    role: Role
    offset: int
    batch: bytes
    reason: str


class HostileBatches:
    """A worker over one partition of each topic."""

    def __init__(self, stack: RealStack, fleet: Fleet) -> None:
        self.stack, self.fleet = stack, fleet
        self.sent: list[Sent] = []

    def topic(self, role: Role) -> str:
        return self.fleet.topics.name(role)

    def put(self, role: Role, batch: bytes, reason: str) -> None:
        """A batch that the broker takes."""
        error, offset = produce(self.stack.bootstrap_servers, self.topic(role), batch)
        assert error == 0
        if reason:
            self.sent.append(Sent(role, offset, batch, reason))

    def flip(self, role: Role, value: bytes) -> None:
        """A bit falls over on the broker's disk, in a record that was stored before."""
        (segment,) = (self.stack.kafka.directory / "data" / f"{self.topic(role)}-0").glob("*.log")
        at = segment.read_bytes().index(value)
        with segment.open("r+b") as file:
            file.seek(at)
            file.write(b"#")

    def tell(self, at: int) -> None:
        """A second of good quotes, and heartbeats that close it."""
        producer = self.fleet.producer()
        producer.send(self.topic("quotes"), encode_quotes(quotes_of([CHAIN], at)), partition=0)
        for role in ("quotes", "ticks"):
            producer.send(
                self.fleet.topics.name(role),
                b'{"ts_event": %d}' % at,
                headers=list(BEAT),
                partition=0,
            )
        producer.flush()
        producer.close()

    def drained(self) -> bool:
        """Whether everything is applied."""
        applied = all(self.fleet.drained(role, 1) for role in INPUTS if role != "commands")
        return applied and self.fleet.committed("commands", 1) == self.fleet.ends("commands", 1)

    def letters(self) -> dict[tuple[str, int], Any]:
        """By topic and offset."""
        found = {}
        for letter in self.fleet.records("dead_letters"):
            said = dict(letter.headers)
            found[said["x-error-topic"].decode(), int(said["x-error-offset"])] = letter
        return found


CHAIN = Chain("SPY", (date(2026, 7, 31), date(2026, 8, 14)))


@pytest.fixture
def scene(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[HostileBatches]:
    settings = settings_for(
        real_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 1}},
        market={"indices": [{"symbol": "SPY", "references": []}]},
        redis={"checkpoint_seconds": 0.5},
        metrics={"port": free_ports(1)[0]},
        ingest={"topic": f"{topic_prefix}feed"},
    )
    create_flow_topics(real_stack, settings)
    real_stack.create_topics([(settings.ingest.topic, 1)])
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield HostileBatches(real_stack, fleet)


def test_a_worker_keeps_what_it_cannot_unpack_for_people_and_goes_on(scene: HostileBatches) -> None:
    fleet = scene.fleet
    scene.tell(START)
    for role, codec in INPUTS.items():
        scene.put(role, batch_of(CODECS[codec], BOMB), TOO_LARGE)
    scene.put("quotes", batch_of(SNAPPY, b"", BOMB, b""), TOO_LARGE)
    scene.put("quotes", with_payload(0, NO_UTF8), CORRUPT)
    scene.put("quotes", with_deltas((2, 1, 0)), "")
    scene.put("quotes", with_deltas((0, 5000, 1)), "")
    broken = batch_of(0, b"a bit falls over in this")
    scene.put("quotes", broken, CORRUPT)
    scene.flip("quotes", b"a bit falls over in this")
    scene.tell(LATER)
    worker = fleet.start("agents.cli.main", "worker", DISPERSION_METRICS__PORT="0")
    url = ready(fleet, worker)
    wait_until(lambda: worker.poll() is not None or scene.drained(), 60, "everything applied")
    assert worker.poll() is None, fleet.log(worker)

    seconds = [
        json.loads(record.value)["ts_event"]
        for record in fleet.records("readings")
        if (record.value or b"").startswith(b"{")
    ]
    assert len(set(seconds)) >= 2, "the stream went on behind them"
    letters, counted = scene.letters(), samples(url)
    for one in scene.sent:
        letter = letters[scene.topic(one.role), one.offset]
        said = {name: value.decode() for name, value in letter.headers}
        assert (said["reason"], said["x-original-form"], letter.key) == (one.reason, "batch", None)
        assert said["x-original-size"] == str(len(one.batch))
        assert len(letter.value) == min(len(one.batch), MAX_VALUE_BYTES)
        if one.batch is not broken:
            assert letter.value[HEADER:] == one.batch[HEADER:MAX_VALUE_BYTES]
    whole = dict(letters[scene.topic("quotes"), scene.sent[5].offset].headers)
    assert int(whole["x-error-last-offset"]) == scene.sent[5].offset + 2
    for role in INPUTS:
        for reason in (TOO_LARGE, CORRUPT):
            expected = sum((one.role, one.reason) == (role, reason) for one in scene.sent)
            assert (
                counted[
                    series(
                        "dispersion_dead_letter_messages_total",
                        topic=scene.topic(role),
                        reason=reason,
                    )
                ]
                == expected
            )
    log = fleet.log(worker)
    assert log.count("dead-lettered the batch") == len(scene.sent)
    assert "Traceback" not in log
    assert fleet.stop(worker) == 0


def _counted(settings: Settings, feed: str) -> tuple[float, ...]:
    page = samples(f"http://127.0.0.1:{settings.metrics.port}")
    letters = "dispersion_dead_letter_messages_total"
    return tuple(page[series(letters, topic=feed, reason=why)] for why in (TOO_LARGE, CORRUPT))


def test_the_ingest_and_the_commands_pass_over_them(scene: HostileBatches) -> None:
    fleet, settings = scene.fleet, scene.fleet.settings
    servers, feed = scene.stack.bootstrap_servers, settings.ingest.topic
    for codec in CODECS.values():
        assert produce(servers, feed, batch_of(codec, BOMB))[0] == 0
        assert produce(servers, scene.topic("alerts"), batch_of(codec, BOMB))[0] == 0
    assert produce(servers, feed, with_payload(0, NO_UTF8))[0] == 0
    quote = {
        "underlying": "SPY",
        "expiry": "2026-08-28",
        "strike": 100.0,
        "right": "C",
        "bid": 4.0,
        "ask": 4.1,
        "ts_event": START,
    }
    assert produce(servers, feed, batch_of(ZSTD, json.dumps(quote).encode()))[0] == 0
    variables = environment_for(settings)
    ingest = start("ingest", env=variables)
    wait_until(lambda: bool(fleet.records("quotes")), 60, "the quote behind them in a frame")
    assert len(scene.letters()) == 5
    wait_until(lambda: _counted(settings, feed) == (4, 1), 20, "what is acknowledged is counted")
    assert stop(ingest).returncode == 0

    assert (
        produce(
            servers,
            scene.topic("alerts"),
            batch_of(GZIP, b'{"type": "io.dispersion.heartbeat.v1"}'),
        )[0]
        == 0
    )
    for command in (("alerts", "tail", "--from-beginning", "--no-follow"), ("alerts", "list")):
        done = run(*command, env=variables)
        assert done.returncode in {0, 3}, done
        assert "Traceback" not in done.stderr
