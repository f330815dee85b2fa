"""A record for every reason to refuse one, and a row for every outcome of the screen.

They are told at a time of the feed.
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa

from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE, REFRESH_HEADER
from streams.decoding.frames import QUOTE_SCHEMA, TICK_SCHEMA
from streams.detection.alerts.commands import MAX_BYTES
from streams.points import PointsFrame
from streams.points_codec import encode_points
from streams.reading import encode_reading
from streams.records import NS
from streams.stage import Role
from streams.valuation.contract_key import SERIES_LIMIT
from streams.valuation.series_codes import PER_UNDERLYING
from tests.support.frame_bytes import written
from tests.support.readings import MONDAY, eastern, toy

Headers = tuple[tuple[str, bytes], ...]
BEAT: Headers = (("content-type", HEARTBEAT_CONTENT_TYPE.encode()),)
EARLIER = 1_783_641_600 * NS
"""2026-07-09 20:00 ET: after the close, before the session of the feed."""
AHEAD = 1_893_596_400 * NS
"""2030-01-02 15:00 UTC."""
TOO_LARGE = 9 * 2**20
MANY = 200_001
"""Rows, one more than a record may have."""


@dataclass(frozen=True)
class Bad:
    """One bad record and what must become of it.

    That is a dead letter with a reason, or rows with outcomes.
    """

    role: Role
    name: str
    make: Callable[[int], bytes | None]
    """Its value, given the time (ns) of the second it is sent in."""
    reason: str = ""
    outcomes: Mapping[str, int] = field(default_factory=dict)
    headers: Headers = ()

    def __str__(self) -> str:
        return f"{self.role}-{self.name}"


def _quote(at: int, **changed: Any) -> dict[str, Any]:
    quote = {
        "underlying": "SPY",
        "expiry": "2026-08-28",
        "strike": 100.0,
        "right": "C",
        "bid": 4.0,
        "ask": 4.1,
        "ts_event": at - NS // 2,
    }
    return {name: value for name, value in (quote | changed).items() if value != "absent"}


def _tick(at: int, **changed: Any) -> dict[str, Any]:
    tick = {"symbol": "VIX", "price": 17.0, "size": 1.0, "ts_event": at - NS // 2}
    return {name: value for name, value in (tick | changed).items() if value != "absent"}


def _text(value: object) -> bytes:
    return json.dumps(value).encode()


def quote_table(at: int, rows: int = 2, **columns: Any) -> Any:
    """Quotes of SPY, sizes left out, with some columns replaced."""
    made = {
        "underlying": pa.array(["SPY"] * rows).dictionary_encode(),
        "root": pa.array(["SPY"] * rows).dictionary_encode(),
        "expiry": pa.array([20_693] * rows, pa.int32()).cast(pa.date32()),
        "strike": pa.array([100.0 + row for row in range(rows)], pa.float64()),
        "right": pa.array(["C"] * rows).dictionary_encode(),
        "bid": pa.array([4.0] * rows, pa.float64()),
        "ask": pa.array([4.1] * rows, pa.float64()),
        "ts_event": pa.array([at - NS // 2] * rows, pa.int64()),
    } | columns
    return pa.table({name: column for name, column in made.items() if column is not None})


def tick_table(at: int, **columns: Any) -> Any:
    """Ticks of VIX with some columns replaced."""
    made = {
        "symbol": pa.array(["VIX"] * 2).dictionary_encode(),
        "price": pa.array([17.0] * 2, pa.float64()),
        "size": pa.array([1.0] * 2, pa.float64()),
        "ts_event": pa.array([at - NS // 2] * 2, pa.int64()),
    } | columns
    return pa.table({name: column for name, column in made.items() if column is not None})


def _truncated(frame: bytes) -> bytes:
    return frame[: len(frame) // 2]


def _mutated(frame: bytes) -> bytes:
    """The length of the first message no longer leads to the second."""
    return frame[:4] + bytes([frame[4] ^ 0x08]) + frame[5:]


def _many() -> bytes:
    return written(pa.table({"x": pa.array(np.zeros(MANY, np.int8))}))


def _pointing_nowhere() -> Any:
    return pa.DictionaryArray.from_arrays(
        pa.array([0, 99], pa.int32()), pa.array(["SPY"]), safe=False
    )


def _future(at: int) -> int:
    """Ahead of the broker's clock, which stamps the record."""
    del at
    return time.time_ns() + 400 * 86_400 * NS


def _of_both(
    role: Role, row: Callable[..., dict[str, Any]], table: Callable[..., Any], number: str
) -> tuple[Bad, ...]:
    """What can be wrong with quotes and ticks alike; `number` is a column of floats."""
    schema = QUOTE_SCHEMA if role == "quotes" else TICK_SCHEMA
    refused: tuple[tuple[str, str, Callable[[int], bytes | None], Headers], ...] = (
        ("tombstone", "tombstone", lambda _: None, ()),
        ("no bytes", "empty", lambda _: b"", ()),
        ("9 MiB", "too_large", lambda _: b"[" + b" " * TOO_LARGE, ()),
        ("200,001 rows", "too_many_rows", lambda _: _many(), ()),
        ("refresh of no number", "header", lambda at: _text(row(at)), ((REFRESH_HEADER, b"soon"),)),
        ("refresh of no time", "header", lambda at: _text(row(at)), ((REFRESH_HEADER, b"-1"),)),
        ("heartbeat without a time", "heartbeat", lambda _: b"{}", BEAT),
        ("heartbeat far ahead", "heartbeat", lambda at: _text({"ts_event": _future(at)}), BEAT),
        ("random bytes", "format", lambda _: np.random.default_rng(5).bytes(200), ()),
        ("truncated JSON", "json", lambda at: _text(row(at))[:-9], ()),
        ("deep nesting", "json", lambda _: b'{"nested":' + b"[" * 100_000, ()),
        ("missing field", "missing_field", lambda at: _text(row(at, ts_event="absent")), ()),
        ("text for a number", "type", lambda at: _text(row(at, **{number: "cheap"})), ()),
        (
            "an array of bad rows",
            "type",
            lambda at: _text([row(at, **{number: []}), row(at, **{number: "1,234"})]),
            (),
        ),
        (
            "a frame of null times",
            "time",
            lambda at: written(table(at, ts_event=pa.array([None, None], pa.int64()))),
            (),
        ),
        ("a time in seconds", "time", lambda at: _text(row(at, ts_event=at // NS)), ()),
        ("a time in milliseconds", "time", lambda at: _text(row(at, ts_event=at // 1_000_000)), ()),
        ("a time in microseconds", "time", lambda at: _text(row(at, ts_event=at // 1_000)), ()),
        (
            "a frame in milliseconds",
            "time",
            lambda at: written(table(at, ts_event=pa.array([at // 1_000_000] * 2))),
            (),
        ),
        ("the first nanosecond", "time", lambda at: _text(row(at, ts_event=0)), ()),
        ("the last nanosecond", "time", lambda at: _text(row(at, ts_event=2**63 - 1)), ()),
        ("time in words", "time", lambda at: _text(row(at, ts_event="yesterday")), ()),
        (
            "time without an offset",
            "time",
            lambda at: _text(row(at, ts_event="2026-07-10T10:00:00")),
            (),
        ),
        ("time outside int64", "time", lambda at: _text(row(at, ts_event=2**70)), ()),
        ("truncated frame", "arrow", lambda at: _truncated(written(table(at))), ()),
        ("mutated frame", "arrow", lambda at: _mutated(written(table(at))), ()),
        ("compressed frame", "compressed", lambda at: written(table(at), compression="zstd"), ()),
        ("frame without a column", "schema", lambda at: written(table(at, ts_event=None)), ()),
        (
            "frame with a column more",
            "schema",
            lambda at: written(table(at, venue=pa.array(["C", "C"]))),
            (),
        ),
        (
            "frame with a wrong type",
            "schema",
            lambda at: written(table(at, **{number: pa.array([True, False])})),
            (),
        ),
        (
            "dictionary",
            "dictionary",
            lambda at: written(table(at, **{schema.names[0]: _pointing_nowhere()})),
            (),
        ),
    )
    in_part: tuple[tuple[str, str, Callable[[int], bytes]], ...] = (
        ("bad number", "type", lambda at: _text([row(at), row(at, **{number: []})])),
        ("missing field", "missing_field", lambda at: _text([row(at), {}])),
        (
            "time in milliseconds",
            "time",
            lambda at: _text([row(at), row(at, ts_event=at // 1_000_000)]),
        ),
        (
            "null time",
            "time",
            lambda at: written(table(at, ts_event=pa.array([at - 1, None], pa.int64()))),
        ),
        (
            "NaN",
            "non_finite",
            lambda at: json.dumps([row(at), row(at, **{number: math.nan})]).encode(),
        ),
        (
            "Infinity",
            "non_finite",
            lambda at: json.dumps([row(at), row(at, **{number: math.inf})]).encode(),
        ),
    )
    return (
        *(
            Bad(role, name, make, reason=reason, headers=headers)
            for name, reason, make, headers in refused
        ),
        *(
            Bad(role, f"{name} in one row of two", make, outcomes={"accepted": 1, outcome: 1})
            for name, outcome, make in in_part
        ),
        *(
            Bad(role, name, make, outcomes={"accepted": rows})
            for name, rows, make in _foreign(role, row, table, number)
        ),
    )


def _foreign(
    role: Role, row: Callable[..., dict[str, Any]], table: Callable[..., Any], number: str
) -> tuple[tuple[str, int, Callable[[int], bytes]], ...]:
    """What others write otherwise, and what is read all the same: name, rows, value."""
    name, symbol = ("underlying", "SPY") if role == "quotes" else ("symbol", "VIX")

    def utc(at: int) -> str:
        return datetime.fromtimestamp(at // NS, UTC).isoformat()

    return (
        ("float seconds", 1, lambda at: _text(row(at, ts_event=at / NS - 0.25))),
        ("nanoseconds as text", 1, lambda at: _text(row(at, ts_event=str(at - NS // 4)))),
        (
            "an offset of summer",
            1,
            lambda at: _text(row(at, ts_event=f"{utc(at - 4 * 3600 * NS)[:19]}-0400")),
        ),
        (
            "an offset of winter",
            1,
            lambda at: _text(row(at, ts_event=f"{utc(at - 5 * 3600 * NS)[:19]}-05:00")),
        ),
        ("numbers as text", 1, lambda at: _text(row(at, **{number: "$100.0"}))),
        ("a symbol with a mark", 1, lambda at: _text(row(at, **{name: f"${symbol}"}))),
        ("a symbol written small", 1, lambda at: _text(row(at, **{name: f" {symbol.lower()} "}))),
        ("a byte-order mark", 1, lambda at: b"\xef\xbb\xbf" + _text(row(at))),
        (
            "a frame of texts",
            2,
            lambda at: written(table(at, **{number: pa.array(["100", "100.5"])})),
        ),
        (
            "a frame of timestamps",
            2,
            lambda at: written(
                table(at, ts_event=pa.array([at - NS // 2] * 2, pa.timestamp("ns", "UTC")))
            ),
        ),
    )


def _row(
    role: Role, name: str, row: Callable[..., dict[str, Any]], outcome: str, **changed: Any
) -> Bad:
    def make(at: int) -> bytes:
        return _text(
            row(
                at,
                **{key: value(at) if callable(value) else value for key, value in changed.items()},
            )
        )

    return Bad(role, name, make, outcomes={outcome: 1})


def _dead(name: str, reason: str, **changed: Any) -> Bad:
    return Bad("quotes", name, lambda at: _text(_quote(at, **changed)), reason=reason)


def _quote_rows() -> tuple[Bad, ...]:
    frame = "frame of infinite numbers"
    infinite = pa.array([math.inf, math.nan])
    return (
        Bad(
            "quotes",
            frame,
            lambda at: written(quote_table(at, strike=infinite)),
            outcomes={"non_finite": 2},
        ),
        _row("quotes", "no bid known", _quote, "non_finite", bid=None),
        _row("quotes", "negative bid", _quote, "negative", bid=-0.01),
        _row("quotes", "absurd ask", _quote, "negative", ask=1e10),
        _row("quotes", "strike of zero", _quote, "strike", strike=0.0),
        _row("quotes", "negative strike", _quote, "strike", strike=-100.0),
        _row("quotes", "strike of half a mill", _quote, "strike", strike=0.0004),
        _row("quotes", "crossed", _quote, "crossed", bid=4.2),
        _row("quotes", "unknown symbol", _quote, "unknown", underlying="ZZZZ"),
        _row("quotes", "no symbol at all", _quote, "unknown", underlying="<script>"),
        _row("quotes", "far in the future", _quote, "future", ts_event=_future),
        _row("quotes", "out of order", _quote, "late", ts_event=lambda at: at - 10 * NS),
        _row("quotes", "expired", _quote, "expired", expiry="2026-07-09"),
        _row("quotes", "expired for ever", _quote, "expired", expiry="0001-01-01"),
        _row("quotes", "absurd expiry", _quote, "far_expiry", expiry="9999-12-31"),
        _row("quotes", "nobody bids", _quote, "no_bid", bid=0.0),
        *_contracts(),
        Bad(
            "quotes",
            "twice the same",
            lambda at: _text([_quote(at)] * 2),
            outcomes={"accepted": 1, "duplicate": 1},
        ),
    )


def _contracts() -> tuple[Bad, ...]:
    """Contracts as others spell them, and two that say nothing."""
    sent = dict.fromkeys(("underlying", "expiry", "strike", "right"), "absent")
    symbols = (
        "SPY260828C00100000",
        "SPY   260828C00100000",
        "O:SPY260828C00100000",
        "spy260828c00100000",
        ".SPY260828C100",
    )
    spelled: list[tuple[str, dict[str, Any]]] = [
        *((symbol, sent | {"symbol": symbol}) for symbol in symbols),
        *((f"right {right}", {"right": right}) for right in ("call", "CALL", "c")),
        *(
            (f"expiry {day}", {"expiry": day})
            for day in ("20260828", 20260828, "08/28/2026", "28-Aug-2026", "2026-08-28T00:00:00Z")
        ),
    ]
    numbers = pa.array([20_260_828] * 2, pa.int32())
    gap = pa.array([20_693, None], pa.int32()).cast(pa.date32())
    unpadded = quote_table(0).drop_columns(["underlying", "root", "expiry", "strike", "right"])

    def of_symbols(at: int) -> bytes:
        rows = unpadded.append_column(
            "symbol", pa.array(["SPY260828C00100000", "SPY 28AUG26 C 100"])
        )
        return written(
            rows.set_column(
                rows.schema.names.index("ts_event"), "ts_event", pa.array([at - NS // 2] * 2)
            )
        )

    return (
        *(_row("quotes", name, _quote, "accepted", **changed) for name, changed in spelled),
        Bad(
            "quotes",
            "a frame of yyyymmdd",
            lambda at: written(quote_table(at, expiry=numbers)),
            outcomes={"accepted": 2},
        ),
        Bad(
            "quotes",
            "a frame with a null expiry",
            lambda at: written(quote_table(at, expiry=gap)),
            outcomes={"accepted": 1, "expiry": 1},
        ),
        Bad(
            "quotes", "a frame of option symbols", of_symbols, outcomes={"accepted": 1, "symbol": 1}
        ),
        _row("quotes", "an index root as underlying", _quote, "unknown", underlying="SPXW"),
        *(
            _row("quotes", f"underlying {name}", _quote, "accepted", underlying=name)
            for name in ("^SPY", "_SPY", "$SPY.X", "I:SPY")
        ),
        _dead("a date that may be two", "expiry", expiry="08/07/2026"),
        _dead("a number that may be two", "type", strike="1,234"),
    )


def _tick_rows() -> tuple[Bad, ...]:
    return (
        _row("ticks", "no price", _tick, "non_finite", price=None),
        _row("ticks", "price of zero", _tick, "negative", price=0.0),
        _row("ticks", "unknown symbol", _tick, "unknown", symbol="ZZZZ"),
        _row("ticks", "no symbol at all", _tick, "unknown", symbol="\u0000"),
        _row("ticks", "far in the future", _tick, "future", ts_event=_future),
        _row("ticks", "out of order", _tick, "late", ts_event=lambda at: at - 10 * NS),
    )


def _points(source: str, boundary: int) -> bytes:
    return encode_points(PointsFrame("SPY", source, 2, boundary, 0, idle=False))


def _reading(index: str, at: datetime) -> bytes:
    made = toy(eastern(MONDAY, "10:00:00"), 0.15, 0.44, 0.10)
    return encode_reading(
        msgspec.structs.replace(made, index=index, ts_event=at, session=at.date())
    )


def _command(name: str, reason: str, **changed: Any) -> Bad:
    command = {
        "command_id": str(UUID(int=1)),
        "command": "acknowledge",
        "index": "SPY",
        "fingerprint": "0" * 16,
        "who": "ann",
    }
    return Bad("commands", name, lambda _: _text(command | changed), reason=reason)


def _flood(at: int) -> bytes:
    """As many roots as a source can tell apart, all of one name."""
    rows = SERIES_LIMIT
    return written(
        quote_table(
            at,
            rows,
            root=pa.array([f"R{row}" for row in range(rows)]),
            expiry=pa.array([20_800] * rows, pa.date32()),
        )
    )


FIRST = (
    _row("quotes", "after the close", _quote, "outside_session", ts_event=EARLIER),
    _row("ticks", "after the close", _tick, "outside_session", ts_event=EARLIER),
)
"""These move the clock, so they come before all others."""
ROOM = PER_UNDERLYING - 1
"""Series of a name beside the one that is known."""
LAST = (
    Bad(
        "quotes",
        "a flood of roots",
        _flood,
        outcomes={"accepted": ROOM, "no_room": SERIES_LIMIT - ROOM},
    ),
)
CASES: tuple[Bad, ...] = (
    *FIRST,
    *_of_both("quotes", _quote, quote_table, "strike"),
    *_of_both("ticks", _tick, tick_table, "price"),
    _dead("symbol of no contract", "symbol", symbol="SPY 260828X00100000"),
    _dead("endless symbol", "symbol", underlying="S" * 65),
    _dead("day that is none", "expiry", expiry="2026-02-30"),
    _dead("expiry in words", "expiry", expiry="next Friday"),
    *_quote_rows(),
    *_tick_rows(),
    Bad("points", "no frame", lambda _: b"junk", reason="malformed"),
    Bad("points", "tombstone", lambda _: None, reason="malformed"),
    Bad("points", "of 2030", lambda _: _points("quotes:0", AHEAD), reason="future"),
    Bad("points", "of a source that is none", lambda at: _points("quotes:9", at), reason="sources"),
    Bad("readings", "truncated JSON", lambda _: b'{"ts_event"', reason="schema"),
    Bad("readings", "tombstone", lambda _: None, reason="schema"),
    Bad(
        "readings",
        "of 2030",
        lambda _: _reading("SPY", datetime(2030, 1, 2, 15, tzinfo=UTC)),
        reason="future",
    ),
    Bad(
        "readings",
        "of another monitor",
        lambda _: _reading("DAX", eastern(MONDAY, "10:00:00")),
        reason="unknown_index",
    ),
    Bad("commands", "truncated JSON", lambda _: b'{"command"', reason="schema"),
    Bad("commands", "tombstone", lambda _: None, reason="schema"),
    _command("endless reason", "schema", why="x" * MAX_BYTES),
    _command("unknown verb", "schema", command="resolve"),
    _command("to another monitor", "unknown_index", index="DAX"),
    _command("about no alert", "unknown_alert"),
    _command("silence for ever", "until", command="silence", until="2999-01-01T00:00:00Z"),
    _command("silence without an end", "until", command="silence"),
    *LAST,
)
