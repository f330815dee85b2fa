"""Bytes of the detector's state: MessagePack behind a two-byte header.

So a foreign chunk is refused and never guessed at.
"""

from typing import TypeVar

import msgspec

HEADER = b"D\x01"
"""Detector state, version 1."""
T = TypeVar("T")
_encoder = msgspec.msgpack.Encoder()


def pack(value: object) -> bytes:
    """Header and MessagePack of a struct or a plain value."""
    return HEADER + _encoder.encode(value)


def unpack(payload: bytes, kind: type[T]) -> T:
    """The value in a chunk. Raises `ValueError` on anything that `pack` did not write."""
    if payload[: len(HEADER)] != HEADER:
        raise ValueError("not a chunk of the detector's state")
    return msgspec.msgpack.decode(payload[len(HEADER) :], type=kind)
