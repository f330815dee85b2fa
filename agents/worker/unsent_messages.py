"""Messages that a checkpoint promises to publish afterwards, kept in the checkpoint itself.

An idle mark is decided by a clock, so it is published only after a checkpoint that covers what it
closed; should the process die in between, its successor finds the messages here and publishes them
first.
"""

from collections.abc import Sequence

import msgspec

from streams.stage import Message

CHUNK = "runner/unsent"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Message])


def pack(messages: Sequence[Message]) -> bytes:
    """Bytes of messages; empty for none, which deletes the chunk."""
    return _encoder.encode(list(messages)) if messages else b""


def unpack(chunk: bytes) -> list[Message]:
    """The messages in a chunk. Raises `ValueError` on foreign bytes."""
    return _decoder.decode(chunk) if chunk else []
