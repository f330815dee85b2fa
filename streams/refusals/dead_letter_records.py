"""Dead letters read back, and how a mended record goes to its topic again.

A letter says what was refused and where it stood. A replay writes two records. The first is a
marker on the dead-letter topic: that this record is sent again. Then the record itself, with its
key and headers, to its own partition. So a replay that was interrupted is told from one that has
not begun, and nothing is sent twice unless somebody says so.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from streams.refusals.dead_letters import MAX_KEY_BYTES

REPLAY_OF: Final = "x-replay-of"
"""On a record that is sent again: the place of the refused record, `TOPIC/PARTITION/OFFSET`."""
DEAD_LETTER: Final = "x-dead-letter"
"""On the same record: the place of its dead letter."""
REPLAYED: Final = "x-replayed"
"""On a marker: the place of the record that is sent again; `SHA256` says which content it had."""
SHA256: Final = "x-original-sha256"
OURS: Final = frozenset(
    {
        *("reason", "x-error-class", "x-error-message", "x-error-topic", "x-error-partition"),
        *("x-error-offset", "x-error-timestamp", "x-original-size", SHA256),
    }
)
"""Headers that make a dead letter."""


class RecordLocation(NamedTuple):
    """One record of Kafka."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class DeadLetter(NamedTuple):
    """One record of the dead-letter topic that is ours."""

    own: RecordLocation
    written: int
    """When it was refused, Unix milliseconds."""
    original: RecordLocation
    timestamp: int
    """Of the original record, Unix milliseconds."""
    reason: str
    message: str
    key: bytes | None
    value: bytes
    """At most the first 64 KiB of it."""
    size: int | None
    """Bytes of the original value; None of a tombstone."""
    digest: str
    """SHA-256 of the original value, hexadecimal."""
    headers: tuple[tuple[str, bytes], ...]
    """The original record's own."""

    @property
    def identity(self) -> tuple[str, str]:
        """Place and content of the original record.

        A topic that was made anew counts its offsets anew.
        """
        return str(self.original), self.digest

    @property
    def incomplete(self) -> str:
        """Why it cannot be sent again as it is; empty when it can."""
        if ("x-original-form", b"batch") in self.headers:
            return "it is a whole batch that could not be unpacked, no record"
        if self.size is None:
            return "it has no value"
        if len(self.value) != self.size:
            return f"only {len(self.value):,} of its {self.size:,} bytes are kept"
        if sha256(self.value).hexdigest() != self.digest:
            return "its value is not the one that was refused"
        if self.key is not None and len(self.key) >= MAX_KEY_BYTES:
            return "its key may have been cut"
        return ""


def place_of(text: str) -> RecordLocation:
    """A place as people write it. Raises `ValueError`.

    >>> place_of("market.ticks.v1/3/17")
    RecordLocation(topic='market.ticks.v1', partition=3, offset=17)
    """
    topic, partition, offset = text.rsplit("/", 2)
    if not (partition.isdecimal() and offset.isdecimal() and max(len(partition), len(offset)) < 19):
        raise ValueError(f"no place: {text!r}")
    return RecordLocation(topic, int(partition), int(offset))


def read_letter(record: Any) -> DeadLetter:  # noqa: ANN401 - a record of any consumer library
    """The dead letter in a record of the topic. Raises `ValueError` on what is none of ours."""
    if record.headers is None:
        raise ValueError("no headers")
    found: dict[str, str] = {}
    others: list[tuple[str, bytes]] = []
    for name, content in record.headers:
        if name in OURS:
            found[name] = (content or b"").decode(errors="replace")
        else:
            others.append((name, content))
    if OURS - found.keys():
        raise ValueError("a header of a dead letter is missing")
    size = found["x-original-size"]
    return DeadLetter(
        own=RecordLocation(record.topic, record.partition, record.offset),
        written=record.timestamp,
        original=RecordLocation(
            found["x-error-topic"],
            _whole(found["x-error-partition"]),
            _whole(found["x-error-offset"]),
        ),
        timestamp=int(found["x-error-timestamp"]),
        reason=found["reason"],
        message=found["x-error-message"],
        key=record.key,
        value=record.value or b"",
        size=None if size == "tombstone" else _whole(size),
        digest=found[SHA256],
        headers=tuple(others),
    )


def replayed_by(headers: Sequence[tuple[str, bytes]] | None) -> tuple[str, str] | None:
    """Which record a marker says is sent again; None of a record that is no marker."""
    found = dict(headers or ())
    if REPLAYED not in found:
        return None
    return tuple(  # type: ignore[return-value]
        (found.get(name) or b"").decode(errors="replace") for name in (REPLAYED, SHA256)
    )


def marker_headers(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """Headers of the marker of a replay."""
    place, digest = letter.identity
    return [
        (REPLAYED, place.encode()),
        (DEAD_LETTER, str(letter.own).encode()),
        (SHA256, digest.encode()),
    ]


def replay_headers(letter: DeadLetter) -> list[tuple[str, bytes]]:
    """The record's own headers, and which dead letter it comes from."""
    kept = [
        (name, content) for name, content in letter.headers if name not in {REPLAY_OF, DEAD_LETTER}
    ]
    return [
        *kept,
        (REPLAY_OF, str(letter.original).encode()),
        (DEAD_LETTER, str(letter.own).encode()),
    ]


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise ValueError(f"no number: {text[:20]!r}")
    return int(text)
