"""What a subscriber may rely on, checked with other people's libraries.

They are kafka-python, jsonschema and cloudevents.
"""

import json
from pathlib import Path
from typing import Any

from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
from jsonschema import Draft202012Validator, FormatChecker
from kafka import KafkaConsumer, TopicPartition

import config

SCHEMA = json.loads(
    (Path(config.__file__).parent / "schemas" / "alert.v1.json").read_text(encoding="utf-8")
)
ATTRIBUTES = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "partitionkey",
    "sequence",
)


def consumed(bootstrap_servers: str, topic: str, seconds: float = 30.0) -> list[Any]:
    """Every alert record that is on a topic now, as a plain consumer reads it.

    Heartbeats are left out.
    """
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap_servers,
        api_version=(2, 0),
        consumer_timeout_ms=int(seconds * 1000),
    )
    try:
        places = [
            TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic)
        ]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning()
        records = []
        while any(consumer.position(place) < ends[place] for place in places):
            records.append(next(consumer))
        return [
            record
            for record in records
            if dict(record.headers)["ce_type"].startswith(b"io.dispersion.alert.")
        ]
    finally:
        consumer.close()


def judge(record: Any) -> dict[str, Any]:
    """One record against the schema, the CloudEvents library and its own headers; the event."""
    event: dict[str, Any] = json.loads(record.value)
    errors = [
        error.message
        for error in Draft202012Validator(SCHEMA, format_checker=FormatChecker()).iter_errors(event)
    ]
    assert not errors, errors
    headers = dict(record.headers)
    assert headers["content-type"] == b"application/cloudevents+json; charset=UTF-8"
    assert {name: headers[f"ce_{name}"].decode() for name in ATTRIBUTES} == {
        name: event[name] for name in ATTRIBUTES
    }
    parsed = from_structured_event(KafkaMessage(headers, record.key, record.value))
    assert (parsed.get_id(), parsed.get_type(), parsed.get_source()) == (
        event["id"],
        event["type"],
        event["source"],
    )
    assert parsed.get_data() == event["data"]
    assert record.key == event["partitionkey"].encode() == event["data"]["fingerprint"].encode()
    return event


def documented(bootstrap_servers: str, topic: str = "dispersion.alerts.v1", *options: str) -> str:
    """The subscriber of docs/use/alerts.md, pointed at a Kafka of ours: nothing else is changed."""
    text = (
        (Path(__file__).parents[2] / "docs/use/alerts.md")
        .read_text()
        .partition("```python\n")[2]
        .partition("```")[0]
    )
    assert len([line for line in text.splitlines() if line]) <= 14
    for there, here in (
        ('"dispersion.alerts.v1"', f'"{topic}"'),
        ('"127.0.0.1:9092"', f'"{bootstrap_servers}"'),
        ("**where", ", ".join(["**where", *options])),
    ):
        assert text.count(there) == 1
        text = text.replace(there, here)
    return text
