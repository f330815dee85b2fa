"""Records that are not ours, for every topic of ours.

Each kind is one that somebody may have put there.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from agents.alerts.cloud_event import event_message
from streams.stage import Role

OURS: tuple[Role, ...] = ("points", "readings", "commands", "alerts", "alerts_state")
"""Topics that we alone write, and that of commands."""

IN_2100 = 4_102_444_800_000
"""Unix milliseconds."""


class ForeignRecord(NamedTuple):
    """One record."""

    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int | None = None
    """Unix milliseconds; None for now."""


def refused_by_kafka(role: Role, record: ForeignRecord) -> bool:
    """Whether Kafka does not take it, with its defaults.

    It takes no record without a key on a compacted topic, and no time over an hour ahead. A topic
    that the broker stamps takes any time.
    """
    keyless = role == "alerts_state" and record.key is None
    ahead = role != "commands" and record.timestamp == IN_2100
    return keyless or ahead


def foreign_records(own: bytes) -> Iterator[ForeignRecord]:
    """The table; `own` is an event of ours, of which near copies are made."""
    event = json.loads(own)
    key = event["partitionkey"].encode()
    headers = event_message("alerts", own, 0, 7).headers
    for name in (None, b"", b"\xff\xfe", b"x" * 60_000, key):
        yield ForeignRecord(name, b"{}")
        yield ForeignRecord(name, b"\xff\xfe\x00")
    values = (
        b"",
        b"[]",
        b"7",
        b"null",
        b'"x"',
        b"[" * 100_000,
        b'{"data":{"status":"resolved"}}',
        b"9" * 5_000,
        b"x" * 900_000,
    )
    for value in values:
        yield ForeignRecord(key, value)
        yield ForeignRecord(key, value, headers)
    for number in (
        b"",
        b"x",
        b"-1",
        b"0",
        b"1e3",
        b"9" * 30,
        b"\xff",
        "１".encode(),
        b" 5",
        b"[5]",
    ):
        yield ForeignRecord(key, own, [("dispersion-seq", number)])
        yield ForeignRecord(None, b"", [("dispersion-seq", number), ("ce_id", b"\xff")])
        yield ForeignRecord(key, own, [*headers[:-1], ("dispersion-seq", number)])
    yield ForeignRecord(
        key,
        own,
        [("dispersion-seq", b"5"), ("dispersion-seq", b"6"), ("ce_id", b"a"), ("ce_id", b"b")],
    )
    yield ForeignRecord(key, b"{}", [(f"h{at}", b"x" * 100) for at in range(200)])
    for at in (0, 1, IN_2100):
        yield ForeignRecord(key, b"{}", headers, timestamp=at)
        yield ForeignRecord(b"somebody's", None, (), timestamp=at)
    for changed in _copies(event):
        yield ForeignRecord(key, json.dumps(changed).encode())
        yield ForeignRecord(key, json.dumps(changed).encode(), headers)


def _copies(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Events that are ours but for one thing."""
    of_event = {
        "id": "0" * 20,
        "partitionkey": "z",
        "sequence": "-1",
        "subject": "x",
        "time": "2026-01-01T00:00:00",
    }
    for field, text in of_event.items():
        yield event | {field: text}
    of_data: dict[str, Any] = {
        "fingerprint": "0" * 16,
        "rule": "other",
        "starts_at": "9999-12-31T23:59:59-14:00",
        "severity": "grave",
        "values": {"x": "y"},
        "labels": {"index": "QQQ", "tenor": "30d", "scope": "intraday"},
        "mode": 7,
    }
    for field, value in of_data.items():
        yield event | {"data": event["data"] | {field: value}}
    painted = {"summary": "\x1b]0;owned\x07\x1b[2J\u202e", "severity": "\x9b31m"}
    yield event | {"id": "1" * 20, "data": event["data"] | painted}
