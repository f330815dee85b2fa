"""Dead letters: the original key and bytes of a record that could not be used, and why, in headers."""

from hashlib import sha256

from streams.records import Record
from streams.stage import Message

KEEP = 64 * 2**10
"""Bytes of the original value that are kept; its size and SHA-256 are in the headers."""
TEXT = 200
"""Characters of the explanation that are kept."""


def dead_letter(record: Record, reason: str, message: str) -> Message:
    """The message for the dead-letter topic. `reason` is a metric label, `message` is for people."""
    value = record.value or b""
    headers = {
        "x-error-class": reason,
        "x-error-message": message[:TEXT],
        "x-topic": record.topic,
        "x-partition": str(record.partition),
        "x-offset": str(record.offset),
        "x-timestamp": str(record.timestamp),
        "x-size": str(len(value)),
        "x-sha256": sha256(value).hexdigest(),
    }
    return Message("dead_letters", record.key, value[:KEEP], tuple((name, text.encode()) for name, text in headers.items()))
