"""Alert events on the wire: structured CloudEvents JSON.

`ce_*` headers stand beside it for cheap filtering.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from streams.stage import Message, Role

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
SEQ_HEADER = "dispersion-seq"
HEARTBEAT_TYPE = "io.dispersion.heartbeat.v1"
HEARTBEAT_SECONDS = 30
_ATTRIBUTES = (
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


class _Heartbeat(msgspec.Struct, frozen=True):
    """As much of a heartbeat as tells it from everything else."""

    specversion: Literal["1.0"]
    id: Annotated[str, msgspec.Meta(pattern="^heartbeat-[0-9]+-[0-9]+$")]
    type: Literal["io.dispersion.heartbeat.v1"]
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    partitionkey: Annotated[str, msgspec.Meta(pattern="^heartbeat-[0-9]+$")]
    data: dict[str, msgspec.Raw]


_heartbeat = msgspec.json.Decoder(_Heartbeat).decode
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def attributes(value: bytes) -> dict[str, str]:
    """The context attributes of a structured event. Raises `ValueError` on anything else."""
    fields = _decode(value)
    return {
        name: msgspec.json.decode(fields[name], type=str) for name in _ATTRIBUTES if name in fields
    }


def event_message(role: Role, value: bytes, partition: int, seq: int | None = None) -> Message:
    """The Kafka record of an event.

    It has the key from `partitionkey`, the content type, `ce_*` headers, and the outbox sequence.
    """
    context = attributes(value)
    headers = [
        ("content-type", CONTENT_TYPE),
        *((f"ce_{name}", text.encode()) for name, text in context.items()),
    ]
    if seq is not None:
        headers.append((SEQ_HEADER, str(seq).encode()))
    key = context.get("partitionkey")
    return Message(role, None if key is None else key.encode(), value, tuple(headers), partition)


def is_heartbeat(key: bytes | None, value: bytes | None) -> bool:
    """Whether a record of the alert log is one of our heartbeats."""
    try:
        beat = _heartbeat(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return key is not None and key == beat.partitionkey.encode()


def heartbeat(
    partition: int, mode: str, now: float, judged: Mapping[str, datetime] | None = None
) -> bytes:
    """A word to subscribers that alerts of this partition are being looked for.

    The time is the wall's.

    `judged` is the event time of the latest reading that was judged, by index. While it stands
    still nothing is judged.
    """
    until = {index: _zulu(at, "seconds") for index, at in sorted((judged or {}).items())}
    slot = int(now) // HEARTBEAT_SECONDS * HEARTBEAT_SECONDS
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"heartbeat-{partition}-{slot}",
        "source": "/dispersion/monitor",
        "type": HEARTBEAT_TYPE,
        "subject": f"partition/{partition}",
        "time": _zulu(datetime.fromtimestamp(now, UTC), "milliseconds"),
        "datacontenttype": "application/json",
        "partitionkey": f"heartbeat-{partition}",
        "data": {
            "partition": partition,
            "mode": mode,
            "event_time": max(until.values(), default=None),
            "indices": until,
        },
    }
    return _encode(event)


def _zulu(at: datetime, precision: str) -> str:
    return at.astimezone(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
