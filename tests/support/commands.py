"""Commands as a subscriber sends them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from streams.detection.alerts.events import fingerprint
from streams.records import InputRecord
from tests.support.readings import INDEX

UNWIND = fingerprint("vix_spike_unwind", INDEX, "30d", "intraday")


def milliseconds(at: datetime) -> int:
    """As Kafka stamps its records."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def command(verb: str, number: int, at: datetime, offset: int = 0, **fields: Any) -> InputRecord:
    """A record of the commands topic with the `number`-th command id."""
    body = {
        "command_id": str(UUID(int=number)),
        "command": verb,
        "index": INDEX,
        "fingerprint": UNWIND,
        "who": "ann",
        "why": f"reason {number}",
        **fields,
    }
    return InputRecord(
        "dispersion.alerts.commands.v1",
        0,
        offset,
        milliseconds(at),
        INDEX.encode(),
        msgspec.json.encode(body),
    )
