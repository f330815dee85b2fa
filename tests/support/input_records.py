"""Input records for the stages of the market topics."""

from collections.abc import Iterable, Sequence

from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE, REFRESH_HEADER
from streams.decoding.frames import encode_quotes, encode_ticks, encode_vols
from streams.points import PointsFrame
from streams.points_codec import decode_points
from streams.records import InputRecord, Quotes, Ticks, Vols
from streams.stage import Message


def record(
    value: bytes, at: int, headers: tuple[tuple[str, bytes], ...] = (), topic: str = "in"
) -> InputRecord:
    """A record stamped `at` (ns)."""
    return InputRecord(topic, 0, 0, at // 1_000_000, None, value, headers)


def frame_of(columns: Quotes | Vols | Ticks) -> InputRecord:
    """A frame, stamped with its newest row."""
    if isinstance(columns, Vols):
        value = encode_vols(columns)
    else:
        value = encode_quotes(columns) if isinstance(columns, Quotes) else encode_ticks(columns)
    refresh = columns.refresh_seconds
    headers = () if refresh is None else ((REFRESH_HEADER, str(refresh).encode()),)
    return record(value, int(columns.ts_event.max()), headers)


def heartbeat(at: int) -> InputRecord:
    """Nothing at or before `at` (ns) will follow."""
    return record(
        b'{"ts_event": %d}' % at, at, (("content-type", HEARTBEAT_CONTENT_TYPE.encode()),)
    )


def numbered(records: Iterable[InputRecord]) -> list[InputRecord]:
    """The same with offsets."""
    return [one._replace(offset=offset) for offset, one in enumerate(records)]


def frames_in(messages: Sequence[Message]) -> list[PointsFrame]:
    """The points frames among messages."""
    return [decode_points(message.value or b"") for message in messages if message.role == "points"]
