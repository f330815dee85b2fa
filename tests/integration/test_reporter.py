"""`dispersion reporter` on a real Kafka and Redis, killed at every instant around the close."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import html5lib
import jsonschema
import msgspec
import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from agents.kafka.client import kafka_python_options
from agents.store.keys import snapshot
from config.schemas.files import FOLDER
from streams.calendar.sessions import close_ns, shift_session
from streams.framing.partitioner import partition_of
from streams.reading import Reading, encode_reading
from streams.records import NS
from streams.report.build import report_id
from tests.support.catalogue import catalogue
from tests.support.fleet import Fleet, wait_until
from tests.support.pages import get, ready
from tests.support.readings import INDEX, MONDAY, Run, closing, path
from tests.support.stack import RealStack, create_flow_topics, settings_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]
PARTITIONS = 2
CALM = (0.148, 0.44, 0.10)
SECONDS = 60.0

Process = subprocess.Popen[bytes]


@dataclass
class Market:
    """Readings as the worker leaves them: on the topic, and the latest as a snapshot in Redis."""

    fleet: Fleet
    folder: Path
    run: Run = field(default_factory=Run)
    over: set[date] = field(default_factory=set)

    def publish(self, *readings: Reading) -> None:
        self.fleet.put(
            "readings", [encode_reading(one) for one in readings], partition_of(INDEX, PARTITIONS)
        )

    def show(self, *readings: Reading) -> None:
        self.run.play(readings)
        fields = {"value": self.run.outputs[-1].snapshots[INDEX], "published_at": time.time()}
        key = snapshot(self.fleet.settings.kafka.topic_prefix, INDEX)
        with self.fleet.redis as redis:
            redis.hset(key, mapping=fields)

    def close(self, session: date) -> None:
        """Once."""
        if session not in self.over:
            self.over.add(session)
            close = closing(session, *CALM)
            self.publish(close, msgspec.structs.replace(close, tenor="91d", tenor_days=91))
            self.show(closing(session, *CALM))

    def start(self) -> Process:
        return self.fleet.start(
            "agents.cli.main", "reporter", DISPERSION_REPORT__FOLDER=str(self.folder)
        )

    def file(self, session: date, ending: str) -> Path:
        return self.folder / f"{INDEX}-{session}-replay.{ending}"

    def records(self) -> list[Any]:
        """Everything that stands on the topic of reports, as it was appended."""
        places = [TopicPartition(self.fleet.topics.name("reports"), at) for at in range(PARTITIONS)]
        consumer = KafkaConsumer(**kafka_python_options(self.fleet.settings), group_id=None)
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning(*places)
        found: list[Any] = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for batch in consumer.poll(timeout_ms=200).values():
                found.extend(batch)
        consumer.close()
        return found


@pytest.fixture
def market(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[Market]:
    counts = {"quotes": PARTITIONS, "ticks": PARTITIONS, "results": PARTITIONS}
    settings = settings_for(
        real_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": counts},
        market={"indices": [{"symbol": INDEX, "tenors": [30, 91]}]},
    )
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield Market(fleet, tmp_path / "reports")


def instants(market: Market) -> list[tuple[int, str, Callable[[date, str], bool]]]:
    """Which of the sessions, in words, and whether it is now (session, log so far)."""
    return [
        (0, "at once", lambda _s, _log: True),
        (0, "as it listens", lambda _s, log: "metrics and health on" in log),
        (0, "as the close comes", lambda s, log: closed(market, s, log, 0.0)),
        (0, "while it settles", lambda s, log: closed(market, s, log, 1.0)),
        (0, "as it begins", lambda s, log: f"the session {s} of {INDEX} has ended" in log),
        (0, "among its files", lambda s, _log: market.file(s, "json").exists()),
        (0, "after the page", lambda s, _log: market.file(s, "html").exists()),
        (1, "while it publishes", lambda s, _log: published_soon(market, s)),
        (2, "as it is published", lambda s, _log: str(s) in sessions(market)),
        (3, "after all", lambda s, log: f"report of {INDEX} {s}" in log),
    ]


def closed(market: Market, session: date, log: str, seconds: float) -> bool:
    """It listens, its session closes, and so much later."""
    if "metrics and health on" not in log:
        return False
    market.close(session)
    time.sleep(seconds)
    return True


def published_soon(market: Market, session: date) -> bool:
    """Its page is there, and a moment has passed in which it is sent."""
    if not market.file(session, "html").exists():
        return False
    time.sleep(0.05)
    return True


def sessions(market: Market) -> list[str]:
    return [json.loads(record.value)["session"] for record in market.records()]


def test_killed_around_the_close_it_reports_each_session_once(
    market: Market, real_stack: RealStack
) -> None:
    days = [shift_session(MONDAY, at) for at in range(5)]
    before = path(days[0], "15:59:00", 60, [CALM, CALM], step=30)
    market.publish(*before)
    market.show(*before)
    for at, words, is_now in instants(market):
        session = days[at]
        process = market.start()
        if at:
            market.close(session)
        deadline = time.monotonic() + SECONDS
        while not is_now(session, market.fleet.log(process)):
            assert time.monotonic() < deadline, f"{words}: {market.fleet.log(process)}"
            time.sleep(0.01)
        process.kill()
        process.wait()

    process = market.start()
    url = ready(market.fleet, process)
    wait_until(lambda: len(set(sessions(market))) == 4, SECONDS, market.fleet.log(process))
    _outlives_kafka(market, real_stack, url, days[4])
    _each_once(market, days)
    _page_is_catalogued(url, days[4])
    assert market.fleet.stop(process) == 0, market.fleet.log(process)


def _outlives_kafka(market: Market, real_stack: RealStack, url: str, session: date) -> None:
    """The close comes while Kafka is away: the report is late, and not lost."""
    market.publish(closing(session, *CALM))
    real_stack.kafka_down()
    try:
        market.show(closing(session, *CALM))
        wait_until(lambda: f"{INDEX}: " in get(f"{url}/readyz")[2], SECONDS, "the outage is told")
    finally:
        real_stack.kafka_up()
    wait_until(lambda: str(session) in sessions(market), SECONDS, "the report after the outage")
    wait_until(lambda: get(f"{url}/readyz")[0] == 200, SECONDS, "well again")


def _each_once(market: Market, days: list[date]) -> None:
    records = market.records()
    wanted = {report_id(closing(day, *CALM)): str(day) for day in days}
    found = {record.key.decode(): json.loads(record.value) for record in records}
    assert {key: one["session"] for key, one in found.items()} == wanted
    assert Counter(record.key for record in records).most_common(1)[0][1] == 1
    schema = json.loads((FOLDER / "report.v1.json").read_text(encoding="utf-8"))
    for day, one in zip(days, sorted(found.values(), key=lambda one: one["session"]), strict=True):
        jsonschema.validate(one, schema)
        assert one["as_of"] == f"{day}T20:15:00Z", "the closing reading"
        if day != days[-1]:
            assert one["charts"][-1]["places"] == ["30 days", "91 days"]
        assert json.loads(market.file(day, "json").read_bytes())["id"] == one["id"]
        page = market.file(day, "html").read_text(encoding="utf-8")
        html5lib.HTMLParser(strict=True).parse(page)
        assert one["verdict"].split(":")[0] in page
        assert market.file(day, "md").exists()
    # A process that was killed may leave a half of a file; nobody takes it for a report.
    assert {file.suffix for file in market.folder.iterdir()} <= {".html", ".md", ".json", ".part"}


def _page_is_catalogued(url: str, last: date) -> None:
    described = {name: one for name, one in catalogue().items() if "reporter" in one.jobs}
    shown: dict[str, Any] = {}
    values: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families(get(f"{url}/metrics")[2]):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = frozenset(label for sample in family.samples for label in sample.labels)
        shown[name] = (family.type, labels)
        values |= {
            (name, sample.labels.get("outcome", "")): sample.value for sample in family.samples
        }
    assert shown == {name: (one.kind, one.labels) for name, one in described.items()}
    assert values["dispersion_reports_missing", ""] == 0
    assert values["dispersion_report_session_timestamp_seconds", ""] == close_ns(last) / NS
    assert values["dispersion_reports_total", "published"] >= 1
    assert values["dispersion_reports_total", "failed"] >= 1
