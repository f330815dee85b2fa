"""Foreign records on every topic of ours, before a worker starts and while it runs.

Events come out as without them.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.alerts.states import alert_states
from agents.cli.main import main
from config.settings import Settings
from streams.reading import Reading, encode_reading
from streams.topics import Topics
from tests.support.commands import UNWIND
from tests.support.fleet import Fleet, wait_until
from tests.support.foreign_records import OURS, foreign_records, refused_by_kafka
from tests.support.monitor import comparable_event
from tests.support.pages import ready, samples, series
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path
from tests.support.stack import Stack
from tests.support.subscriber import documented
from tests.support.toy_basket import toy_fleet, toy_settings

pytestmark = pytest.mark.timeout(280)
CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
SECONDS = 60.0
FIRST = [closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)]
SECOND = path(MONDAY, "10:20:11", 400, [SHOCK, CALM], step=5)
THIRD = path(MONDAY, "10:27:00", 600, [CALM, CALM], step=5)


@pytest.fixture
def settings(stack: Stack, topic_prefix: str, tmp_path: Path) -> Settings:
    return toy_settings(stack, topic_prefix, tmp_path, results=1, worker={"dead_letter_ratio": 1.0})


@pytest.fixture
def fleet(
    stack: Stack, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    with toy_fleet(stack, settings, tmp_path, monkeypatch) as made:
        yield made


def read(fleet: Fleet, readings: Sequence[Reading]) -> None:
    fleet.put("readings", [encode_reading(reading) for reading in readings])


def flood(stack: Stack, fleet: Fleet, own: bytes) -> None:
    """The whole table on every topic of ours.

    What a broker itself refuses needs no judge, and is known to be just that.
    """
    # an idempotent producer gives up for good at its first refused batch
    producer: Any = fleet.producer(max_request_size=2 * 2**20, enable_idempotence=False)
    sent = list[tuple[Any, bool, str]]()
    for role in OURS:
        for record in foreign_records(own):
            refused = stack.name == "real" and refused_by_kafka(role, record)
            if refused:
                producer.flush(60)  # a batch is refused whole
            # the broker stamps commands itself
            stamp = None if role == "commands" else record.timestamp
            where = (fleet.topics.name(role), record.value, record.key, list(record.headers), 0)
            sent.append((producer.send(*where, stamp), refused, f"{role} {record!r:.200}"))
            if refused:
                producer.flush(60)
    producer.flush(60)
    producer.close()
    for future, refused, what in sent:
        assert future.failed() == refused, what


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


def test_nothing_foreign_stops_or_changes_anything(
    stack: Stack, fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(cap_unknown=False)
    run.play(FIRST)
    own = next(entry.value for output in run.outputs for entry in output.outbox)
    flood(stack, fleet, own)
    worker = fleet.start("agents.cli.main", "worker")
    url = ready(fleet, worker)
    read(fleet, FIRST)
    wait_until(
        lambda: worker.poll() is not None or fleet.drained("readings", 1),
        SECONDS,
        "first readings applied",
    )
    assert worker.poll() is None, fleet.log(worker)
    alerts = Topics(fleet.settings.kafka.topic_prefix).name("alerts")
    counted = series("dispersion_foreign_records_total", topic=alerts, reason="schema")
    wait_until(lambda: samples(url)[counted] > 0, SECONDS, "foreign records counted")
    assert "is not ours (schema" in fleet.log(worker)
    flood(stack, fleet, own)
    read(fleet, SECOND)
    assert fleet.stop(worker) == 0, fleet.log(worker)
    worker = fleet.start("agents.cli.main", "worker")
    read(fleet, THIRD)
    wait_until(
        lambda: worker.poll() is not None or fleet.drained("readings", 1),
        SECONDS,
        "last readings applied",
    )
    assert worker.poll() is None, fleet.log(worker)
    wanted = {event["id"]: event for event in expected()}
    wait_until(
        lambda: {event["id"] for event in told(fleet, own)} >= set(wanted),
        SECONDS,
        "all events published",
    )
    assert fleet.stop(worker) == 0, fleet.log(worker)
    assert {event["id"]: event for event in told(fleet, own)} == wanted
    assert "Traceback" not in fleet.log(worker)
    _looks(fleet, capsys)
    _subscribes(stack, fleet, wanted)


def _looks(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """What the commands make of it."""
    assert alert_states(fleet.settings)[UNWIND].event.data.status == "resolved"
    for arguments in (
        ["list", "--all"],
        ["show", UNWIND],
        ["tail", "--from-beginning", "--no-follow"],
    ):
        assert main(["alerts", *arguments]) == 0, capsys.readouterr().err
        shown = capsys.readouterr()
        assert UNWIND in shown.out or "vix_spike_unwind" in shown.out


def _subscribes(stack: Stack, fleet: Fleet, wanted: dict[str, dict[str, Any]]) -> None:
    """The subscriber of the documentation goes on through all of it.

    It tells our events alone, once each, in order.
    """
    older = ["api_version=(2, 0)"] if stack.name == "embedded" else []
    script = documented(stack.bootstrap_servers, fleet.topics.name("alerts"), *older)
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in wanted]
        running = process.poll() is None
    finally:
        process.kill()
        rest, errors = process.communicate()
    assert (running, rest, errors) == (True, "", "")
    events = wanted.values()
    assert lines == [
        f"{one['time']} {one['subject']} {one['data']['status']} {one['data']['summary']}\n"
        for one in events
    ]
