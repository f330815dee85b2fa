"""The frame: many quotes or ticks in one record, as an Arrow IPC stream.

Text columns are dictionaries (plain strings are read too), so that a name is read once a frame and
not once a row. `root` and the sizes may be absent. Columns of other types are read where these say
the same (`streams.decoding.foreign_frames`). A quote frame has bid and ask, or in their place the
implied vol and delta of each option.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.arrow import spare_pandas
from streams.decoding.decode_error import DecodeError
from streams.decoding.foreign_frames import read_foreign
from streams.decoding.frame_columns import (
    Columns,
    FrameSchema,
    Limits,
    day_column,
    float_column,
    int_column,
    price_columns,
    read_batches,
    text_column,
)
from streams.decoding.frame_memory import FrameMemory
from streams.decoding.times import check_dated
from streams.decoding.written_numbers import shortest
from streams.records import Quotes, Record, Series, Ticks, Unread, Vols
from streams.symbols import normalise
from streams.uniform import uniform

spare_pandas()

ARROW_CONTENT_TYPE: Final = "application/vnd.apache.arrow.stream"

_TEXT = pa.dictionary(pa.int32(), pa.string())
QUOTE_SCHEMA: Final = pa.schema(
    [
        ("underlying", _TEXT),
        ("root", _TEXT),
        ("expiry", pa.date32()),
        ("strike", pa.float64()),
        ("right", _TEXT),
        ("bid", pa.float64()),
        ("ask", pa.float64()),
        ("bid_size", pa.float64()),
        ("ask_size", pa.float64()),
        ("ts_event", pa.int64()),
    ]
)
"""The columns of a quote frame; `right` is C or P, `ts_event` nanoseconds UTC."""
VOL_FIELDS: Final = (pa.field("iv", pa.float64()), pa.field("delta", pa.float64()))
"""In place of bid and ask: the implied vol, a decimal, and the delta, negative for puts."""
TICK_SCHEMA: Final = pa.schema(
    [("symbol", _TEXT), ("price", pa.float64()), ("size", pa.float64()), ("ts_event", pa.int64())]
)
"""The columns of a tick frame; the price of a reference symbol is in index points."""

_QUOTES = FrameSchema(
    pa.schema([*QUOTE_SCHEMA, *VOL_FIELDS]),
    optional=frozenset({"root", "bid", "ask", "bid_size", "ask_size", "iv", "delta"}),
    either=(("bid", "ask"), ("iv", "delta")),
    spelled_by=("symbol", frozenset({"underlying", "expiry", "strike", "right"})),
)
_TICKS = FrameSchema(TICK_SCHEMA, frozenset({"size"}))
PRICE_SCALE: Final = 4
STRIKE_SCALE: Final = 3
"""Decimal places of the prices and strikes that we write: no listed option has more."""
_memory = FrameMemory()
_MAX_PAIRS = 1 << 20
_REMEMBERED_WORDS, _REMEMBERED_LETTERS = 4096, 65_536
_Word = TypeVar("_Word", str, Series)
_Item = TypeVar("_Item", bound=Quotes | Vols | Ticks)


def encode_quotes(quotes: Quotes) -> bytes:
    """A quote frame, sizes left out: nothing downstream uses them.

    Prices are decimals where these are exact.
    """
    return _write_options(
        quotes, bid=shortest(quotes.bid, PRICE_SCALE), ask=shortest(quotes.ask, PRICE_SCALE)
    )


def encode_vols(vols: Vols) -> bytes:
    """A quote frame with implied vols and deltas in place of bid and ask."""
    return _write_options(
        vols, iv=pa.array(vols.vol, pa.float64()), delta=pa.array(vols.delta, pa.float64())
    )


def encode_ticks(ticks: Ticks) -> bytes:
    """A tick frame. Prices are written as they are.

    Those of reference symbols must be in index points here.
    """
    columns = {
        "symbol": _words(list(ticks.symbols), ticks.symbol_code),
        "price": pa.array(ticks.price, pa.float64()),
        "size": pa.array(ticks.size, pa.float64()),
        "ts_event": pa.array(ticks.ts_event, pa.int64()),
    }
    return _write(columns)


def decode_quote_frame(
    value: bytes,
    record_ts: int,
    limits: Limits,
    refresh_seconds: float | None = None,
    record: Record | None = None,
) -> list[Quotes | Vols | Unread]:
    """The quotes of a frame, one value for each batch with rows.

    Arrays may be read-only views of `value`.

    Where a frame has bid and ask these count; otherwise its rows are `Vols`. Types and spellings
    that are not ours are read by the table of spellings, row by row. Symbols are normalised; a root
    that is absent or empty is the underlying. Raises `DecodeError`, which carries the reason.
    """
    if len(value) <= limits.record_bytes:
        known = _memory.recall(value, record_ts, refresh_seconds, record)
        if known is not None and len(known.strike) <= limits.rows:
            check_dated(known.ts_event)
            return [known]
    batches, foreign = read_batches(value, limits, _QUOTES)
    quotes = _items(
        batches,
        _QUOTES,
        lambda columns: _quotes(columns, record_ts, refresh_seconds, record),
        record,
        foreign=foreign,
    )
    if len(quotes) == 1 and len(batches) == 1 and not foreign and isinstance(quotes[0], Quotes):
        _memory.learn(value, batches[0], quotes[0])
    return quotes


def decode_tick_frame(
    value: bytes,
    record_ts: int,
    limits: Limits,
    refresh_seconds: float | None = None,
    record: Record | None = None,
) -> list[Ticks | Unread]:
    """The ticks of a frame, prices as sent, one value for each batch with rows.

    Raises `DecodeError`, which carries the reason.
    """
    batches, foreign = read_batches(value, limits, _TICKS)
    return _items(
        batches,
        _TICKS,
        lambda columns: _ticks(columns, record_ts, refresh_seconds, record),
        record,
        foreign=foreign,
    )


def _quotes(
    columns: Columns, record_ts: int, refresh_seconds: float | None, record: Record | None
) -> Quotes | Vols:
    series, series_code = _series(columns)
    rights, right = text_column(columns, "right")
    if (
        not set(rights) <= {"C", "P"}
        and not np.isin(right, [at for at, text in enumerate(rights) if text in {"C", "P"}]).all()
    ):
        raise DecodeError("type", "right is neither C nor P")
    if not {"bid", "ask"} <= columns.keys():
        return Vols(
            series=tuple([one._replace(in_vols=True) for one in series]),
            series_code=series_code.astype(np.int32, copy=False),
            expiry=day_column(columns, "expiry"),
            strike=float_column(columns, "strike"),
            call=np.array([text == "C" for text in rights])[right],
            vol=float_column(columns, "iv"),
            delta=float_column(columns, "delta"),
            ts_event=check_dated(int_column(columns, "ts_event")),
            record_ts=uniform(np.int64(record_ts), len(right)),
            refresh_seconds=refresh_seconds,
            origin=_origin(record),
        )
    bid, ask, validated = price_columns(columns)
    return Quotes(
        series=series,
        series_code=series_code.astype(np.int32, copy=False),
        expiry=day_column(columns, "expiry"),
        strike=float_column(columns, "strike"),
        call=np.array([text == "C" for text in rights])[right],
        bid=bid,
        ask=ask,
        ts_event=check_dated(int_column(columns, "ts_event")),
        record_ts=uniform(np.int64(record_ts), len(right)),
        refresh_seconds=refresh_seconds,
        validated=validated,
        origin=_origin(record),
    )


def _ticks(
    columns: Columns, record_ts: int, refresh_seconds: float | None, record: Record | None
) -> Ticks:
    words, codes = text_column(columns, "symbol")
    symbols, place = _vocabulary([normalise(word) for word in words])
    symbol_code = codes if place is None else place[codes]
    return Ticks(
        symbols=symbols,
        symbol_code=symbol_code.astype(np.int32, copy=False),
        price=float_column(columns, "price"),
        size=float_column(columns, "size") if "size" in columns else np.zeros(len(codes)),
        ts_event=check_dated(int_column(columns, "ts_event")),
        record_ts=uniform(np.int64(record_ts), len(codes)),
        refresh_seconds=refresh_seconds,
        origin=_origin(record),
    )


def _origin(record: Record | None) -> Sequence[Record]:
    return () if record is None else (record,)


def _items(
    batches: Sequence[Columns],
    wanted: FrameSchema,
    read: Callable[[Columns], _Item],
    record: Record | None,
    *,
    foreign: bool,
) -> list[_Item | Unread]:
    """What each batch holds. Raises `DecodeError` where no row of the record can be read."""
    items: list[_Item | Unread] = []
    refusal: DecodeError | None = None
    for columns in batches:
        try:
            if not foreign:
                items.append(read(columns))
                continue
        except DecodeError as problem:
            if problem.reason == "time":
                refusal = refusal or problem
                continue
        ours, unread = read_foreign(columns, wanted, record)
        items += unread
        refusal = refusal or (DecodeError(unread[0].reason, unread[0].message) if unread else None)
        if ours is not None:
            items.append(read(ours))
    if refusal is not None and all(isinstance(item, Unread) for item in items):
        raise refusal
    return items


def _series(columns: Columns) -> tuple[tuple[Series, ...], NDArray[np.integer[Any]]]:
    """Vocabulary and codes of (underlying, root)."""
    names, code = text_column(columns, "underlying")
    roots, root = (
        text_column(columns, "root", gaps=True) if "root" in columns else ([""] * len(names), code)
    )
    if len(names) != len(roots) or not np.array_equal(code, root):
        distinct, code = _distinct(
            code.astype(np.int64) * len(roots) + root, len(names) * len(roots)
        )
        places = distinct.tolist()
        names, roots = (
            [names[at // len(roots)] for at in places],
            [roots[at % len(roots)] for at in places],
        )
    few = (
        len(names) <= _REMEMBERED_WORDS
        and sum(map(len, names)) + sum(map(len, roots)) <= _REMEMBERED_LETTERS
    )
    series, place = (_spelled if few else _spelled.__wrapped__)(tuple(names), tuple(roots))
    return series, code if place is None else place[code]


@lru_cache(maxsize=64)
def _spelled(
    names: tuple[str, ...], roots: tuple[str, ...]
) -> tuple[tuple[Series, ...], NDArray[np.int32] | None]:
    """Series without repetitions, and their codes by the given ones.

    They are remembered, because a producer repeats its vocabulary.
    """
    return _vocabulary([_one(name, root) for name, root in zip(names, roots, strict=True)])


def _one(name: str, root: str) -> Series:
    underlying = normalise(name)
    return Series(underlying, normalise(root) if root else underlying)


def _vocabulary(words: list[_Word]) -> tuple[tuple[_Word, ...], NDArray[np.int32] | None]:
    """Words without repetitions, and the place of each; None where it is its own."""
    place = {word: at for at, word in enumerate(dict.fromkeys(words))}
    return tuple(place), None if len(place) == len(words) else np.array(
        [place[word] for word in words], np.int32
    )


def _distinct(values: NDArray[np.int64], bound: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Like `numpy.unique` with its inverse.

    It does without sorting while the values' bound is small.
    """
    if bound > _MAX_PAIRS:
        return np.unique(values, return_inverse=True)
    occurs = np.zeros(bound, np.bool_)
    occurs[values] = True
    distinct = np.flatnonzero(occurs)
    place = np.zeros(bound, np.int64)
    place[distinct] = np.arange(distinct.size)
    return distinct, place[values]


def _words(words: list[str], codes: NDArray[np.int32]) -> Any:  # noqa: ANN401 - an Arrow array
    """A text column with codes as short as the vocabulary allows.

    Words may repeat, so that root and underlying share their codes.
    """
    short = next(
        (kind for kind in (np.int8, np.int16) if len(words) <= np.iinfo(kind).max), np.int32
    )
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(short, copy=False)), pa.array(words, pa.string())
    )


def _write_options(rows: Quotes | Vols, **values: Any) -> bytes:  # noqa: ANN401 - Arrow arrays
    columns = {"underlying": _words([one.underlying for one in rows.series], rows.series_code)}
    if any(one.root != one.underlying for one in rows.series):
        columns["root"] = _words([one.root for one in rows.series], rows.series_code)
    columns |= {
        "expiry": pa.array(rows.expiry, pa.int32()).view(pa.date32()),
        "strike": shortest(rows.strike, STRIKE_SCALE),
        "right": _words(["P", "C"], rows.call.astype(np.int32)),
        **values,
        "ts_event": pa.array(rows.ts_event, pa.int64()),
    }
    return _write(columns)


def _write(columns: dict[str, Any]) -> bytes:
    batch = pa.record_batch(list(columns.values()), names=list(columns))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    frame: bytes = sink.getvalue().to_pybytes()
    return frame
