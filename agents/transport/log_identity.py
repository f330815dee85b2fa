"""Which log a watermark is of.

It is what is kept beside the watermark, what is found there later, and whether the two agree.

An offset names a record of one log only. A topic made anew counts from 0 again, and a broker whose
disk was set back gives offsets a second time. A mark therefore says more of the record at the
watermark than its offset.
"""

from typing import Literal, NamedTuple, Protocol
from zlib import crc32

import msgspec

from streams.refusals.refused_batch import RefusedBatch

UNKNOWN_EPOCH = -1


class MarkedRecord(Protocol):
    """What a mark is made of."""

    @property
    def offset(self) -> int:
        """Offset in the partition."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch, as the broker stored it."""

    @property
    def value(self) -> bytes | None:
        """Value bytes; None is a tombstone."""


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One record of a log, well enough described to be known again."""

    offset: int
    topic_id: str = ""
    """Kafka's id of the topic, in hexadecimal digits; empty where the broker gives none."""
    timestamp: int | None = None
    """Milliseconds; None where only the topic is known, as after `--from latest`."""
    epoch: int = UNKNOWN_EPOCH
    """Leader epoch in which the record was appended.

    It stays with the record through elections and restarts.
    """
    checksum: int = 0
    """CRC-32 of the value."""


Kind = Literal["record", "marker", "nothing"]


class LogState(NamedTuple):
    """A partition as the brokers show it now."""

    topic_id: str
    first: int
    """First offset still in the log."""
    end: int
    """One past the last offset."""
    kind: Kind = "nothing"
    """What is at the offset asked for.

    It is a record, Kafka's own marker of a transaction, or nothing that can be read.
    """
    mark: Mark | None = None
    """The record there."""


def mark_of(record: MarkedRecord, topic_id: str) -> Mark:
    """The mark of a record of a topic; of a batch that cannot be unpacked only where it is."""
    if isinstance(record, RefusedBatch):
        return Mark(record.offset, topic_id)
    epoch = getattr(record, "leader_epoch", UNKNOWN_EPOCH)
    return Mark(record.offset, topic_id, record.timestamp, epoch, crc32(record.value or b""))


def difference(mark: Mark, seen: LogState) -> str:
    """How the log that is there differs from the marked one, in words.

    It is empty where nothing speaks against it.

    Nothing at the offset is no difference: retention or compaction took the record. A marker is
    one: none is ever applied, and none takes a record's place.

    >>> mark = Mark(7, "a1", 1_752_500_000_000, 0, 99)
    >>> difference(mark, LogState("b2", 0, 20))
    'its topic was made anew: the id was a1 and is b2'
    >>> difference(mark, LogState("a1", 0, 20, "record", Mark(7, "a1", 1_752_500_000_000, 2, 99)))
    'the record at offset 7 is another one: leader epoch 2, not 0'
    >>> seen = LogState("a1", 0, 20, "record", mark)
    >>> difference(mark, seen), difference(mark, LogState("a1", 8, 20))
    ('', '')
    """
    if mark.topic_id and seen.topic_id and mark.topic_id != seen.topic_id:
        return f"its topic was made anew: the id was {mark.topic_id} and is {seen.topic_id}"
    if mark.timestamp is None:
        return ""
    if seen.kind == "marker":
        return (
            f"at offset {mark.offset} there was a record, "
            "and now there is the marker of a transaction"
        )
    if seen.mark is None:
        return ""
    parts = _parts(mark, seen.mark)
    return f"the record at offset {mark.offset} is another one: {', '.join(parts)}" if parts else ""


def _parts(mark: Mark, found: Mark) -> list[str]:
    parts = []
    if UNKNOWN_EPOCH not in {mark.epoch, found.epoch} and mark.epoch != found.epoch:
        parts.append(f"leader epoch {found.epoch}, not {mark.epoch}")
    if mark.timestamp != found.timestamp:
        parts.append(f"timestamp {found.timestamp}, not {mark.timestamp}")
    if mark.checksum != found.checksum:
        parts.append("another content")
    return parts


def pack(mark: Mark) -> bytes:
    """A mark as Redis keeps it."""
    return msgspec.json.encode(mark)


def unpack(text: bytes | None, watermark: int) -> Mark | None:
    """The mark of a watermark; None without one that can be read.

    Of a mark that stands elsewhere by now only the topic is given.

    A worker of a release without marks moves the watermark and leaves the mark behind.

    >>> unpack(pack(Mark(7, "a1", 5)), 9) == Mark(9, "a1")
    True
    """
    try:
        mark = msgspec.json.decode(text or b"", type=Mark)
    except msgspec.MsgspecError:
        return None
    return mark if mark.offset == watermark else Mark(watermark, mark.topic_id)
