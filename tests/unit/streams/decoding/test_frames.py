"""Frames both ways, and every way in which one is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from streams.decoding.decode_error import REASONS, DecodeError
from streams.decoding.frame_columns import Limits
from streams.decoding.frame_layout import inspect
from streams.decoding.frames import (
    QUOTE_SCHEMA,
    TICK_SCHEMA,
    decode_quote_frame,
    decode_tick_frame,
    encode_quotes,
    encode_ticks,
)
from streams.records import NS, Quotes, Series, Ticks, Unread
from tests.support.frame_bytes import LIMITS, START, quotes, table, ticks, written


def refusal(value: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(DecodeError) as refused:
        decode_quote_frame(value, 0, limits)
    assert refused.value.reason in REASONS
    return refused.value.reason


def quote_blocks(
    value: bytes, record_ts: int = 0, refresh_seconds: float | None = None
) -> list[Quotes]:
    blocks = decode_quote_frame(value, record_ts, LIMITS, refresh_seconds)
    assert all(isinstance(block, Quotes) for block in blocks)
    return [block for block in blocks if isinstance(block, Quotes)]


def named(block: Quotes) -> list[Series]:
    return [block.series[code] for code in block.series_code]


def test_quotes_survive_their_frame() -> None:
    sent = quotes(500)
    (got,) = quote_blocks(encode_quotes(sent), 77, 5.0)
    assert named(got) == named(sent)
    for column in ("expiry", "strike", "call", "bid", "ask", "ts_event"):
        np.testing.assert_array_equal(getattr(got, column), getattr(sent, column))
        assert getattr(got, column).dtype == getattr(sent, column).dtype
    assert got.series_code.dtype == np.int32
    assert (got.record_ts == 77).all()
    assert got.refresh_seconds == 5.0


def test_ticks_survive_their_frame() -> None:
    sent = ticks(300)
    (got,) = decode_tick_frame(encode_ticks(sent), 77, LIMITS)
    assert isinstance(got, Ticks)
    assert [got.symbols[code] for code in got.symbol_code] == [
        sent.symbols[code] for code in sent.symbol_code
    ]
    for column in ("price", "size", "ts_event"):
        np.testing.assert_array_equal(getattr(got, column), getattr(sent, column))


@pytest.mark.parametrize(
    "text",
    [
        pa.string(),
        pa.large_string(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.uint16(), pa.large_string()),
    ],
)
def test_text_may_come_in_any_arrow_form(text: Any) -> None:
    schema = pa.schema(
        [
            (field.name, text if field.name in {"underlying", "root", "right"} else field.type)
            for field in QUOTE_SCHEMA
        ]
    )
    (got,) = quote_blocks(written(table(4).cast(schema)))
    assert named(got) == [Series("SPX", "SPXW"), Series("BRK.B", "BRK.B")] * 2
    assert got.call.tolist() == [True, False, True, False]


def test_columns_may_come_in_any_order_and_the_optional_ones_not_at_all() -> None:
    plain = (
        table(4)
        .drop_columns(["root", "bid_size", "ask_size"])
        .select(["ts_event", "ask", "bid", "right", "strike", "expiry", "underlying"])
    )
    (got,) = quote_blocks(written(plain))
    assert got.series == (Series("SPX", "SPX"), Series("BRK.B", "BRK.B"))
    assert got.ask.tolist() == [1.5, 1.5, 1.5, 1.5]


def test_spellings_of_one_name_become_one_series() -> None:
    rows = table(3).set_column(
        0,
        QUOTE_SCHEMA.field("underlying"),
        pa.array(["BRK-B", "brk/b", "<script>"]).dictionary_encode(),
    )
    rows = rows.set_column(
        1, QUOTE_SCHEMA.field("root"), pa.array(["", None, "x"]).dictionary_encode()
    )
    (got,) = quote_blocks(written(rows))
    assert named(got) == [Series("BRK.B", "BRK.B"), Series("BRK.B", "BRK.B"), Series("", "X")]


def test_several_batches_are_several_values_in_order() -> None:
    value = written(table(10), rows=4)
    blocks = quote_blocks(value)
    assert [len(block.bid) for block in blocks] == [4, 4, 2]
    assert (
        np.concatenate([block.ts_event for block in blocks]).tolist()
        == table(10)["ts_event"].to_pylist()
    )


def test_a_frame_without_rows_gives_nothing() -> None:
    assert decode_quote_frame(written(table(0)), 0, LIMITS) == []
    assert decode_quote_frame(written(table(2).slice(0, 0)), 0, LIMITS) == []


def test_an_absent_price_is_not_a_number() -> None:
    rows = table(3).set_column(5, QUOTE_SCHEMA.field("bid"), pa.array([1.0, None, 2.0]))
    (got,) = quote_blocks(written(rows))
    np.testing.assert_array_equal(got.bid, [1.0, np.nan, 2.0])


def naive(rows: Any) -> Any:
    return rows["ts_event"].cast(pa.timestamp("ns", "UTC")).cast(pa.timestamp("ns"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda rows: rows.drop_columns(["strike"]), "schema"),
        (lambda rows: rows.append_column("venue", pa.array(["X"] * len(rows))), "schema"),
        (lambda rows: rows.append_column("bid", rows["bid"]), "schema"),
        (lambda rows: rows.set_column(3, "strike", pa.array([True] * len(rows))), "schema"),
        (lambda rows: rows.set_column(2, "expiry", rows["strike"]), "schema"),
        (lambda rows: rows.set_column(0, "underlying", pa.array([1] * len(rows))), "schema"),
        (
            lambda rows: rows.set_column(9, "ts_event", pa.array([None] * len(rows), pa.int64())),
            "time",
        ),
        (
            lambda rows: rows.set_column(9, "ts_event", pa.array([START // 1_000_000] * len(rows))),
            "time",
        ),
        (lambda rows: rows.set_column(9, "ts_event", naive(rows)), "time"),
        (
            lambda rows: rows.set_column(
                0, "underlying", pa.array([None] * len(rows), pa.string())
            ),
            "missing_field",
        ),
        (
            lambda rows: rows.set_column(
                4, "right", pa.array(["X"] * len(rows)).dictionary_encode()
            ),
            "type",
        ),
    ],
)
def test_another_schema_is_refused(change: Callable[[Any], Any], reason: str) -> None:
    assert refusal(written(change(table(4)))) == reason


def test_an_unused_word_of_the_vocabulary_does_no_harm() -> None:
    right = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0], pa.int8()), ["C", "P", "whatever"])
    (got,) = quote_blocks(written(table(3).set_column(4, "right", right)))
    assert got.call.tolist() == [True, False, True]


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_bodies_are_refused_unread(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pa.ipc, "open_stream", lambda *_: pytest.fail("Arrow must not see it"))
    assert refusal(written(table(200_000, constant=True), compression=codec)) == "compressed"


def test_bytes_and_rows_are_limited() -> None:
    value = written(table(100), rows=40)
    assert refusal(value, Limits(record_bytes=len(value) - 1)) == "too_large"
    assert refusal(value, Limits(rows=99)) == "too_many_rows"
    assert refusal(value, Limits(rows=39)) == "too_many_rows"
    assert len(decode_quote_frame(value, 0, Limits(record_bytes=len(value), rows=100))) == 3


def test_the_vocabulary_is_limited_too() -> None:
    words = pa.DictionaryArray.from_arrays(
        pa.array([0], pa.int32()), [f"N{at}" for at in range(101)]
    )
    assert (
        refusal(written(table(1).set_column(0, "underlying", words)), Limits(rows=100))
        == "too_many_rows"
    )


def test_a_claim_of_many_rows_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    value = written(table(77))
    at = value.rindex((77).to_bytes(8, "little"), 0, value.rindex(b"\xff\xff\xff\xff", 0, -8) + 400)
    monkeypatch.setattr(pa.ipc, "open_stream", lambda *_: pytest.fail("Arrow must not see it"))
    for claim, reason in ((2**40, "too_many_rows"), (-1, "arrow")):
        assert (
            refusal(value[:at] + claim.to_bytes(8, "little", signed=True) + value[at + 8 :])
            == reason
        )


def test_codes_outside_the_vocabulary_are_refused() -> None:
    code = (123_456).to_bytes(4, "little", signed=True)
    words = [f"N{at}" for at in range(123_457)]
    column = pa.DictionaryArray.from_arrays(pa.array([123_456, 123_456], pa.int32()), words)
    value = written(table(2).set_column(0, "underlying", column))
    assert value.count(code * 2) == 1
    assert refusal(value.replace(code * 2, (2**31 - 1).to_bytes(4, "little") * 2)) == "dictionary"


def test_delta_dictionaries_are_refused() -> None:
    sink = pa.BufferOutputStream()
    first, second = (
        table(2),
        table(2).set_column(
            0,
            QUOTE_SCHEMA.field("underlying"),
            pa.DictionaryArray.from_arrays(pa.array([0, 2], pa.int32()), ["SPX", "BRK-B", "NEW"]),
        ),
    )
    with pa.ipc.new_stream(
        sink, first.schema, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    ) as writer:
        writer.write_table(first)
        writer.write_table(second)
    assert refusal(sink.getvalue().to_pybytes()) == "dictionary"


def test_broken_streams_are_refused() -> None:
    value = written(table(5))
    assert inspect(value, 100).rows == 5
    assert refusal(b"\xff\xff\xff\xff") == "arrow"
    assert refusal(b"\xff\xff\xff\xff" + b"\0" * 4) == "arrow"
    assert refusal(value + b"x") == "arrow"
    assert refusal(value + value) == "arrow"
    assert refusal(value[:-20]) == "arrow"
    assert refusal(b"\xff\xff\xff\xff" + (2**31 - 1).to_bytes(4, "little") + value[8:]) == "arrow"
    assert refusal(written(table(1100), rows=1)) == "arrow"


def test_a_frame_may_end_without_an_end_mark() -> None:
    value = written(table(5))
    assert value.endswith(b"\xff\xff\xff\xff\0\0\0\0")
    assert len(decode_quote_frame(value[:-8], 0, LIMITS)) == 1


def test_a_tick_frame_is_no_quote_frame() -> None:
    assert refusal(encode_ticks(ticks(3))) == "schema"
    with pytest.raises(DecodeError, match="missing symbol"):
        decode_tick_frame(encode_quotes(quotes(3)), 0, LIMITS)
    assert set(TICK_SCHEMA.names) == {"symbol", "price", "size", "ts_event"}


def replaced(name: str, values: Any, rows: int = 4) -> Any:
    whole = table(rows)
    return whole.set_column(whole.schema.names.index(name), name, values)


FOREIGN = [
    ("strike", lambda given: given.cast(pa.int64())),
    ("strike", lambda given: given.cast(pa.decimal128(38, 3))),
    ("strike", lambda given: given.cast(pa.string())),
    ("expiry", lambda given: pa.array(["2026-07-17"] * len(given))),
    ("expiry", lambda given: pa.array([20260717] * len(given), pa.int32())),
    ("expiry", lambda given: given.cast(pa.timestamp("ms"))),
    ("expiry", lambda given: pa.array(["07/17/2026"] * len(given)).dictionary_encode()),
    ("right", lambda given: pa.array([{"C": "call", "P": "PUT"}[one.as_py()] for one in given])),
    ("ts_event", lambda given: given.cast(pa.timestamp("ns", "UTC"))),
    ("ts_event", lambda given: pa.array([str(one.as_py()) for one in given])),
    ("bid", lambda given: pa.array([f"${one.as_py()}" for one in given])),
    ("bid_size", lambda given: pa.array(["many"] * len(given))),
]


@pytest.mark.parametrize(("name", "change"), FOREIGN)
def test_other_types_that_say_the_same_are_read(name: str, change: Callable[[Any], Any]) -> None:
    (plain,) = quote_blocks(written(table(4)))
    (got,) = quote_blocks(written(replaced(name, change(table(4)[name].combine_chunks()))))
    assert named(got) == named(plain)
    for column in ("expiry", "strike", "call", "bid", "ask", "ts_event"):
        np.testing.assert_array_equal(getattr(got, column), getattr(plain, column))


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("expiry", pa.array([20651, None, 20651, 20651], pa.int32()).view(pa.date32()), "expiry"),
        ("expiry", pa.array([20260717, None, 20260717, 20260717], pa.int32()), "expiry"),
        ("expiry", pa.array([20260717, 20651, 20260717, 20260717], pa.int32()), "expiry"),
        ("expiry", pa.array(["2026-07-17", "soon", "2026-07-17", "20260717"]), "expiry"),
        ("right", pa.array(["C", "X", "P", "C"]).dictionary_encode(), "type"),
        ("right", pa.array(["C", None, "P", "C"]).dictionary_encode(), "type"),
        ("underlying", pa.array(["SPX", None, "SPX", "SPX"]), "missing_field"),
        ("ts_event", pa.array([START, None, START, START]), "time"),
        ("ts_event", pa.array([str(START), str(START // 10**6), str(START), str(START)]), "time"),
        ("strike", pa.array(["6200", "six", "6200", "6200"]), "type"),
    ],
)
def test_a_row_of_a_frame_that_cannot_be_read_costs_itself_alone(
    name: str, values: Any, reason: str
) -> None:
    unread, got = decode_quote_frame(written(replaced(name, values)), 0, LIMITS)
    assert isinstance(unread, Unread)
    assert (unread.reason, unread.rows, unread.row) == (reason, 1, 1)
    assert isinstance(got, Quotes)
    assert got.bid.size == 3
    (plain,) = quote_blocks(written(table(4)))
    assert got.bid.tolist() == plain.bid[[0, 2, 3]].tolist()


def test_option_symbols_stand_for_contracts() -> None:
    symbols = pa.array(
        ["SPXW260717P06200000", "O:BRKB260717C00500000", "SPXW  260717P06200000", "SPXW260717P6200"]
    )
    rows = (
        table(4)
        .drop_columns(["underlying", "root", "expiry", "strike", "right"])
        .append_column("symbol", symbols)
    )
    unread, got = decode_quote_frame(written(rows), 0, LIMITS)
    assert isinstance(unread, Unread)
    assert (unread.reason, unread.row) == ("symbol", 3)
    assert isinstance(got, Quotes)
    assert named(got) == [Series("SPX", "SPXW"), Series("BRK.B", "BRK.B"), Series("SPX", "SPXW")]
    assert got.strike.tolist() == [6200.0, 500.0, 6200.0]
    assert got.expiry.tolist() == [20651] * 3
    assert got.call.tolist() == [False, True, False]


def test_words_without_end_are_refused_in_no_time() -> None:
    """A frame of distinct words that are no rights: each is looked at once."""
    rows = 20_000
    value = written(
        replaced("right", pa.array([f"x{at}" for at in range(rows)]).dictionary_encode(), rows)
    )
    assert refusal(value) == "type"


def test_a_tick_frame_of_other_types() -> None:
    rows = pa.table(
        {
            "symbol": pa.array(["^SPX", "SPY", "VIX"]),
            "price": pa.array(["6200.5", "", "bad"]),
            "ts_event": pa.array([START / NS] * 3),
        }
    )
    unread, got = decode_tick_frame(written(rows), 0, LIMITS)
    assert isinstance(unread, Unread)
    assert (unread.reason, unread.row) == ("type", 2)
    assert isinstance(got, Ticks)
    assert got.symbols == ("SPX", "SPY")
    assert got.price[0] == 6200.5
    assert np.isnan(got.price[1])
    assert got.ts_event.tolist() == [START, START]
