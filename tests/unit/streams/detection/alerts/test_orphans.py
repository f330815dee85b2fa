"""Alerts that the configuration has no more, and files that were edited while an alert fires."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from config.rules import load_rules
from streams.detection.alerts.alert_event import AlertEvent, ConfigurationChange, decode_event
from streams.detection.alerts.configuration import configuration_of
from streams.detection.alerts.own_event import own_event
from streams.detection.detector_stage import DetectorStage
from streams.detection.state_codec import unpack
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.records import InputRecord
from tests.support.commands import UNWIND, command
from tests.support.readings import FRIDAY, INDEX, MARKET, MONDAY, Run, closing, eastern, path
from tests.support.schemas import validator

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
NOON = eastern(MONDAY, "12:00:00")
ELSEWHERE = Market(
    indices=(IndexSpec("QQQ", MARKET.indices[0].basket, tenors=(30,)),), mode="replay"
)


@pytest.fixture(scope="module")
def chunks() -> dict[str, bytes]:
    """The checkpoint of an unwind that fires."""
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    return run.stage.chunks()


def heir(chunks: dict[str, bytes], market: Market, **rules: Any) -> DetectorStage:
    shipped = load_rules(cap_unknown=False)
    numbers = shipped._replace(rules={**shipped.rules, **rules})
    stage = DetectorStage(market, numbers)
    stage.restore(chunks)
    return stage


def told(stage: DetectorStage, *records: InputRecord) -> tuple[list[AlertEvent], list[str]]:
    """Events, each whole and by its schema, and the reasons of dead letters."""
    output = stage.process(records)
    for entry in output.outbox:
        body = json.loads(entry.value)
        validator(f"alert.{body['data']['transition']}.v1").validate(body)
        own_event(body["partitionkey"].encode(), entry.value)
    letters = [dict(message.headers)["reason"].decode() for message in output.messages]
    return [decode_event(entry.value) for entry in output.outbox], letters


def test_an_alert_of_an_index_that_left_is_retired_once(chunks: dict[str, bytes]) -> None:
    stage = heir(chunks, ELSEWHERE)
    latest = decode_event(unpack(chunks[f"event/SPX/{UNWIND}"], bytes))
    order = command(
        "retire", 1, NOON, starts_at=latest.data.starts_at.isoformat(), who="ann", why="gone"
    )
    (event,), letters = told(stage, order)
    assert letters == []
    data = event.data
    assert (data.transition, data.status, data.previous_status) == (
        "resolved",
        "resolved",
        "firing",
    )
    assert (data.reason, data.ends_at, int(event.sequence)) == (
        "retired",
        NOON,
        int(latest.sequence) + 1,
    )
    assert (
        data.summary
        == "SPX vix_spike_unwind is over: the configuration has it no more; retired by ann: gone."
    )
    assert data.command
    assert told(stage, order, command("retire", 2, NOON)) == (
        [],
        ["unknown_alert", "unknown_alert"],
    )
    deleted = {name for name, chunk in stage.chunks().items() if not chunk}
    assert {f"{kind}/SPX/{UNWIND}" for kind in ("alert", "anchor", "event")} <= deleted
    again = heir(chunks, ELSEWHERE)
    assert told(again, order)[0] == [event], "the same after a Redis that was set back"


def test_only_what_nobody_judges_is_retired(chunks: dict[str, bytes]) -> None:
    assert told(heir(chunks, MARKET), command("retire", 1, NOON)) == ([], ["configured"])
    stage = heir(chunks, ELSEWHERE)
    another = command("retire", 1, NOON, starts_at=NOON.isoformat())
    nobody = command("retire", 2, NOON, fingerprint="0" * 16)
    late = command("retire", 3, NOON, until=NOON.isoformat())
    assert told(stage, another, nobody, late) == ([], ["episode", "unknown_alert", "until"])
    assert stage.chunks() == {}


def test_an_index_that_comes_back_has_its_alert_again(chunks: dict[str, bytes]) -> None:
    away = heir(chunks, ELSEWHERE)
    back = heir({**chunks, **away.chunks()}, MARKET)
    assert len(told(back, command("acknowledge", 1, NOON))[0]) == 1


def shaken(names: Basket) -> Market:
    return Market(indices=(replace(MARKET.indices[0], basket=names),), mode="replay")


def test_the_next_event_says_which_file_was_edited(chunks: dict[str, bytes]) -> None:
    before = MARKET.indices[0].basket
    edited = replace(before, constituents=(*before.constituents, Constituent("NEW", 1.0)))
    run = Run(cap_unknown=False)
    run.stage = heir(chunks, shaken(edited))
    rules = load_rules(cap_unknown=False)
    old, new = configuration_of(before, rules)["basket"], configuration_of(edited, rules)["basket"]
    events = [
        e
        for e in run.play(path(MONDAY, "10:20:11", 0, [SHOCK, SHOCK], coverage=0.5))
        if e.partitionkey == UNWIND
    ]
    assert [event.data.configuration_changed for event in events] == [
        (ConfigurationChange("basket", old, new),)
    ]
    assert events[0].data.summary.endswith("Configuration changed while it was active: basket.")
    output = run.outputs[-1].outbox
    assert all(
        own_event(json.loads(entry.value)["partitionkey"].encode(), entry.value) for entry in output
    )
    after = [
        e for e in run.play(path(MONDAY, "10:20:21", 0, [SHOCK, SHOCK])) if e.partitionkey == UNWIND
    ]
    assert [event.data.configuration_changed for event in after] == [msgspec.UNSET], "said once"


def test_edited_rules_are_said_too(chunks: dict[str, bytes]) -> None:
    numbers = load_rules(cap_unknown=False)
    timing = msgspec.structs.replace(numbers.rules["data_quality"], exit_dwell_seconds=601.0)
    run = Run(cap_unknown=False)
    run.stage = heir(chunks, MARKET, data_quality=timing)
    (event,) = [
        e
        for e in run.play(path(MONDAY, "10:20:11", 0, [SHOCK, SHOCK], coverage=0.5))
        if e.partitionkey == UNWIND
    ]
    assert isinstance(event.data.configuration_changed, tuple)
    assert [change.what for change in event.data.configuration_changed] == ["rules"]
    assert INDEX in event.data.summary
