"""The dead letter of a record that killed the process: original key and bytes, and why, in headers."""

from hashlib import sha256

from streams.records import Record
from streams.stage import Message

KEEP = 64 * 2**10
"""Bytes of the original value that are kept."""


def crash_letter(record: Record) -> Message:
    """The dead-letter message of a record whose processing ended the process."""
    value = record.value or b""
    headers = {
        "x-error-class": "crash",
        "x-error-message": "processing this record alone ended the process",
        "x-topic": record.topic,
        "x-partition": str(record.partition),
        "x-offset": str(record.offset),
        "x-timestamp": str(record.timestamp),
        "x-size": str(len(value)),
        "x-sha256": sha256(value).hexdigest(),
    }
    encoded = tuple((name, text.encode()) for name, text in headers.items())
    return Message("dead_letters", record.key, value[:KEEP], encoded)
