"""Records of every kind, and a record for every reason to refuse one."""

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from streams.decoding.codec import (
    HEARTBEAT_CONTENT_TYPE,
    REASONS,
    REFRESH_HEADER,
    decode_quotes,
    decode_ticks,
)
from streams.decoding.frame_columns import Limits
from streams.decoding.frames import encode_quotes, encode_ticks
from streams.records import (
    NS,
    Heartbeat,
    InputRecord,
    Malformed,
    Quotes,
    Series,
    Ticks,
    Unread,
    Vols,
)
from tests.support.frame_bytes import START, quotes, table, ticks, written

QUOTE = {
    "underlying": "SPX",
    "root": "SPXW",
    "expiry": "2026-07-17",
    "strike": 6200,
    "right": "P",
    "bid": 1.5,
    "ask": 2.0,
    "ts_event": START,
}
OSI = {"symbol": "SPXW  260717P06200000", "bid": 1.5, "ask": 2.0, "ts_event": START}
TICK = {"symbol": "SPY", "price": 620.5, "size": 100, "ts_event": START}


def record(value: object, **headers: str) -> InputRecord:
    data = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    named = tuple((name.replace("_", "-"), text.encode()) for name, text in headers.items())
    return InputRecord("market.option-quotes.v1", 3, 17, START // 1_000_000, b"SPX", data, named)


def beat(at: int) -> InputRecord:
    return record({"ts_event": at}, content_type=HEARTBEAT_CONTENT_TYPE)


def one(value: object, **headers: str) -> Quotes | Heartbeat | Malformed:
    (item,) = decode_quotes([record(value, **headers)])
    assert not isinstance(item, Vols | Unread)
    return item


def refused(value: object, **headers: str) -> str:
    item = one(value, **headers)
    assert isinstance(item, Malformed)
    assert item.reason in REASONS
    assert item.record == record(value, **headers)
    assert len(item.message) <= 200
    return item.reason


def kinds(items: Sequence[object]) -> list[str]:
    return [type(item).__name__ for item in items]


@pytest.mark.parametrize(
    "value",
    [
        *(QUOTE, OSI, [QUOTE], [OSI]),
        OSI | {"symbol": "O:SPXW260717P06200000"},
        OSI | {"underlying": "spx"},
        QUOTE | {"venue": "C", "nested": [{}]},
    ],
)
def test_the_forms_of_a_json_quote_mean_the_same(value: object) -> None:
    got = one(value)
    assert isinstance(got, Quotes)
    assert got.series == (Series("SPX", "SPXW"),)
    assert (
        got.series_code[0],
        got.expiry[0],
        got.strike[0],
        got.call[0],
        got.bid[0],
        got.ask[0],
    ) == (0, 20_651, 6200.0, False, 1.5, 2.0)
    assert got.ts_event.tolist() == got.record_ts.tolist() == [START]
    assert got.refresh_seconds is None
    assert [column.dtype for column in got[1:9]] == [
        np.int32,
        np.int32,
        np.float64,
        np.bool_,
        np.float64,
        np.float64,
        np.int64,
        np.int64,
    ]


def test_a_root_left_out_is_the_underlying() -> None:
    for root in (None, ""):
        got = one(QUOTE | {"underlying": "brk/b", "root": root})
        assert isinstance(got, Quotes)
        assert got.series == (Series("BRK.B", "BRK.B"),)


def test_times_in_text_and_absent_prices() -> None:
    got = one(QUOTE | {"ts_event": "2026-07-10T10:00:00.000000007-04:00", "bid": None})
    assert isinstance(got, Quotes)
    assert got.ts_event.tolist() == [START + 7]
    assert np.isnan(got.bid[0])


def test_consecutive_json_records_become_one_value_in_order() -> None:
    records = [
        record(QUOTE | {"ts_event": START + at, "underlying": f"N{at % 3}"}) for at in range(10)
    ]
    records.insert(5, record([QUOTE, OSI]))
    (got,) = decode_quotes(records)
    assert isinstance(got, Quotes)
    assert len(got.bid) == 12
    assert got.ts_event.tolist() == [START + at for at in (0, 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 9)]
    assert got.series[got.series_code[-1]] == Series("N0", "SPXW")


def test_everything_keeps_its_place() -> None:
    frame = encode_quotes(quotes(4))
    items = list(
        decode_quotes(
            [
                record(QUOTE),
                record(QUOTE),
                beat(START),
                record(QUOTE),
                record(b"{"),
                record(frame, dispersion_refresh_seconds="60"),
                record(QUOTE),
                record(QUOTE, dispersion_refresh_seconds="60"),
                record(OSI, dispersion_refresh_seconds="60"),
                record(QUOTE),
            ]
        )
    )
    assert kinds(items) == [
        "Quotes",
        "Heartbeat",
        "Quotes",
        "Malformed",
        "Quotes",
        "Quotes",
        "Quotes",
        "Quotes",
    ]
    assert [
        (len(item.bid), item.refresh_seconds) for item in items if isinstance(item, Quotes)
    ] == [
        (2, None),
        (1, None),
        (4, 60.0),
        (1, None),
        (2, 60.0),
        (1, None),
    ]


def test_merging_stops_at_the_row_limit() -> None:
    sizes = [
        len(item.bid)
        for item in decode_quotes([record(QUOTE)] * 10, Limits(rows=4))
        if isinstance(item, Quotes)
    ]
    assert sizes == [4, 4, 2]


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/vnd.apache.arrow.stream", ""]
)
def test_the_first_bytes_decide_whatever_the_content_type(content_type: str) -> None:
    assert isinstance(one(QUOTE, content_type=content_type), Quotes)
    assert isinstance(one(written(table(2)), content_type=content_type), Quotes)
    assert isinstance(one(b" \n\t" + json.dumps(QUOTE).encode(), content_type=content_type), Quotes)


def test_heartbeats() -> None:
    assert one(
        {"ts_event": START}, content_type=HEARTBEAT_CONTENT_TYPE.upper() + "; charset=utf-8"
    ) == Heartbeat(START)
    assert one(
        {"ts_event": "2026-07-10T10:00:01-04:00"}, content_type=HEARTBEAT_CONTENT_TYPE
    ) == Heartbeat(START + NS)
    assert kinds(list(decode_ticks([beat(START)], ()))) == ["Heartbeat"]
    assert one({"ts_event": START + 5 * NS}, content_type=HEARTBEAT_CONTENT_TYPE) == Heartbeat(
        START + 5 * NS
    )


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"ts_event": "soon"},
        {"ts_event": 1.5e19},
        b"",
        b"x",
        [1],
        {"ts_event": START + 5 * NS + 1},
        {"ts_event": 2**70},
    ],
)
def test_a_heartbeat_without_a_plausible_time_is_refused(value: object) -> None:
    assert refused(value, content_type=HEARTBEAT_CONTENT_TYPE) == "heartbeat"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "tombstone"),
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"hello", "format"),
        (b"\x00", "format"),
        (b"null", "format"),
        (b"{", "json"),
        (b"[{]", "json"),
        (json.dumps(QUOTE).encode() + b"x", "json"),
        (json.dumps(QUOTE).encode() + b"," + json.dumps(QUOTE).encode(), "json"),
        (json.dumps(QUOTE).encode().replace(b"SPX", b"\xff"), "json"),
        (json.dumps(QUOTE).replace("1.5", "nan").encode(), "json"),
        (b'{"x":' * 100_000, "json"),
        (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "json"),
        ({}, "missing_field"),
        ({key: QUOTE[key] for key in QUOTE if key != "strike"}, "missing_field"),
        ({key: QUOTE[key] for key in QUOTE if key != "right"}, "missing_field"),
        ({key: QUOTE[key] for key in QUOTE if key != "bid"}, "missing_field"),
        ({key: QUOTE[key] for key in QUOTE if key != "underlying"}, "missing_field"),
        ([{}, {}], "missing_field"),
        ([1], "type"),
        (QUOTE | {"bid": "1,500"}, "type"),
        (QUOTE | {"bid": True}, "type"),
        (QUOTE | {"right": "X"}, "type"),
        (QUOTE | {"ts_event": 1.5e19}, "time"),
        (QUOTE | {"ts_event": START // NS}, "time"),
        (QUOTE | {"ts_event": START // 1000}, "time"),
        (QUOTE | {"ts_event": START // 1_000_000}, "time"),
        (QUOTE | {"ts_event": None}, "type"),
        (QUOTE | {"ts_event": 2**63}, "time"),
        (QUOTE | {"ts_event": -(2**63) - 1}, "time"),
        (QUOTE | {"ts_event": "2026-07-10T10:00:00"}, "time"),
        (QUOTE | {"expiry": "2026-02-30"}, "expiry"),
        (QUOTE | {"expiry": "07/10/2026"}, "expiry"),
        (QUOTE | {"expiry": 20651}, "expiry"),
        (QUOTE | {"underlying": "X" * 65}, "symbol"),
        (OSI | {"symbol": "SPXW260717P6200"}, "symbol"),
        (OSI | {"symbol": "SPXW  261717P06200000"}, "symbol"),
        (OSI | {"underlying": "X" * 65}, "symbol"),
        (b"\xff\xff\xff\xff\x00", "arrow"),
        (written(table(2), compression="zstd"), "compressed"),
        (written(table(2).drop_columns(["bid"])), "schema"),
    ],
)
def test_reasons(value: object, reason: str) -> None:
    assert refused(value) == reason


@pytest.mark.parametrize("refresh", ["", "x", "0", "-1", "nan", "inf", "86401", "1e308", "6\u0000"])
def test_a_refresh_that_makes_no_sense_is_refused(refresh: str) -> None:
    assert refused(QUOTE, dispersion_refresh_seconds=refresh) == "header"


def test_headers_may_be_absent_or_null() -> None:
    null: Any = (("content-type", None), ("other", None))
    assert kinds(list(decode_quotes([record(QUOTE)._replace(headers=null)]))) == ["Quotes"]
    broken: Any = ((REFRESH_HEADER, None),)
    assert kinds(list(decode_quotes([record(QUOTE)._replace(headers=broken)]))) == ["Malformed"]


def test_limits() -> None:
    size = len(json.dumps([QUOTE] * 3))
    for limits, reason in (
        (Limits(record_bytes=size - 1), "too_large"),
        (Limits(rows=2), "too_many_rows"),
    ):
        (item,) = decode_quotes([record([QUOTE] * 3)], limits)
        assert isinstance(item, Malformed)
        assert item.reason == reason
    (single,) = decode_quotes([record(QUOTE)], Limits(record_bytes=10))
    assert isinstance(single, Malformed)
    assert single.reason == "too_large"
    assert kinds(list(decode_quotes([record([QUOTE] * 3)], Limits(record_bytes=size, rows=3)))) == [
        "Quotes"
    ]


def test_an_empty_array_is_nothing() -> None:
    assert list(decode_quotes([record([]), record(written(table(0)))])) == []


def test_absurd_record_times_are_clamped() -> None:
    for timestamp in (-(2**63), -1, 2**63 - 1):
        (item,) = decode_quotes([record(QUOTE)._replace(timestamp=timestamp)])
        assert isinstance(item, Quotes)
        assert abs(int(item.record_ts[0])) <= 2**62


def test_references_arrive_in_points_and_leave_as_decimals() -> None:
    columns = ticks(50)
    records = [
        record(TICK),
        record({"symbol": "VIX", "price": 16.5, "ts_event": START}),
        record(encode_ticks(columns)),
    ]
    single, frame = decode_ticks(records, {"VIX"})
    assert isinstance(single, Ticks)
    assert isinstance(frame, Ticks)
    assert single.symbols == ("SPY", "VIX")
    assert single.price.tolist() == [620.5, 0.165]
    assert single.size.tolist() == [100.0, 0.0]
    scale = np.where(columns.symbol_code == columns.symbols.index("VIX"), 100.0, 1.0)
    np.testing.assert_allclose(frame.price, columns.price / scale)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"price": 1.0, "ts_event": START}, "missing_field"),
        (TICK | {"price": "one"}, "type"),
        (TICK | {"symbol": 5}, "type"),
        (TICK | {"ts_event": "noon"}, "time"),
        (encode_quotes(quotes(2)), "schema"),
        ([None, 7], "type"),
    ],
)
def test_reasons_of_ticks(value: object, reason: str) -> None:
    (item,) = decode_ticks([record(value)], ())
    assert isinstance(item, Malformed)
    assert item.reason == reason


READ = [
    *({"right": text} for text in ("put", "PUT", "p", " P ")),
    *({"bid": text} for text in ("1.5", "$1.5", "1,5", " 1.50 ")),
    *({"strike": text} for text in (6200, "6200", "6,200.00", "$6200.0")),
    *(
        {"expiry": text}
        for text in ("20260717", 20260717, "07/17/2026", "17-Jul-2026", "2026-07-17T00:00:00")
    ),
    *(
        {"ts_event": time}
        for time in (START / NS, float(START), str(START), "1783692000.0", "2026-07-10T10:00-04:00")
    ),
    *({"underlying": name} for name in ("^SPX", "_SPX", "$SPX.X", "I:SPX", "spx", "^GSPC")),
]


@pytest.mark.parametrize("change", READ)
def test_foreign_spellings_mean_the_same_alone_in_arrays_and_beside_plain_ones(
    change: dict[str, object],
) -> None:
    for value in (QUOTE | change, [QUOTE | change], [QUOTE, QUOTE | change]):
        (item, plain) = one(value), one(QUOTE)
        assert isinstance(item, Quotes)
        assert isinstance(plain, Quotes)
        assert item.series == plain.series
        for name in ("expiry", "strike", "call", "bid", "ask", "ts_event"):
            assert set(getattr(item, name).tolist()) == set(getattr(plain, name).tolist())


def test_a_row_that_cannot_be_read_costs_itself_alone() -> None:
    rows = [
        QUOTE,
        QUOTE | {"right": "X"},
        QUOTE | {"strike": 6300.0},
        QUOTE | {"right": "Y"},
        QUOTE | {"ts_event": 7},
        QUOTE | {"expiry": None},
    ]
    bad_right, bad_time, no_expiry, good = decode_quotes([record(rows)])
    assert isinstance(bad_right, Unread)
    assert (bad_right.reason, bad_right.rows, bad_right.row) == ("type", 2, 1)
    assert isinstance(no_expiry, Unread)
    assert (no_expiry.reason, no_expiry.rows, no_expiry.row) == ("missing_field", 1, 5)
    assert isinstance(bad_time, Unread)
    assert (bad_time.reason, bad_time.rows, bad_time.row) == ("time", 1, 4)
    assert isinstance(good, Quotes)
    assert good.strike.tolist() == [6200.0, 6300.0]
    assert [one.offset for one in good.origin] == [17, 17]


def test_nan_in_an_array_is_a_price_that_is_not_there() -> None:
    text = json.dumps([QUOTE, QUOTE | {"bid": math.nan}, QUOTE | {"ask": math.inf}]).encode()
    got = one(text)
    assert isinstance(got, Quotes)
    assert np.isfinite(got.bid).tolist() == [True, False, True]
    assert np.isfinite(got.ask).tolist() == [True, True, False]


def test_a_byte_order_mark_is_no_matter() -> None:
    assert isinstance(one(b"\xef\xbb\xbf" + json.dumps(QUOTE).encode()), Quotes)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ts_event": START // 1_000_000}, "milliseconds?"),
        ({"ts_event": START // 1_000}, "microseconds?"),
        ({"ts_event": START // NS}, "seconds?"),
        ({"expiry": "07/10/2026"}, "month or the day first"),
        ({"bid": "1,500"}, "thousands or decimals?"),
        ({"ts_event": "2026-07-10T10:00:00"}, "in which zone?"),
    ],
)
def test_what_may_mean_two_things_is_refused_with_the_question(
    change: dict[str, object], words: str
) -> None:
    item = one(QUOTE | change)
    assert isinstance(item, Malformed)
    assert words in item.message


def test_a_missing_field_names_the_one_that_others_call_so() -> None:
    given = {name: value for name, value in QUOTE.items() if name != "right"} | {
        "option_type": "put"
    }
    item = one(given)
    assert isinstance(item, Malformed)
    assert item.message == "missing right; it has option_type"


def test_dates_of_an_array_tell_each_other_the_order() -> None:
    got = one([QUOTE | {"expiry": "08/07/2026"}, QUOTE | {"expiry": "07/17/2026"}])
    assert isinstance(got, Quotes)
    assert got.expiry.tolist() == [20_672, 20_651]


@pytest.mark.parametrize("price", ["620.5", "$620.50"])
def test_foreign_ticks(price: str) -> None:
    (got,) = decode_ticks(
        [record([TICK, TICK | {"price": price, "ts_event": START / NS, "size": None}])], ()
    )
    assert isinstance(got, Ticks)
    assert got.price.tolist() == [620.5, 620.5]
    assert got.ts_event.tolist() == [START, START]
