"""`explain` over real topics and a real daily history tells what the detector told."""

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from agents.alerts.cloud_event import event_message
from agents.cli.main import main
from agents.kafka.frame_publisher import FramePublisher
from agents.lookup.readings_log import ReadingsLog
from agents.store.keys import snapshot, stage_keys
from agents.store.sync import connect_sync
from config.settings import Settings
from streams.catalogue.measures import RULE_TENOR
from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.reading import Reading, encode_reading
from streams.stage import Message
from tests.support.readings import FRIDAY, INDEX, MONDAY, NAMES, WEIGHTS, Run, closing, eastern, toy
from tests.support.stack import Stack, create_flow_topics, environment_for, settings_for
from tests.support.unwind import CALM, ramp, stay

OTHER = "QQQ"
"""An index on the same partition."""


@pytest.fixture
def settings(stack: Stack, topic_prefix: str, tmp_path: Path) -> Settings:
    names = (
        f'[[constituents]]\nsymbol = "{name}"\nweight = {weight}\n'
        for name, weight in zip(NAMES, WEIGHTS, strict=True)
    )
    basket = tmp_path / "toy.toml"
    basket.write_text('name = "toy"\n\n' + "\n".join(names))
    indices = [{"symbol": INDEX, "basket": str(basket)}, {"symbol": OTHER, "basket": ""}]
    partitions = {"quotes": 1, "ticks": 1, "results": 1}
    settings = settings_for(
        stack,
        topic_prefix,
        mode="replay",
        kafka={"partitions": partitions},
        market={"indices": indices},
        rules={"cap_unknown": False},
    )
    create_flow_topics(stack, settings)
    return settings


def fill(settings: Settings) -> tuple[list[Reading], list[AlertEvent]]:
    """What a worker leaves of an unwind.

    It is facts of the Friday, the Monday's readings between those of another index, and the events.
    """
    detector = Run(cap_unknown=False)
    readings = [closing(FRIDAY, *CALM), *ramp(5), *stay("10:20:06", 600, step=5)]
    detector.play(readings[:1])
    keys = stage_keys(
        "detector", [f"{settings.kafka.topic_prefix}dispersion.readings.v1"], 0, [INDEX]
    )
    redis = connect_sync(settings.redis)
    for name, chunk in detector.stage.chunks().items():
        if name.startswith("day/"):
            redis.hset(keys.day(INDEX), name.split("/")[2], chunk)
    detector.play(readings[1:])
    redis.hset(
        snapshot(settings.kafka.topic_prefix, INDEX), "value", detector.outputs[-1].snapshots[INDEX]
    )
    entries = [entry for output in detector.outputs for entry in output.outbox]
    with FramePublisher(settings) as publisher:
        for reading in readings:
            for index, tenor in ((OTHER, "30d"), (INDEX, "91d"), (INDEX, "30d")):
                value = encode_reading(
                    toy(reading.ts_event, *CALM, index=index, tenor=tenor)
                    if (index, tenor) != (INDEX, "30d")
                    else reading
                )
                publisher.publish_message(Message("readings", index.encode(), value, (), 0))
        for entry in entries:
            publisher.publish_message(event_message("alerts", entry.value, 0))
    return readings, [decode_event(entry.value) for entry in entries]


@pytest.fixture
def said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """The command in this process: exit code, stdout, stderr."""
    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)

    def say(*arguments: str) -> tuple[int, str, str]:
        code = main(["explain", INDEX, *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return say


def test_what_is_explained_is_what_was_told(
    settings: Settings, said: Callable[..., tuple[int, str, str]]
) -> None:
    _, events = fill(settings)
    told = [event for event in events if event.data.rule == "vix_spike_unwind"]
    early, unwinding = told[1], told[-1]
    assert [(one.data.transition, one.data.label) for one in (early, unwinding)] == [
        ("firing", "early"),
        ("updated", "unwind"),
    ]
    # What the rule says of this second is ahead of the alert, until its severity has lasted.
    for event, severity, regime in (
        (early, "warning", "stable"),
        (unwinding, "critical", "unwinding"),
    ):
        code, out, _ = said("--at", event.time.isoformat(), "--json")
        assert code == 0
        found = json.loads(out)
        (line,) = (
            one
            for one in found["rules"]
            if (one["rule"], one["scope"]) == ("vix_spike_unwind", "intraday")
        )
        assert datetime.fromisoformat(found["reading"]["ts_event"]) == event.time
        assert (line["says"], line["severity"], line["alert"]) == ("holds", severity, "firing")
        conditions = {one["name"]: one["value"] for one in line["conditions"]}
        assert conditions == {name: event.data.values[name] for name in conditions}
        (alert,) = found["alerts"]
        assert (alert["rule"], alert["severity"], alert["label"]) == (
            "vix_spike_unwind",
            event.data.severity,
            event.data.label,
        )
        assert found["regime"] == regime

    code, out, _ = said("--at", "10:00:30")
    assert code == 0
    assert "2026-07-13 10:00:26 New York" in out
    assert "no alert is active" in out
    assert "index_vol_change" in out

    code, out, _ = said("--json")
    latest, shown = (
        json.loads(out),
        connect_sync(settings.redis).hget(snapshot(settings.kafka.topic_prefix, INDEX), "value"),
    )
    assert latest["reading"]["ts_event"] == "2026-07-13T14:30:06Z"
    assert latest["alerts"] == json.loads(shown or b"")["alerts"], (
        "the alerts of the latest reading stand in the snapshot"
    )
    assert "vix_spike_unwind" in {alert["rule"] for alert in latest["alerts"]}

    code, _, err = said("--at", "2026-07-09T10:00:00-04:00")
    assert (code, err.count("\n")) == (1, 1)
    assert "begin later" in err
    assert said("--at", "noon")[0] == 2


def test_a_time_is_found_among_the_readings_of_others(settings: Settings) -> None:
    readings, _ = fill(settings)
    with ReadingsLog(settings, INDEX, RULE_TENOR) as log:
        assert log.latest() == readings[-1]
        first, last = eastern(MONDAY, "10:05:00"), eastern(MONDAY, "10:06:01")
        assert list(log.between(first, last)) == [
            one for one in readings if first < one.ts_event <= last
        ]
        assert log.latest(eastern(MONDAY, "09:00:00")) == readings[0]
        assert log.latest(eastern(FRIDAY, "09:00:00")) is None
    with ReadingsLog(settings, "absent", RULE_TENOR) as log:
        assert log.latest() is None


def test_the_topic_and_the_history_are_exported_and_drawn(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What stands there, each second once, as files for others."""
    for name, value in environment_for(settings).items():
        monkeypatch.setenv(name, value)
    readings, events = fill(settings)
    fired = sum(event.data.transition == "firing" for event in events)

    def made(*arguments: str) -> dict[str, object]:
        assert main([*arguments, "--json"]) == 0, capsys.readouterr().err
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    table = tmp_path / "readings.csv"
    made("export", "readings", "--index", INDEX, "--from", str(MONDAY), "--out", str(table))
    with table.open() as lines:
        own = [one for one in csv.DictReader(lines) if one["tenor"] == "30d"]
    assert [float(one["index_vol"]) for one in own] == [one.index_vol for one in readings[1:]]
    assert {one["session"] for one in own} == {str(MONDAY)}
    told = made("plot", "--index", INDEX, "--out", str(tmp_path / "topic.svg"))
    assert (told["readings"], told["alerts"]) == (len(readings), fired)

    told = made("export", "readings", "--closes", "--index", INDEX, "--out", str(table))
    assert (told["rows"], told["first"], told["last"]) == (1, str(FRIDAY), str(FRIDAY))
    told = made("plot", "--closes", "--index", INDEX, "--out", str(tmp_path / "closes.png"))
    assert told["readings"] == 1
