"""Batches as no producer makes them, sent to a broker byte by byte."""

import socket
import struct
from collections.abc import Sequence
from contextlib import closing
from time import time

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c, encode_varint

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
HEADER = 61
"""Bytes of a batch before its records."""
SIZE, CHECKSUM, ATTRIBUTES = slice(8, 12), slice(17, 21), slice(21, 23)
LONGEST = 2**30
PRODUCE, VERSION = 0, 7


def batch_of(
    codec: int, *values: bytes | None, offset: int = 0, timestamp: int | None = None
) -> bytes:
    """A batch of records without keys, of now unless told otherwise.

    Retention takes what is older.
    """
    stamp = round(time() * 1000) if timestamp is None else timestamp
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, 0, -1, LONGEST)
    for at, value in enumerate(values):
        builder.append(at, stamp, None, value, [])
    data = builder.build()
    data[:8] = offset.to_bytes(8, "big")
    return sealed(data)


def with_payload(codec: int, payload: bytes, *, offset: int = 0) -> bytes:
    """A batch of one record whose compressed part is this, whatever it is."""
    head = bytearray(batch_of(0, b"", offset=offset)[:HEADER])
    head[ATTRIBUTES] = codec.to_bytes(2, "big")
    return sealed(head + payload)


def with_deltas(deltas: Sequence[int], *, offset: int = 0) -> bytes:
    """A batch of empty records.

    They say of themselves that they are so far behind its first offset.
    """
    head = bytearray(batch_of(0, *[None] * len(deltas), offset=offset)[:HEADER])
    return sealed(head + b"".join(_record(delta) for delta in deltas))


def _record(delta: int) -> bytes:
    fields = bytearray(2)
    for number in (delta, -1, -1, 0):
        encode_varint(number, fields.append)
    size = bytearray()
    encode_varint(len(fields), size.append)
    return bytes(size + fields)


def sealed(data: bytes | bytearray) -> bytes:
    """A batch with the length and the checksum of what it has become."""
    changed = bytearray(data)
    changed[SIZE] = (len(changed) - 12).to_bytes(4, "big")
    changed[CHECKSUM] = calc_crc32c(changed[21:]).to_bytes(4, "big")
    return bytes(changed)


def produce(bootstrap: str, topic: str, batch: bytes, partition: int = 0) -> tuple[int, int]:
    """Send one batch to the broker that leads the partition.

    Returns the error code and the offset of its first record.
    """
    host, _, port = bootstrap.partition(":")
    body = (
        struct.pack(">hhii", -1, -1, 30_000, 1)
        + _text(topic)
        + struct.pack(">iii", 1, partition, len(batch))
        + batch
    )
    request = struct.pack(">hhi", PRODUCE, VERSION, 1) + _text("raw") + body
    with closing(socket.create_connection((host, int(port)), timeout=60)) as connection:
        connection.sendall(len(request).to_bytes(4, "big") + request)
        answer = _read(connection, int.from_bytes(_read(connection, 4), "big"))
    at = 4 + 4 + 2 + len(topic) + 4 + 4
    error, offset = struct.unpack_from(">hq", answer, at)
    return error, offset


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the broker hung up")
        data += part
    return data
