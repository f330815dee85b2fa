"""Records of the input topics to columns, heartbeats and refusals, in the order of the source.

A record is one JSON object, a JSON array, a frame (`streams.decoding.frames`) or a heartbeat. The
first bytes tell them apart, and the content type a heartbeat. Consecutive JSON records become one
`Quotes` or `Ticks`, because columns are what is cheap; one of vols stays alone. Whatever the bytes,
decoding yields values and never raises.

What the plain readers refuse is read again by the table of spellings
(`streams.decoding.spellings`). A record of which no row can be read is `Malformed`; where others
can, the rows that cannot are `Unread`.
"""

import math
from collections.abc import Callable, Container, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec
import numpy as np

from streams.decoding import json_rows
from streams.decoding.decode_error import REASONS, DecodeError
from streams.decoding.foreign_json import (
    BYTE_ORDER_MARK,
    ForeignRows,
    foreign_quotes,
    foreign_ticks,
)
from streams.decoding.frame_columns import Limits
from streams.decoding.frame_layout import MAGIC
from streams.decoding.frames import decode_quote_frame, decode_tick_frame
from streams.decoding.listed_quotes import listed_quotes
from streams.records import NS, Heartbeat, Malformed, Quotes, Record, Ticks, Unread, Vols

__all__ = [
    "HEARTBEAT_CONTENT_TYPE",
    "REASONS",
    "REFRESH_HEADER",
    "Limits",
    "decode_quotes",
    "decode_ticks",
    "record_ns",
]

HEARTBEAT_CONTENT_TYPE: Final = "application/vnd.dispersion.heartbeat+json"
REFRESH_HEADER: Final = "dispersion-refresh-seconds"
MAX_REFRESH_SECONDS: Final = 86_400.0

_HEARTBEAT = HEARTBEAT_CONTENT_TYPE.encode()
_MESSAGE_LENGTH = 200
_HEADERS = attrgetter("headers")
_SPACE: Final = (b" ", b"\t", b"\r", b"\n")
_Columns = TypeVar("_Columns", Quotes | Vols, Ticks)
_Value = TypeVar("_Value")


class _Kind(NamedTuple, Generic[_Columns]):
    """How one topic's records are read."""

    row: Callable[[bytes], Any]
    rows: Callable[[bytes], list[Any]]
    columns: Callable[[Sequence[Any], Sequence[Record], float | None], _Columns]
    frame: Callable[[bytes, int, Limits, float | None, Record], list[_Columns | Unread]]
    foreign: Callable[[bytes], ForeignRows[Any]]
    """JSON that `row` and `rows` refuse; raises `DecodeError` where it is none."""
    other: Callable[[bytes, Record, float | None], _Columns] | None = None
    """JSON of which `row` and `rows` miss a field.

    Raises `DecodeError` or a `ValueError` of the JSON library.
    """
    plain: Callable[[list[bytes], Sequence[Record]], _Columns] | None = None
    """Values that are single objects of the most common form, all of them.

    Raises as `row` where one is not.
    """


_QUOTES: _Kind[Quotes | Vols] = _Kind(
    json_rows.quote_row,
    json_rows.quote_rows,
    json_rows.quotes_of,
    decode_quote_frame,
    foreign_quotes,
    json_rows.vols_of,
    listed_quotes,
)
_TICKS = _Kind(
    json_rows.tick_row, json_rows.tick_rows, json_rows.ticks_of, decode_tick_frame, foreign_ticks
)
_DEFAULT = Limits()
_Reading = tuple[float | None, Sequence[Any], Sequence[_Columns | Heartbeat | Malformed | Unread]]


def decode_quotes(
    records: Sequence[Record], limits: Limits = _DEFAULT
) -> Iterator[Quotes | Vols | Heartbeat | Malformed | Unread]:
    """Decode records of the quotes topic; arrays may be read-only."""
    return _decode(records, limits, _QUOTES)


def decode_ticks(
    records: Sequence[Record], references: Container[str], limits: Limits = _DEFAULT
) -> Iterator[Ticks | Heartbeat | Malformed | Unread]:
    """Decode records of the ticks topic.

    Prices of `references` arrive in index points and leave as decimals.
    """
    for item in _decode(records, limits, _TICKS):
        yield _decimals(item, references) if isinstance(item, Ticks) else item


def record_ns(record: Record) -> int:
    """A record's Kafka timestamp in nanoseconds, clamped to what sums within int64 allow."""
    return min(max(record.timestamp, -json_rows.MAX_RECORD_MS), json_rows.MAX_RECORD_MS) * 1_000_000


def _decode(
    records: Sequence[Record], limits: Limits, kind: _Kind[_Columns]
) -> Iterator[_Columns | Heartbeat | Malformed | Unread]:
    plain = _plain(records, limits, kind.plain) if kind.plain else None
    return _one_by_one(records, limits, kind) if plain is None else iter((plain,))


def _plain(
    records: Sequence[Record],
    limits: Limits,
    read: Callable[[list[bytes], Sequence[Record]], _Columns],
) -> _Columns | None:
    """All records at once, where each is a plain quote.

    None where one is not, or something about them must be said.
    """
    if not 0 < len(records) <= limits.rows or any(map(_HEADERS, records)):
        return None
    values = [record.value or b"" for record in records]
    if max(map(len, values)) > limits.record_bytes:
        return None
    try:
        return read(values, records)
    except (ValueError, RecursionError):
        return None


def _one_by_one(
    records: Sequence[Record], limits: Limits, kind: _Kind[_Columns]
) -> Iterator[_Columns | Heartbeat | Malformed | Unread]:
    rows: list[Any] = []
    origin: list[Record] = []
    declared: float | None = None
    for record in records:
        value = record.value or b""
        plain = value.startswith(b"{") and len(value) <= limits.record_bytes
        if plain and declared is None and not record.headers and len(rows) < limits.rows:
            # The common case; whatever is special goes the long way, which knows the reasons.
            try:
                rows.append(kind.row(value))
                origin.append(record)
                continue
            except (ValueError, RecursionError):
                pass
        refresh, found, items = _judge(record, limits, kind)
        if rows and (items or refresh != declared or len(rows) + len(found) > limits.rows):
            yield kind.columns(rows, origin, declared)
            rows, origin = [], []
        yield from items
        if found:
            declared = refresh
            rows.extend(found)
            origin.extend([record] * len(found))
    if rows:
        yield kind.columns(rows, origin, declared)


def _judge(record: Record, limits: Limits, kind: _Kind[_Columns]) -> _Reading[_Columns]:
    """As `_read`, a refusal being an item like any other."""
    try:
        return _read(record, limits, kind)
    except DecodeError as problem:
        return None, (), (Malformed(record, problem.reason, str(problem)[:_MESSAGE_LENGTH]),)


def _read(record: Record, limits: Limits, kind: _Kind[_Columns]) -> _Reading[_Columns]:
    """A record's declared refresh, its JSON rows, or else its finished items.

    Raises `DecodeError`.
    """
    value = record.value
    if value is None:
        raise DecodeError("tombstone", "a record without a value")
    if len(value) > limits.record_bytes:
        raise DecodeError("too_large", f"{len(value)} bytes, limit {limits.record_bytes}")
    refresh, beats = _headers(record) if record.headers else (None, False)
    if beats:
        return refresh, (), (_heartbeat(record, value, limits),)
    first = value[:1]
    if first in _SPACE:
        value = value.lstrip()
        first = value[:1]
    if first in {b"{", b"["} or value.startswith(BYTE_ORDER_MARK):
        return _read_json(record, value, limits, kind, refresh)
    if value.startswith(MAGIC):
        return refresh, (), kind.frame(value, record_ns(record), limits, refresh, record)
    raise DecodeError(
        *(
            ("format", f"neither JSON nor an Arrow stream: {value[:16]!r}")
            if value
            else ("empty", "no bytes")
        )
    )


def _read_json(
    record: Record, value: bytes, limits: Limits, kind: _Kind[_Columns], refresh: float | None
) -> _Reading[_Columns]:
    """Rows of the kind, or where these lack a field its other columns.

    Else what a foreign spelling says. Raises `DecodeError`.
    """
    rows: Sequence[Any] = ()
    items: Sequence[_Columns | Heartbeat | Malformed | Unread] = ()
    try:
        rows = (_json(kind.row, value),) if value.startswith(b"{") else _json(kind.rows, value)
    except DecodeError as problem:
        other = (
            kind.other if problem.reason == "missing_field" and json_rows.has_vols(value) else None
        )
        rows, items = _read_again(record, value, kind, other, refresh, problem)
    length = len(rows) + sum(map(_length, items))
    if length > limits.rows:
        raise DecodeError("too_many_rows", f"{length} rows, limit {limits.rows}")
    return refresh, rows, items


def _read_again(
    record: Record,
    value: bytes,
    kind: _Kind[_Columns],
    other: Callable[[bytes, Record, float | None], _Columns] | None,
    refresh: float | None,
    problem: DecodeError,
) -> tuple[Sequence[Any], Sequence[_Columns | Heartbeat | Malformed | Unread]]:
    """JSON that the plain reader refused with `problem`.

    The answer is its rows, or its other columns, and what of it could not be read.
    """
    if other is not None:
        try:
            return (), (_json(lambda text: other(text, record, refresh), value),)
        except DecodeError:
            pass
    found = kind.foreign(value)
    if found.refused and not found.rows:
        first = found.refused[0][1]
        # A value that nobody can read says more than the fields that are missing besides.
        raise problem if (problem.reason, first.reason) == ("type", "missing_field") else first
    unread: list[Unread] = _unread(record, found)
    if found.in_vols:
        return (), (*unread, cast("_Columns", json_rows.vols_of_rows(found.rows, record, refresh)))
    return found.rows, unread


def _length(item: Quotes | Vols | Ticks | Heartbeat | Malformed | Unread) -> int:
    """Rows of an item of JSON."""
    if isinstance(item, Unread):
        return item.rows
    return 0 if isinstance(item, Heartbeat | Malformed) else item.ts_event.size


def _unread(record: Record, found: ForeignRows[Any]) -> list[Unread]:
    """The rows that could not be read, by reason."""
    places: dict[str, list[tuple[int, DecodeError]]] = {}
    for at, problem in found.refused:
        places.setdefault(problem.reason, []).append((at, problem))
    return [
        Unread(record, reason, len(rows), rows[0][0], str(rows[0][1])[:_MESSAGE_LENGTH])
        for reason, rows in places.items()
    ]


def _json(read: Callable[[bytes], _Value], value: bytes) -> _Value:
    try:
        return read(value)
    except DecodeError:
        raise
    except msgspec.ValidationError as problem:
        text = str(problem)
        raise DecodeError(
            "missing_field" if "missing required field" in text else "type", text
        ) from None
    except (ValueError, RecursionError) as problem:
        raise DecodeError("json", str(problem)) from None


def _headers(record: Record) -> tuple[float | None, bool]:
    """The declared refresh, and whether the record is a heartbeat."""
    refresh, beats = None, False
    for name, content in record.headers:
        if name == "content-type" and content:
            beats = content.partition(b";")[0].strip().lower() == _HEARTBEAT
        elif name == REFRESH_HEADER:
            try:
                refresh = float(content)
            except (TypeError, ValueError):
                refresh = math.nan
            if not 0 < refresh <= MAX_REFRESH_SECONDS:
                raise DecodeError(
                    "header",
                    f"{REFRESH_HEADER}: {content!r}; "
                    f"expected seconds up to {MAX_REFRESH_SECONDS:.0f}",
                )
    return refresh, beats


def _heartbeat(record: Record, value: bytes, limits: Limits) -> Heartbeat:
    """One far ahead of its record would make every later row late, so it is refused."""
    try:
        beat = _json(json_rows.heartbeat, value)
    except DecodeError as problem:
        raise DecodeError("heartbeat", str(problem)) from None
    if beat.ts_event > record_ns(record) + round(limits.ahead_seconds * NS):
        raise DecodeError(
            "heartbeat",
            f"{beat.ts_event} is more than {limits.ahead_seconds:g} s ahead of its record",
        )
    return beat


def _decimals(ticks: Ticks, references: Container[str]) -> Ticks:
    points = np.array([symbol in references for symbol in ticks.symbols], np.bool_)
    if not points.any():
        return ticks
    return ticks._replace(
        price=np.where(points[ticks.symbol_code], ticks.price / 100.0, ticks.price)
    )
