"""The shipped schemas: valid, up to date, and of one mind with the decoders and encoders."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from agents.alerts.heartbeat import heartbeat
from agents.cli.main import main
from config.schemas.build import TRANSITIONS, rendered
from config.schemas.files import FOLDER, contract
from streams.decoding import json_rows
from streams.decoding.codec import decode_quotes, decode_ticks
from streams.detection.alerts.alert_event import AlertData, AlertEvent
from streams.reading import encode_reading
from streams.records import InputRecord, Malformed, Unread
from tests.support.readings import FRIDAY, MONDAY, Run, closing, path
from tests.support.schemas import schemas, validator

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)
LISTED = {
    "underlying": "SPY",
    "expiry": "2026-07-17",
    "strike": 620.0,
    "right": "P",
    "ts_event": 1_783_692_000_000_000_000,
}
OSI = {"symbol": "SPXW  260717P06200000", "ts_event": "2026-07-10T14:00:00Z"}
SIDES, GREEKS = {"bid": 4.1, "ask": None}, {"iv": 0.15, "delta": -0.4}
TICK = {"symbol": "AAPL", "price": 230.15, "ts_event": "2026-07-10T10:00:00.123-04:00"}


@pytest.mark.parametrize("name", schemas())
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(schemas()[name])
    assert "$schema" in schemas()[name]


@pytest.mark.parametrize("name", rendered())
def test_what_is_generated_is_up_to_date(name: str) -> None:
    assert (FOLDER / name).read_text() == rendered()[name], "run `make schemas`"


@pytest.fixture(scope="module")
def played() -> Run:
    """A session with every transition."""
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *path(MONDAY, "10:00:01", 1200, [CALM, SHOCK], step=10)])
    run.play(path(MONDAY, "10:20:02", 120, [SHOCK, SHOCK], step=5, coverage=0.5))
    run.play(path(MONDAY, "10:22:03", 120, [SHOCK, SHOCK], step=5))
    run.play(path(MONDAY, "10:24:04", 400, [CALM, CALM], step=5))
    run.play([closing(MONDAY, 0.15, 0.38, 0.10)])
    return run


def test_each_event_fits_the_schema_of_its_type_and_no_other(played: Run) -> None:
    judges, seen = {name: validator(f"alert.{name}.v1") for name in TRANSITIONS}, set()
    for value in [entry.value for output in played.outputs for entry in output.outbox]:
        event = json.loads(value)
        seen.add(event["data"]["transition"])
        assert [name for name, judge in judges.items() if judge.is_valid(event)] == [
            event["data"]["transition"]
        ], event
    assert seen == {"pending", "firing", "updated", "suspended", "resumed", "resolved"}


def test_a_backtest_emits_what_the_schemas_say(tmp_path: Path) -> None:
    sample = str(Path(__file__).parents[3] / "samples/option_closes_2026-07-10.parquet")
    assert (
        main(
            [
                "backtest",
                "-q",
                "--quotes",
                sample,
                "--scenario",
                "unwind_2018_02",
                "--refresh",
                "60",
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    readings = [json.loads(line) for line in (tmp_path / "readings.jsonl").read_text().splitlines()]
    events = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
    assert readings
    assert events
    for reading in readings:
        validator("reading.v1").validate(reading)
    for event in events:
        validator(f"alert.{event['data']['transition']}.v1").validate(event)
    assert not validator("reading.v1").is_valid({**readings[0], "index_vol": "0.2"})


def test_the_alert_schema_names_the_fields_of_the_event() -> None:
    schema = schemas()["alert.v1"]
    assert set(schema["properties"]) == set(AlertEvent.__struct_fields__)
    assert set(schema["properties"]["data"]["properties"]) == set(AlertData.__struct_fields__)


def test_a_heartbeat_fits_and_a_wrong_one_does_not() -> None:
    validator("heartbeat.v1").validate(json.loads(heartbeat(3, "live", 1_783_951_200.0)))
    beat = json.loads(
        heartbeat(3, "live", 1_783_951_200.0, {"SPX": datetime(2026, 7, 13, 14, tzinfo=UTC)})
    )
    validator("heartbeat.v1").validate(beat)
    wrongs: list[dict[str, object]] = [
        {"subject": "3"},
        {"data": {"partition": "3", "mode": "live"}},
        {"time": "yesterday"},
        {"data": beat["data"] | {"event_time": 3}},
    ]
    for wrong in wrongs:
        assert not validator("heartbeat.v1").is_valid(beat | wrong)


def test_a_toy_reading_fits_and_a_wrong_one_does_not() -> None:
    reading = json.loads(encode_reading(closing(FRIDAY, *CALM)))
    validator("reading.v1").validate(reading)
    for wrong in ({"ts_event": 3}, {"index_vol": "high"}):
        assert not validator("reading.v1").is_valid(reading | wrong)


def test_inputs_have_the_fields_of_the_decoders() -> None:
    quote, vol = json_rows._Quote.__struct_fields__, json_rows._Vol.__struct_fields__
    assert set(schemas()["quote.v1"]["$defs"]["option"]["properties"]) == {*quote, *vol}
    tick = schemas()["tick.v1"]["$defs"]["tick"]
    assert set(tick["properties"]) == set(json_rows._Tick.__struct_fields__)
    required = {field.name for field in msgspec.structs.fields(json_rows._Tick) if field.required}
    assert set(tick["required"]) == required


@pytest.mark.parametrize(
    ("quote", "right"),
    [
        (LISTED | SIDES, True),
        (OSI | SIDES, True),
        (LISTED | GREEKS, True),
        ([LISTED | SIDES, OSI | SIDES], True),
        ([OSI | GREEKS], True),
        (LISTED | SIDES | GREEKS, True),
        (LISTED | SIDES | {"symbol": "", "root": None, "more": 1}, True),
        ([], True),
        *((LISTED | SIDES | {"right": right}, True) for right in ("call", "PUT", "p")),
        *(
            (LISTED | SIDES | {"expiry": day}, True)
            for day in (20260717, "20260717", "07/17/2026", "17-Jul-2026", "2026/7/17")
        ),
        *(
            (LISTED | SIDES | {"bid": text}, True)
            for text in ("4.1", "$4.1", "1,234.50", "4,10", "n/a", "")
        ),
        *(
            (LISTED | SIDES | {"ts_event": time}, True)
            for time in (1783692000.25, "1783692000000000000", "2026-07-10T10:00-0400")
        ),
        *(
            (OSI | SIDES | {"symbol": one}, True)
            for one in ("SPXW260717P06200000", "O:SPXW260717P06200000", ".SPXW260717P6200")
        ),
        *(
            (LISTED | SIDES | {"ts_event": time}, False)
            for time in (1783692000, 1783692000123, 1783692000123456, "1783692000123")
        ),
        ({**LISTED, **SIDES, "bid": "1,234"}, False),
        ({**LISTED, **SIDES, "expiry": "260717"}, False),
        (LISTED, False),
        (OSI | {"bid": 1.0}, False),
        ({**LISTED, **SIDES, "right": "X"}, False),
        ({**LISTED, **SIDES, "strike": None}, False),
        ({**LISTED, **SIDES, "expiry": "17 July"}, False),
        ({**LISTED, **SIDES, "ts_event": "2026-07-10T14:00:00"}, False),
        ({**LISTED, **SIDES, "bid": "four"}, False),
        ({**OSI, **SIDES, "symbol": "SPXW 260717P6200"}, False),
        ([LISTED | SIDES, LISTED | GREEKS], False),
        (SIDES | {"ts_event": 1}, False),
        (LISTED | SIDES | {"ts_event": 1}, False),
        (7, False),
    ],
)
def test_schema_and_decoder_agree_on_quotes(quote: Any, *, right: bool) -> None:
    assert validator("quote.v1").is_valid(quote) == right
    assert _decodes(decode_quotes([_record(quote)])) == right


@pytest.mark.parametrize(
    ("tick", "right"),
    [
        (TICK, True),
        ([TICK, TICK | {"size": 100, "price": None}], True),
        ({**TICK, "ts_event": 2**63}, False),
        ({**TICK, "symbol": 7}, False),
        ({"symbol": "AAPL", "ts_event": 1}, False),
        ([TICK, 7], False),
    ],
)
def test_schema_and_decoder_agree_on_ticks(tick: Any, *, right: bool) -> None:
    assert validator("tick.v1").is_valid(tick) == right
    assert _decodes(decode_ticks([_record(tick)], ())) == right


def _record(value: Any) -> InputRecord:
    return InputRecord("t", 0, 0, 1_783_692_000_000, None, json.dumps(value).encode())


def _decodes(items: Any) -> bool:
    return not any(isinstance(item, Malformed | Unread) for item in items)


def test_schema_print_prints_the_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "print"]) == 0
    names = capsys.readouterr().out.split()
    assert names == list(contract())
    assert {
        "asyncapi",
        "alert.v1",
        "alert.firing.v1",
        "heartbeat.v1",
        "quote.v1",
        "reading.v1",
        "tick.v1",
    } <= set(names)
    for name in names:
        assert main(["schema", "print", name]) == 0
        assert capsys.readouterr().out == contract()[name].read_text()
    assert main(["schema", "print", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == names
