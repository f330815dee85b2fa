"""Batches of records that cannot be unpacked, and the dead letters they become."""

from typing import Final

import msgspec

from streams.records import InputRecord
from streams.refusals.dead_letters import dead_letter
from streams.stage import Message

TOO_LARGE: Final = "unpacks_too_large"
CORRUPT: Final = "corrupt_batch"
BATCH_REASONS: Final = (TOO_LARGE, CORRUPT)
"""Why all records of a batch are refused at once, on whatever topic."""


class RefusedBatch(msgspec.Struct, frozen=True, gc=False):
    """Stands in the place of a batch's records.

    It is one record that is handed out alone and has the last one's offset.
    """

    topic: str
    partition: int
    offset: int
    """Of the last record of the batch."""
    first: int
    """Offset of the first record that is lost with it."""
    timestamp: int
    """Milliseconds since the epoch; 0 when the batch cannot say."""
    reason: str
    """One of `BATCH_REASONS`."""
    message: str
    batch: bytes
    """Its bytes as they stand in the log."""
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_type: int = 0

    def __str__(self) -> str:
        return (
            f"the batch of {self.topic} partition {self.partition} "
            f"at offsets {self.first} to {self.offset}: {self.message}"
        )


def batch_letter(refused: RefusedBatch) -> Message:
    """The dead letter of a whole batch.

    It holds its first 64 KiB as they stand in the log, from which offset to which, and why.
    """
    record = InputRecord(
        refused.topic, refused.partition, refused.first, refused.timestamp, None, refused.batch
    )
    letter = dead_letter(record, refused.reason, refused.message)
    last = ("x-error-last-offset", str(refused.offset).encode())
    return letter._replace(headers=(*letter.headers, last, ("x-original-form", b"batch")))


def first_offset(record: object) -> int:
    """Of a record, or of the first one in a batch that was refused."""
    return (
        record.first
        # The offset of a refused batch is that of its last record.
        if type(record) is RefusedBatch
        else record.offset  # type: ignore[attr-defined]
    )
