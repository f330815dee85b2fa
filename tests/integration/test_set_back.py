"""A Redis that was set back while commands and readings had mixed.

Commands are read again, and an index leaves while its alert fires.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from agents.alerts.states import alert_states
from agents.cli.main import main
from agents.store.keys import stage_keys
from config.settings import Settings
from streams.framing.partitioner import partition_of
from streams.reading import Reading, encode_reading
from tests.support.commands import UNWIND
from tests.support.fleet import Fleet, wait_until
from tests.support.readings import INDEX, closing, path
from tests.support.stack import RealStack, environment_for
from tests.support.subscriber import judge
from tests.support.toy_basket import toy_fleet, toy_settings

pytestmark = [pytest.mark.stack, pytest.mark.timeout(420)]
FRIDAY, MONDAY = date(2024, 7, 12), date(2024, 7, 15)
CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
UP = path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)
SECONDS = 90.0
HOME = partition_of(INDEX, 2)


@pytest.fixture
def settings(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Settings:
    return toy_settings(real_stack, topic_prefix, tmp_path)


@pytest.fixture
def fleet(
    real_stack: RealStack, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fleet]:
    with toy_fleet(real_stack, settings, tmp_path, monkeypatch) as made:
        yield made


def worked(
    fleet: Fleet, readings: Sequence[Reading], *commands: Sequence[str], **environment: str
) -> None:
    """A worker's life: readings, then commands that are answered, and an orderly end."""
    worker = fleet.start("agents.cli.main", "worker", **environment)
    fleet.put("readings", [encode_reading(reading) for reading in readings], partition=HOME)
    wait_until(
        lambda: worker.poll() is not None or fleet.drained("readings", 2),
        SECONDS,
        "readings applied",
    )
    assert worker.poll() is None, fleet.log(worker)
    for command in commands:
        assert main(["alerts", *command, "--timeout", "60"]) == 0
    judged, orders = fleet.topics.name("readings"), fleet.topics.name("commands")
    keys, end = stage_keys("detector", [judged, orders], HOME), fleet.ends("commands", 2)[HOME]

    def done() -> bool:
        client = fleet.redis
        return (
            int(client.get(keys.watermark(orders)) or -1) + 1 >= end
            and client.xlen(keys.key("out")) == 0
        )

    wait_until(done, SECONDS, "commands applied and events published")
    assert fleet.stop(worker) == 0, fleet.log(worker)


def told(fleet: Fleet) -> list[dict[str, Any]]:
    """Events of the log in order, each by the schema and once; a contradiction fails."""
    seen: dict[str, bytes] = {}
    commands: set[str] = set()
    events, sequences = [], defaultdict[str, int](int)
    for record in fleet.records("alerts", HOME):
        if b"heartbeat" in (record.key or b""):
            continue
        event = judge(record)
        assert event["id"] not in seen, (
            f"{event['id']} twice: {seen[event['id']]!r} and {record.value!r}"
        )
        seen[event["id"]] = record.value
        command = event["data"].get("command")
        if command:
            assert command["command_id"] not in commands, "a command was echoed twice"
            commands.add(command["command_id"])
        assert int(event["sequence"]) - sequences[event["partitionkey"]] in (
            {0, 1} if command else {1}
        )
        sequences[event["partitionkey"]] = int(event["sequence"])
        events.append(event)
    return events


def agree(fleet: Fleet) -> None:
    """The state topic has the last word of the log on each alert."""
    last = {event["partitionkey"]: event["id"] for event in told(fleet)}
    assert {name: state.event.id for name, state in alert_states(fleet.settings).items()} == last


def copied(fleet: Fleet) -> dict[bytes, bytes]:
    client = fleet.redis
    names = client.keys(f"dispersion:v1:*{fleet.settings.kafka.topic_prefix}*")
    return {name: value for name in names if (value := client.dump(name)) is not None}


def set_back(fleet: Fleet, copy: dict[bytes, bytes]) -> None:
    client = fleet.redis
    for name in client.keys(f"dispersion:v1:*{fleet.settings.kafka.topic_prefix}*"):
        client.delete(name)
    for name, value in copy.items():
        client.restore(name, 0, value, replace=True)


def test_set_back_read_again_and_retired(
    fleet: Fleet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet.put("commands", [b"{"], partition=HOME)
    worked(fleet, [closing(FRIDAY, *CALM), *UP[:10]])
    minute = copied(fleet)
    worked(fleet, UP[10:80], ("ack", UNWIND, "--why", "seen"))
    seconds = copied(fleet)
    worked(
        fleet,
        UP[80:],
        ("silence", UNWIND, "--for", "20h", "--why", "known"),
        ("ack", UNWIND, "--why", "again"),
    )
    whole = told(fleet)
    kinds = [event["data"]["transition"] for event in whole if event["partitionkey"] == UNWIND]
    assert kinds[:3] == ["pending", "firing", "acknowledged"] or "acknowledged" in kinds
    for copy in (seconds, minute):
        set_back(fleet, copy)
        worked(fleet, [])
        assert told(fleet) == whole, "nothing lost, nothing twice"
        agree(fleet)
    _commands_again(fleet, whole)
    said = alert_states(fleet.settings)[UNWIND].event.data.notification
    assert (said.acked_by, said.silenced_by, said.ack_why) == ("ann", "ann", "again")
    edited = tmp_path / "edited.toml"
    edited.write_text('[vix_spike_unwind]\nversion = "9"\ndwell_seconds = 181\n')
    suspended = path(MONDAY, "10:20:11", 0, [SHOCK, SHOCK], coverage=0.5)
    worked(fleet, suspended, DISPERSION_RULES__FILE=str(edited))
    latest = alert_states(fleet.settings)[UNWIND].event.data
    assert latest.notification == said, "what people said is known again"
    assert isinstance(latest.configuration_changed, tuple)
    assert [change.what for change in latest.configuration_changed] == ["rules"]
    assert latest.summary.endswith("Configuration changed while it was active: rules.")
    _retired(fleet, monkeypatch, capsys)


def _commands_again(fleet: Fleet, whole: list[dict[str, Any]]) -> None:
    """The watermark of the commands set back, and all of them sent again."""
    readings, commands = fleet.topics.name("readings"), fleet.topics.name("commands")
    keys = stage_keys("detector", [readings, commands], HOME)
    fleet.redis.set(keys.watermark(commands), 0)
    values = [record.value for record in fleet.records("commands", HOME)]
    assert len(values) == 4
    fleet.put("commands", values, partition=HOME)
    worked(fleet, [])
    assert told(fleet) == whole
    agree(fleet)


def _retired(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The index leaves the configuration while its alerts are active."""
    left = [one for one in alert_states(fleet.settings).values() if one.active]
    assert UNWIND in {one.event.data.fingerprint for one in left}
    capsys.readouterr()
    assert main(["alerts", "retire", UNWIND, "--why", "no"]) == 1
    assert "is configured: its rule ends it" in capsys.readouterr().err
    indices = json.loads(environment_for(fleet.settings)["DISPERSION_MARKET__INDICES"])
    indices[0]["symbol"] = "QQQ"
    monkeypatch.setenv("DISPERSION_MARKET__INDICES", json.dumps(indices))
    worker = fleet.start(
        "agents.cli.main", "worker", DISPERSION_MARKET__INDICES=json.dumps(indices)
    )
    assert main(["status", "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert any(
        UNWIND in text and "the configuration has it no more" in text for text in problems
    ), problems
    assert main(["doctor"]) == 1
    assert f"dispersion alerts retire {UNWIND[:8]}" in capsys.readouterr().out
    for one in left:
        assert (
            main(
                ["alerts", "retire", one.event.data.fingerprint, "--why", "gone", "--timeout", "60"]
            )
            == 0
        )
    assert main(["alerts", "retire", UNWIND, "--why", "twice"]) == 1
    assert fleet.stop(worker) == 0, fleet.log(worker)
    agree(fleet)
    last = [event for event in told(fleet) if event["partitionkey"] == UNWIND][-1]["data"]
    assert (last["status"], last["reason"], last["previous_status"]) == (
        "resolved",
        "retired",
        "suspended",
    )
    assert not [one for one in alert_states(fleet.settings).values() if one.active]
