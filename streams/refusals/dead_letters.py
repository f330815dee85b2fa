"""Dead letters: what could not be handled, with its reason and where it came from."""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from streams.decoding.decode_error import REASONS
from streams.records import Record
from streams.stage import Message, Role

REASONS_BY_ROLE: Final[Mapping[Role, frozenset[str]]] = MappingProxyType(
    {
        "quotes": REASONS,
        # A tick without a symbol of ours is `unknown`, and it has no expiry.
        "ticks": REASONS - {"symbol", "expiry"},
        "points": frozenset({"malformed", "future", "sources"}),
        "readings": frozenset({"schema", "unknown_index", "future"}),
        "commands": frozenset(
            {"schema", "unknown_index", "unknown_alert", "episode", "configured", "until"}
        ),
    }
)
"""Why a stage refuses a record of its input.

A record that ends the process is refused as `crash`, on whatever topic.
"""

CRASH: Final = "crash"
MAX_VALUE_BYTES: Final = 65_536
MAX_KEY_BYTES: Final = 1024
MAX_HEADER_BYTES: Final = 1024
MAX_HEADERS: Final = 16

_MESSAGE_LENGTH = 500


class RejectedRecordError(ValueError):
    """A stage refuses a record; `reason` is one of those of its topic, the text is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def dead_letter(record: Record, reason: str, message: str) -> Message:
    """The message for the dead-letter topic.

    It has the original key, the first 64 KiB of the original value, original headers and reason
    headers. Original headers (content type, declared refresh) are kept within bounds, so that a
    cured record can be sent again as it was.
    """
    value = record.value or b""
    ours: dict[str, bytes] = {
        "reason": reason.encode(),
        "x-error-class": reason.encode(),
        "x-error-message": message[:_MESSAGE_LENGTH].encode(errors="replace"),
        "x-error-topic": record.topic.encode(errors="replace"),
        "x-error-partition": str(record.partition).encode(),
        "x-error-offset": str(record.offset).encode(),
        "x-error-timestamp": str(record.timestamp).encode(),
        "x-original-size": b"tombstone" if record.value is None else str(len(value)).encode(),
        "x-original-sha256": sha256(value).hexdigest().encode(),
    }
    return Message(
        role="dead_letters",
        key=None if record.key is None else record.key[:MAX_KEY_BYTES],
        value=value[:MAX_VALUE_BYTES],
        headers=(*_kept(record, ours), *ours.items()),
    )


def _kept(record: Record, ours: dict[str, bytes]) -> list[tuple[str, bytes]]:
    """The record's own headers that fit and do not pretend to be ours."""
    small = [
        (name, content)
        for name, content in record.headers or ()
        if name not in ours and len(name) + len(content or b"") <= MAX_HEADER_BYTES
    ]
    return small[:MAX_HEADERS]
