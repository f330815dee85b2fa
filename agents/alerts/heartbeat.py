"""Heartbeats of the alert topic: structured CloudEvents JSON."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

HEARTBEAT_TYPE = "io.dispersion.heartbeat.v1"

HEARTBEAT_SECONDS = 30


class _Heartbeat(msgspec.Struct, frozen=True):
    """As much of a heartbeat as tells it from everything else."""

    specversion: Literal["1.0"]
    id: Annotated[str, msgspec.Meta(pattern="^heartbeat-[0-9]+-[0-9]+$")]
    type: Literal["io.dispersion.heartbeat.v1"]
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    partitionkey: Annotated[str, msgspec.Meta(pattern="^heartbeat-[0-9]+$")]
    data: dict[str, msgspec.Raw]


_heartbeat = msgspec.json.Decoder(_Heartbeat).decode

_encode = msgspec.json.Encoder().encode


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
