"""Alert events as a subscriber reads them.

What is no event of ours is told from what is, whatever its bytes.

Only the fields that are shown are asked for, so that events of a newer version are read too.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from agents.alerts.heartbeat import HEARTBEAT_TYPE

ALERT_TYPE = "io.dispersion.alert."
NO_EVENT = "no alert event of ours"

Moment = Annotated[datetime, Meta(tz=True)]


class ReadCommand(msgspec.Struct, frozen=True):
    """The command behind an echo."""

    command_id: str
    who: str
    why: str
    until: Moment | None


class ReadData(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of an alert."""

    fingerprint: str
    rule: str
    severity: str
    status: str
    transition: str
    summary: str
    labels: dict[str, str]
    confidence: str = ""
    command: ReadCommand | None = None


class ReadEvent(msgspec.Struct, frozen=True):
    """One event; `data` is None of a heartbeat."""

    id: str
    type: str
    time: Moment
    data: ReadData | None


class _Envelope(msgspec.Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1)]
    type: str
    time: Moment
    data: msgspec.Raw


_envelope = msgspec.json.Decoder(_Envelope).decode
_data = msgspec.json.Decoder(ReadData).decode


def read_event(value: bytes) -> ReadEvent:
    """The event in a record's value. Raises `ValueError` on anything else."""
    try:
        value.decode()
        found = _envelope(value)
        if found.type != HEARTBEAT_TYPE and not found.type.startswith(ALERT_TYPE):
            raise ValueError(NO_EVENT)
        data = None if found.type == HEARTBEAT_TYPE else _data(found.data)
    except RecursionError as error:
        raise ValueError(NO_EVENT) from error
    return ReadEvent(found.id, found.type, found.time, data)
