"""Foreign records on every topic of ours, before a worker starts and while it runs: events come out as without them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.alerts.states import alert_states
from agents.cli.main import main
from config.settings import Settings
from streams.partitioner import partition_of
from streams.reading import Reading, encode_reading
from streams.topics import Topics
from tests.support.commands import UNWIND
from tests.support.fleet import Fleet, wait_until
from tests.support.foreign_records import OURS, foreign_records
from tests.support.monitor import comparable_event
from tests.support.pages import ready, samples, series
from tests.support.readings import FRIDAY, INDEX, MONDAY, NAMES, WEIGHTS, Run, closing, path
from tests.support.stack import EmbeddedTestStack, create_flow_topics, environment_for, settings_for

pytestmark = [pytest.mark.embedded, pytest.mark.timeout(240)]
CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
SECONDS = 60.0
HOME = partition_of(INDEX, 1)
FIRST = [closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)]
SECOND = path(MONDAY, "10:20:11", 400, [SHOCK, CALM], step=5)
THIRD = path(MONDAY, "10:27:00", 600, [CALM, CALM], step=5)


@pytest.fixture
def settings(embedded_stack: EmbeddedTestStack, topic_prefix: str, tmp_path: Path) -> Settings:
    """One index on the toy basket of the scripted readings."""
    basket = tmp_path / "toy.toml"
    names = zip(NAMES, WEIGHTS, strict=True)
    basket.write_text("".join(f'[[constituents]]\nsymbol = "{name}"\nweight = {weight}\n' for name, weight in names))
    return settings_for(
        embedded_stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 1}},
        market={"indices": [{"symbol": INDEX, "basket": str(basket), "tenors": [30]}]},
        rules={"cap_unknown": False},
        redis={"lease_seconds": 2},
        worker={"dead_letter_ratio": 1.0},
    )


@pytest.fixture
def fleet(
    embedded_stack: EmbeddedTestStack,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Fleet]:
    create_flow_topics(embedded_stack, settings)
    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)
    with Fleet(settings, embedded_stack.redis.url, tmp_path) as made:
        yield made


def read(fleet: Fleet, readings: Sequence[Reading]) -> None:
    fleet.put("readings", [encode_reading(reading) for reading in readings])


def flood(fleet: Fleet, own: bytes) -> int:
    """The whole table on every topic of ours; how many records."""
    producer, count = fleet.producer(max_request_size=2 * 2**20), 0
    for role in OURS:
        for record in foreign_records(own):
            stamp = None if role == "commands" else record.timestamp
            if stamp is not None:
                producer.flush(60)  # the broker refuses a timestamp beyond all bounds with its whole batch
            producer.send(fleet.topics.name(role), record.value, record.key, list(record.headers), 0, stamp)
            if stamp is not None:
                producer.flush(60)
            count += 1
    producer.flush(60)
    producer.close()
    return count


def told(fleet: Fleet, own: bytes) -> list[dict[str, Any]]:
    """Every event on the log that the table has not put there, in order."""
    foreign = {record.value for record in foreign_records(own)} - {own}
    heartbeats = b'"io.dispersion.heartbeat.v1"'
    values = [record.value for record in fleet.records("alerts") if record.value not in foreign]
    return [comparable_event(value) for value in values if value and heartbeats not in value]


def expected() -> list[dict[str, Any]]:
    run = Run(cap_unknown=False)
    run.play([*FIRST, *SECOND, *THIRD])
    return [comparable_event(entry.value) for output in run.outputs for entry in output.outbox]


def test_nothing_foreign_stops_or_changes_anything(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(cap_unknown=False)
    run.play(FIRST)
    own = next(entry.value for output in run.outputs for entry in output.outbox)
    flood(fleet, own)
    worker = fleet.start("agents.cli.main", "worker")
    url = ready(fleet, worker)
    read(fleet, FIRST)
    wait_until(lambda: worker.poll() is not None or fleet.drained("readings", 1), SECONDS, "first readings applied")
    assert worker.poll() is None, fleet.log(worker)
    alerts = Topics(fleet.settings.kafka.topic_prefix).name("alerts")
    counted = series("dispersion_foreign_records_total", topic=alerts, reason="schema")
    wait_until(lambda: samples(url)[counted] > 0, SECONDS, "foreign records counted")
    assert "is not ours (schema" in fleet.log(worker)
    flood(fleet, own)
    read(fleet, SECOND)
    assert fleet.stop(worker) == 0, fleet.log(worker)
    worker = fleet.start("agents.cli.main", "worker")
    read(fleet, THIRD)
    wait_until(lambda: worker.poll() is not None or fleet.drained("readings", 1), SECONDS, "last readings applied")
    assert worker.poll() is None, fleet.log(worker)
    wanted = {event["id"]: event for event in expected()}
    wait_until(lambda: {event["id"] for event in told(fleet, own)} >= set(wanted), SECONDS, "all events published")
    assert fleet.stop(worker) == 0, fleet.log(worker)
    assert {event["id"]: event for event in told(fleet, own)} == wanted
    assert "Traceback" not in fleet.log(worker)
    _looks(fleet, capsys)


def _looks(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """What the commands make of it."""
    assert alert_states(fleet.settings)[UNWIND].event.data.status == "resolved"
    for arguments in (["list", "--all"], ["show", UNWIND], ["tail", "--from-beginning", "--no-follow"]):
        assert main(["alerts", *arguments]) == 0, capsys.readouterr().err
        shown = capsys.readouterr()
        assert UNWIND in shown.out or "vix_spike_unwind" in shown.out
