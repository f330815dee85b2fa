"""Alert events on the wire: structured CloudEvents JSON.

`ce_*` headers stand beside it for cheap filtering.
"""

import msgspec

from streams.stage import Message, Role

CONTENT_TYPE = b"application/cloudevents+json; charset=UTF-8"
SEQ_HEADER = "dispersion-seq"
_ATTRIBUTES = (
    "specversion",
    "id",
    "source",
    "type",
    "subject",
    "time",
    "datacontenttype",
    "dataschema",
    "partitionkey",
    "sequence",
)


_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def attributes(value: bytes) -> dict[str, str]:
    """The context attributes of a structured event. Raises `ValueError` on anything else."""
    fields = _decode(value)
    return {
        name: msgspec.json.decode(fields[name], type=str) for name in _ATTRIBUTES if name in fields
    }


def event_message(role: Role, value: bytes, partition: int, seq: int | None = None) -> Message:
    """The Kafka record of an event.

    It has the key from `partitionkey`, the content type, `ce_*` headers, and the outbox sequence.
    """
    context = attributes(value)
    headers = [
        ("content-type", CONTENT_TYPE),
        *((f"ce_{name}", text.encode()) for name, text in context.items()),
    ]
    if seq is not None:
        headers.append((SEQ_HEADER, str(seq).encode()))
    key = context.get("partitionkey")
    return Message(role, None if key is None else key.encode(), value, tuple(headers), partition)
