"""Look at an Arrow IPC stream before Arrow does: sizes, row counts and compression.

Nothing is allocated.

A stream is a run of messages: 0xFFFFFFFF, metadata length, metadata (a FlatBuffer, `Message.fbs` of
the Arrow columnar format), body. Arrow believes what these say: a compressed body of 200 bytes may
claim gigabytes. So the claims are read here first and a stream is refused before any of it is
decoded.
"""

from functools import lru_cache
from struct import Struct, error
from typing import Final, NamedTuple

from streams.decoding.decode_error import DecodeError

MAGIC: Final = b"\xff\xff\xff\xff"
MAX_MESSAGES: Final = 1024
MAX_METADATA_BYTES: Final = 65_536

_I32, _I64, _U16, _U32 = Struct("<i"), Struct("<q"), Struct("<H"), Struct("<I")
_SLOTS = tuple(Struct(f"<{count}H") for count in range(5))
_ABSENT = tuple((0,) * (4 - count) for count in range(5))
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3


class Layout(NamedTuple):
    """What a stream claims to hold."""

    schema: bytes
    """The schema message; equal bytes mean equal schemas."""
    rows: int


def inspect(value: bytes, max_rows: int) -> Layout:
    """Read the claims of a stream.

    Raises `DecodeError` when it is no stream, or compressed, or too large.
    """
    schema, at, end, count = b"", 0, len(value), 0
    rows = {_BATCH: 0, _DICTIONARY: 0}
    while at < end:
        size = _size(value, at)
        if size == 0:
            at += 8
            break
        stop = at + 8 + size
        kind, claimed, body = _claims(value[at + 8 : stop])
        count += 1
        if count > MAX_MESSAGES or (kind == _SCHEMA) != (count == 1):
            raise DecodeError(
                "arrow",
                f"message {count} is of kind {kind}; expected a schema and at most 1,023 batches",
            )
        if kind == _SCHEMA:
            schema = value[at:stop]
        else:
            rows[kind] += claimed
            if rows[kind] > max_rows:
                raise DecodeError(
                    "too_many_rows", f"{rows[kind]} rows or dictionary values, limit {max_rows}"
                )
        at = stop + body
    if not count or at != end:
        raise DecodeError("arrow", f"{count} messages, then {end - at} bytes too many")
    return Layout(schema, rows[_BATCH])


def _size(value: bytes, at: int) -> int:
    """Length of the metadata of the message at a position; 0 ends the stream."""
    if not value.startswith(MAGIC, at) or at + 8 > len(value):
        raise DecodeError("arrow", f"no message at byte {at}")
    size = int(_I32.unpack_from(value, at + 4)[0])
    if not 0 <= size <= MAX_METADATA_BYTES or at + 8 + size > len(value):
        raise DecodeError("arrow", f"a message of {size} bytes of metadata at byte {at}")
    return size


@lru_cache(maxsize=1024)
def _claims(metadata: bytes) -> tuple[int, int, int]:
    """Kind, rows and length of body of a message, remembered.

    A producer repeats most of its metadata byte for byte.
    """
    try:
        _, kind_at, header, body_at = _fields(metadata, _follow(metadata, 0))
        kind = metadata[kind_at] if kind_at else 0
        body = int(_I64.unpack_from(metadata, body_at)[0]) if body_at else 0
        table = _follow(metadata, header)
        if kind == _DICTIONARY:
            _, data, delta, _ = _fields(metadata, table)
            if delta and metadata[delta]:
                raise DecodeError("dictionary", "delta dictionaries are not read")
            table = _follow(metadata, data)
        elif kind not in {_SCHEMA, _BATCH}:
            raise DecodeError("arrow", f"a message of kind {kind}")
        length, _, _, compression = _fields(metadata, table) if kind != _SCHEMA else (0, 0, 0, 0)
        rows = int(_I64.unpack_from(metadata, length)[0]) if length else 0
    except (error, IndexError) as problem:
        raise DecodeError("arrow", f"broken metadata: {problem}") from None
    if compression:
        raise DecodeError("compressed", "compressed bodies are refused; compress at Kafka level")
    if rows < 0 or body < 0:
        raise DecodeError("arrow", f"{rows} rows in {body} bytes")
    return kind, rows, body


def _fields(metadata: bytes, table: int) -> tuple[int, int, int, int]:
    """Positions of the first four fields of a FlatBuffer table; 0 for an absent one."""
    vtable = table - _I32.unpack_from(metadata, table)[0]
    if vtable < 0:
        raise IndexError("a table before the message")
    count = min(max((_U16.unpack_from(metadata, vtable)[0] - 4) // 2, 0), 4)
    first, second, third, fourth = _SLOTS[count].unpack_from(metadata, vtable + 4) + _ABSENT[count]
    return (
        first and table + first,
        second and table + second,
        third and table + third,
        fourth and table + fourth,
    )


def _follow(metadata: bytes, position: int) -> int:
    """Where the offset stored at a position leads (position 0 holds that of the root)."""
    return position + int(_U32.unpack_from(metadata, position)[0])
