"""The AsyncAPI document is valid by its own project's parser.

It is also true of the topics, headers and columns that the code has.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from agents.alerts.cloud_event import CONTENT_TYPE, event_message
from agents.alerts.heartbeat import heartbeat
from config.schemas.build import TRANSITIONS
from config.schemas.files import ASYNCAPI
from streams import points_codec
from streams.decoding.frames import ARROW_CONTENT_TYPE, QUOTE_SCHEMA, TICK_SCHEMA, VOL_FIELDS
from streams.records import InputRecord
from streams.refusals.dead_letter_records import marker_headers, read_letter, replay_headers
from streams.refusals.dead_letters import dead_letter
from streams.refusals.refused_batch import CORRUPT, RefusedBatch, batch_letter
from streams.topics import NAMES, topic_config
from tests.support.asyncapi_parser import errors
from tests.support.schemas import validator

DOCUMENT: dict[str, Any] = yaml.safe_load(ASYNCAPI.read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


def test_its_own_parser_finds_no_error() -> None:
    assert errors(ASYNCAPI) == []


@pytest.mark.parametrize(
    ("right", "wrong", "found"),
    [
        ("#/components/messages/tickFrame", "#/components/messages/tickFrames", "invalid-ref"),
        ("action: send, channel", "action: shout, channel", "document-resolved"),
        ("type: [integer, number, string]", "type: [integer, number, text]", "document-resolved"),
    ],
)
def test_the_parser_finds_a_planted_error(
    right: str, wrong: str, found: str, tmp_path: Path
) -> None:
    shutil.copytree(
        ASYNCAPI.parent / "schemas",
        tmp_path / "schemas",
        ignore=shutil.ignore_patterns("*.py", "__pycache__"),
    )
    text = ASYNCAPI.read_text()
    assert right in text
    (tmp_path / "asyncapi.yaml").write_text(text.replace(right, wrong))
    assert any(found in one["code"] for one in errors(tmp_path / "asyncapi.yaml"))


def test_every_topic_is_there_as_it_is_made() -> None:
    assert {name: channel["address"] for name, channel in DOCUMENT["channels"].items()} == dict(
        NAMES
    )
    for role in NAMES:
        told = DOCUMENT["channels"][role]["bindings"]["kafka"]["topicConfiguration"]
        made = topic_config(role, 1)
        made.pop("max.message.bytes", None)
        assert {
            name: value[0] if isinstance(value, list) else str(value)
            for name, value in told.items()
        } == made


def test_every_event_type_has_its_message() -> None:
    assert set(DOCUMENT["channels"]["alerts"]["messages"]) == {*TRANSITIONS, "heartbeat"}
    assert set(DOCUMENT["channels"]["alerts_state"]["messages"]) == set(TRANSITIONS)
    for name in TRANSITIONS:
        assert MESSAGES[name]["payload"] == {"$ref": f"./schemas/alert.{name}.v1.json"}


def test_headers_are_those_of_the_records() -> None:
    beat = event_message("alerts", heartbeat(0, "live", 1_783_951_200.0), 0, seq=1)
    schema = SCHEMAS["eventHeaders"]
    given = {name: value.decode() for name, value in beat.headers}
    assert list(Draft202012Validator(schema).iter_errors(given)) == []
    assert set(given) == set(schema["properties"]) - {"ce_dataschema", "ce_sequence"}
    assert (
        MESSAGES["heartbeat"]["contentType"]
        == schema["properties"]["content-type"]["const"]
        == CONTENT_TYPE.decode()
    )
    dead = dead_letter(InputRecord("t", 0, 0, 0, None, b""), "empty", "no bytes")
    whole = batch_letter(RefusedBatch("t", 0, 9, 7, 0, CORRUPT, "no records", b""))
    assert {name for name, _ in whole.headers} == set(SCHEMAS["deadLetterHeaders"]["properties"])
    assert {name for name, _ in dead.headers} == {name for name, _ in whole.headers} - {
        "x-error-last-offset",
        "x-original-form",
    }
    record = InputRecord("dead", 0, 5, 0, None, b"", dead.headers)
    letter = read_letter(record)
    marker = {name for name, _ in marker_headers(letter)}
    assert marker == set(SCHEMAS["replayMarkerHeaders"]["properties"])
    assert {name for name, _ in replay_headers(letter)} <= set(
        SCHEMAS["sourceHeaders"]["properties"]
    )


def test_columns_of_frames_are_those_of_the_code() -> None:
    def columns(schema: Any) -> dict[str, str]:
        return {
            field.name: "text" if str(field.type).startswith("dictionary") else str(field.type)
            for field in schema
        }

    assert SCHEMAS["tickFrame"]["x-arrow-columns"] == columns(TICK_SCHEMA)
    assert SCHEMAS["quoteFrame"]["x-arrow-columns"] == columns([*QUOTE_SCHEMA, *VOL_FIELDS])
    assert SCHEMAS["pointsFrame"]["x-arrow-columns"] == columns(points_codec._SCHEMA)
    assert {
        MESSAGES[name]["contentType"] for name in ("tickFrame", "quoteFrame", "pointsFrame")
    } == {ARROW_CONTENT_TYPE}


@pytest.mark.parametrize("name", ["tick", "quote"])
def test_examples_are_valid(name: str) -> None:
    for example in MESSAGES[name]["examples"]:
        assert list(validator(f"{name}.v1").iter_errors(example["payload"])) == []
