"""What a batch of records may unpack to.

Decoders of every codec of Kafka stop at a limit, in place of the clients' own.

aiokafka and kafka-python unpack whatever a batch holds: one of 3 MB can take 3 GB. Theirs are
replaced for the whole process, and kafka-python reads snappy, lz4 and zstd without further
packages.
"""

import logging
import mmap
import struct
import threading
import zlib
from collections.abc import Callable
from typing import Any, Final

import cramjam

from config.settings import KafkaSettings

TIMES_MESSAGE: Final = 4
LEAST_LIMIT: Final = 32 * 2**20
GZIP: Final = 31
"""zlib's window bits of a gzip stream."""
MEMBERS: Final = 16
"""Streams that a gzip payload may consist of; producers write one."""
XERIAL: Final = b"\x82SNAPPY\x00"
XERIAL_HEADER: Final = 16
OVERFLOW: Final = "failed to write whole buffer"
"""cramjam's words for output that does not fit."""

log = logging.getLogger(__name__)


class UnpacksTooLargeError(ValueError):
    """A batch unpacks to more than is allowed."""

    def __init__(self) -> None:
        super().__init__(
            f"it unpacks to more than {_limit} bytes; a smaller batch, "
            "or a larger kafka.max_message_bytes, would pass"
        )


_limit = LEAST_LIMIT
_own = threading.local()


def unpacked_limit(kafka: KafkaSettings) -> int:
    """Bytes that a batch may unpack to: four of the largest messages, and at least 32 MiB."""
    return max(LEAST_LIMIT, TIMES_MESSAGE * kafka.max_message_bytes)


def ungzip(payload: Any) -> bytes:
    """Raises `UnpacksTooLargeError`, `ValueError`, `zlib.error`."""
    parts: list[bytes] = []
    room = _limit
    while payload:
        stream = zlib.decompressobj(GZIP)
        parts.append(stream.decompress(payload, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise UnpacksTooLargeError
        if not stream.eof or len(parts) > MEMBERS:
            raise ValueError("no whole gzip stream")
        payload = stream.unused_data.lstrip(b"\0")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def unsnappy(payload: Any) -> bytes:
    """One block, or xerial's frame of blocks; each says its size.

    Raises `UnpacksTooLargeError`, `ValueError`, `DecompressionError`.
    """
    data = bytes(payload)
    blocks = _xerial_blocks(data) if data.startswith(XERIAL) else [data]
    if sum(cramjam.snappy.decompress_raw_len(block) for block in blocks) > _limit:
        raise UnpacksTooLargeError
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _xerial_blocks(data: bytes) -> list[bytes]:
    blocks: list[bytes] = []
    at = XERIAL_HEADER
    while at < len(data):
        (size,) = struct.unpack_from(">i", data, at)
        at += 4 + size
        if size <= 0 or at > len(data):
            raise ValueError("no whole snappy block")
        blocks.append(data[at - size : at])
    return blocks


def unlz4(payload: Any) -> bytes:
    """Raises `UnpacksTooLargeError`, `DecompressionError`."""
    return _into_room(cramjam.lz4.decompress_into, payload)


def unzstd(payload: Any) -> bytes:
    """Raises `UnpacksTooLargeError`, `DecompressionError`."""
    return _into_room(cramjam.zstd.decompress_into, payload)


def _into_room(decompress: Callable[[Any, Any], int], payload: Any) -> bytes:
    room = _room()
    try:
        size = decompress(bytes(payload), room)
    except cramjam.DecompressionError as error:
        if OVERFLOW in str(error):
            raise UnpacksTooLargeError from error
        raise
    return room[:size]


def _room() -> mmap.mmap:
    """Memory of this thread, of the size of the limit.

    What nothing was ever written to costs nothing.
    """
    room: mmap.mmap | None = getattr(_own, "room", None)
    if room is None or len(room) != _limit:
        room = _own.room = mmap.mmap(-1, _limit)
    return room


def bound_aiokafka(limit: int) -> None:
    """From now on aiokafka's consumers unpack within the limit.

    A batch that does not fit raises what the decoders raise.
    """
    from aiokafka.record._crecords import default_records, legacy_records

    _bound(limit, default_records, legacy_records)


def bound_kafka_python(limit: int) -> None:
    """From now on kafka-python's consumers pass over some batches, and say so in the log.

    They pass over a batch that does not fit or cannot be unpacked.
    """
    from kafka import codec
    from kafka.record import default_records, legacy_records, memory_records

    _bound(limit, default_records, legacy_records)
    codec.has_snappy = codec.has_lz4 = codec.has_zstd = lambda: True
    if memory_records.DefaultRecordBatch is default_records.DefaultRecordBatch:
        memory_records.DefaultRecordBatch = _passing_over(default_records.DefaultRecordBatch)


def _bound(limit: int, *modules: Any) -> None:
    global _limit  # noqa: PLW0603 - the clients' decoders belong to the process
    _limit = limit
    for module in modules:
        for name, decoder in DECODERS.items():
            if hasattr(module, name):
                setattr(module, name, decoder)


DECODERS: Final = {
    "gzip_decode": ungzip,
    "snappy_decode": unsnappy,
    "lz4_decode": unlz4,
    "zstd_decode": unzstd,
}
"""By the names of both clients."""


def _passing_over(stock: Any) -> Any:
    class PassingOver(stock):  # type: ignore[misc]
        """A batch without records where they cannot be unpacked."""

        def _maybe_uncompress(self) -> None:
            try:
                super()._maybe_uncompress()
            except (ValueError, zlib.error, struct.error, cramjam.DecompressionError) as error:
                log.warning(
                    "passing over a batch at offsets %d to %d: %s",
                    self.base_offset,
                    self.next_offset - 1,
                    error,
                )
                self._buffer, self._pos, self._num_records, self._decompressed = (
                    bytearray(),
                    0,
                    0,
                    True,
                )

    return PassingOver
