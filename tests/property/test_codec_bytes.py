"""Whatever the bytes, decoding yields columns, heartbeats or refusals.

They are the same ones however the records are cut into batches.
"""

import itertools
import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.decoding.codec import (
    HEARTBEAT_CONTENT_TYPE,
    REASONS,
    REFRESH_HEADER,
    decode_quotes,
    decode_ticks,
)
from streams.decoding.frame_columns import Limits
from streams.decoding.frames import encode_quotes
from streams.records import Heartbeat, InputRecord, Malformed, Quotes, Ticks, Unread, Vols
from tests.support.frame_bytes import START, quotes

QUOTE = {
    "underlying": "SPX",
    "expiry": "2026-07-17",
    "strike": 6200.0,
    "right": "P",
    "bid": 1.5,
    "ask": 2.0,
    "ts_event": START,
}
GOOD = json.dumps(QUOTE).encode()
VOL = {
    **{name: value for name, value in QUOTE.items() if name not in {"bid", "ask"}},
    "iv": 0.2,
    "delta": -0.4,
}
FRAME = encode_quotes(quotes(3))
HEADERS = st.sampled_from(
    [
        (),
        (("content-type", b"application/json"),),
        (("content-type", HEARTBEAT_CONTENT_TYPE.encode()),),
        ((REFRESH_HEADER, b"60"),),
        ((REFRESH_HEADER, b"-"),),
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(["C", "P", "2026-07-17", START])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=10,
)
NEAR_QUOTES = st.dictionaries(
    st.sampled_from([*QUOTE, "root", "symbol", "size", "price"]), JSON, max_size=3
).map(lambda change: QUOTE | change)
NEAR_VOLS = st.dictionaries(
    st.sampled_from([*VOL, "root", "symbol", "bid", "ask"]), JSON, max_size=2
).map(lambda change: VOL | change)


def mutated(value: bytes) -> st.SearchStrategy[bytes]:
    """A few bytes of a value replaced, and perhaps its end cut off."""
    edits = st.lists(st.tuples(st.integers(0, len(value) - 1), st.integers(0, 255)), max_size=4)

    def apply(edits: list[tuple[int, int]], end: int) -> bytes:
        data = bytearray(value)
        for at, byte in edits:
            data[at] = byte
        return bytes(data[:end])

    return st.builds(apply, edits, st.just(len(value)) | st.integers(0, len(value)))


VALUES = (
    st.none()
    | st.binary(max_size=200)
    | NEAR_QUOTES.map(lambda row: json.dumps(row).encode())
    | mutated(GOOD)
)
VALUES |= NEAR_VOLS.map(lambda row: json.dumps(row).encode())
VALUES |= st.lists(NEAR_VOLS, max_size=4).map(lambda rows: json.dumps(rows).encode())
VALUES |= st.lists(NEAR_QUOTES | JSON, max_size=3).map(lambda rows: json.dumps(rows).encode())


def records(values: st.SearchStrategy[bytes | None]) -> st.SearchStrategy[InputRecord]:
    time = st.just(START // 1_000_000) | st.integers(-(2**63), 2**63 - 1)
    return st.builds(
        InputRecord, st.just("t"), st.just(0), st.just(0), time, st.none(), values, HEADERS
    )


def check(
    item: Quotes | Vols | Ticks | Heartbeat | Malformed | Unread, among: list[InputRecord]
) -> None:
    if isinstance(item, Malformed | Unread):
        assert item.reason in REASONS
        assert len(item.message) <= 200
        assert any(item.record is one for one in among)
        assert isinstance(item, Malformed) or item.row >= 0
    elif isinstance(item, Heartbeat):
        assert -(2**63) <= item.ts_event < 2**63
    else:
        code = item.symbol_code if isinstance(item, Ticks) else item.series_code
        vocabulary: tuple[Any, ...] = item.symbols if isinstance(item, Ticks) else item.series
        assert code.size
        assert 0 <= code.min() <= code.max() < len(vocabulary) == len(set(vocabulary))
        columns = [column for column in item if isinstance(column, np.ndarray)]
        assert {column.size for column in columns} == {code.size}
        assert len(item.origin) in {1, code.size}
        assert all(any(record is one for one in among) for record in item.origin)


@given(st.lists(records(VALUES), max_size=6))
def test_any_bytes_are_quotes_or_refusals(among: list[InputRecord]) -> None:
    for item in decode_quotes(among, Limits(record_bytes=400, rows=3)):
        check(item, among)


@given(st.lists(records(VALUES), max_size=6))
def test_any_bytes_are_ticks_or_refusals(among: list[InputRecord]) -> None:
    for item in decode_ticks(among, {"VIX"}):
        check(item, among)


def flat(item: Quotes | Vols | Heartbeat | Malformed | Unread) -> list[str]:
    """One entry a row, so that how rows are gathered into columns does not show."""
    if not isinstance(item, Quotes):
        return [repr(item)]
    columns = (
        item.expiry,
        item.strike,
        item.call,
        item.bid,
        item.ask,
        item.ts_event,
        item.record_ts,
    )
    rows = zip(item.series_code.tolist(), *(column.tolist() for column in columns), strict=True)
    return [repr((item.series[code], *rest, item.refresh_seconds)) for code, *rest in rows]


@given(
    st.lists(records(VALUES | st.just(GOOD) | st.just(FRAME)), max_size=10),
    st.lists(st.integers(0, 10), max_size=4),
)
def test_how_records_are_cut_into_batches_does_not_show(
    among: list[InputRecord], cuts: list[int]
) -> None:
    whole = [row for item in decode_quotes(among) for row in flat(item)]
    edges = [0, *sorted(min(cut, len(among)) for cut in cuts), len(among)]
    parts = [
        row
        for a, b in itertools.pairwise(edges)
        for item in decode_quotes(among[a:b])
        for row in flat(item)
    ]
    assert parts == whole


SPOKEN = st.fixed_dictionaries(
    {
        "underlying": st.sampled_from(["SPX", "spx", "BRK/B"]),
        "expiry": st.sampled_from(["2026-07-17", "9999-12-31", "1969-12-31", "2026-02-30"]),
    },
    optional={
        "root": st.sampled_from([None, "", "SPXW"]),
        "right": st.sampled_from(["C", "P", "put"]),
        "strike": st.integers(1, 9_000) | st.floats(0, 1e4) | st.none(),
        "bid": st.floats(0, 100) | st.none(),
        "ts_event": st.integers(START, 2**63) | st.just("2026-07-10T10:00:00Z"),
        "symbol": st.sampled_from(["", "SPXW  260717P06200000"]),
        "venue": JSON,
    },
).map(lambda change: json.dumps(QUOTE | change).encode())


@given(
    st.lists(records(SPOKEN | st.just(GOOD)), max_size=8) | st.lists(records(VALUES), max_size=2)
)
def test_plain_records_mean_what_they_mean_beside_a_header_of_no_meaning(
    among: list[InputRecord],
) -> None:
    """The header keeps them from being read all at once."""
    bare, headed = (
        [one._replace(headers=headers) for one in among] for headers in ((), (("trace", b"1"),))
    )
    assert [row for item in decode_quotes(bare) for row in flat(item)] == [
        row.replace(repr((("trace", b"1"),)), "()")
        for item in decode_quotes(headed)
        for row in flat(item)
    ]
