"""Quotes, vols and ticks in JSON: one object, or an array of them.

Fields beyond the known ones are ignored.

An option with `iv` and `delta` and neither `bid` nor `ask` is one of vols; those of an array are
all of one kind.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import day_number
from streams.decoding import osi
from streams.decoding.decode_error import DecodeError
from streams.decoding.times import FIRST_NS, LAST_NS, iso_date, nanoseconds
from streams.records import Heartbeat, Quotes, Record, Series, Ticks, Vols
from streams.symbols import normalise


class QuoteRow(msgspec.Struct, frozen=True, gc=False):
    """One quote, before it becomes a row of columns; the garbage collector need not look at it."""

    series: Series
    expiry: int
    strike: float
    call: bool
    bid: float | None
    ask: float | None
    ts_event: int


class TickRow(msgspec.Struct, frozen=True, gc=False):
    """One tick."""

    symbol: str
    price: float | None
    size: float | None
    ts_event: int


MAX_RECORD_MS: Final = 2**62 // 1_000_000
"""Kafka timestamps are clamped to this, so that sums in nanoseconds stay within int64."""

_Word = TypeVar("_Word", str, Series)
_MAX_TEXT = 64


class _Quote(msgspec.Struct, gc=False):
    bid: float | None
    ask: float | None
    ts_event: int | str
    underlying: str = ""
    root: str | None = None
    expiry: str = ""
    strike: float | None = None
    right: Literal["C", "P"] | None = None
    symbol: str = ""


class _Vol(msgspec.Struct, gc=False):
    iv: float | None
    delta: float | None
    ts_event: int | str
    underlying: str = ""
    root: str | None = None
    expiry: str = ""
    strike: float | None = None
    right: Literal["C", "P"] | None = None
    symbol: str = ""


class _Tick(msgspec.Struct, gc=False):
    symbol: str
    price: float | None
    ts_event: int | str
    size: float | None = 0.0


class _HeartbeatRow(msgspec.Struct):
    ts_event: int | str


_quote = msgspec.json.Decoder(_Quote)
_quotes = msgspec.json.Decoder(list[_Quote])
_vols = msgspec.json.Decoder(_Vol | list[_Vol])
_tick = msgspec.json.Decoder(_Tick)
_ticks = msgspec.json.Decoder(list[_Tick])
_beat = msgspec.json.Decoder(_HeartbeatRow)


def quote_row(value: bytes) -> QuoteRow:
    """One quote. Raises `DecodeError` or a `ValueError` of the JSON library."""
    return _quote_row(_quote.decode(value))


def quote_rows(value: bytes) -> list[QuoteRow]:
    """An array of quotes; one bad quote refuses them all."""
    return [_quote_row(quote) for quote in _quotes.decode(value)]


def tick_row(value: bytes) -> TickRow:
    """One tick."""
    return _tick_row(_tick.decode(value))


def tick_rows(value: bytes) -> list[TickRow]:
    """An array of ticks; one bad tick refuses them all."""
    return [_tick_row(tick) for tick in _ticks.decode(value)]


def heartbeat(value: bytes) -> Heartbeat:
    """A heartbeat's time."""
    return Heartbeat(nanoseconds(_beat.decode(value).ts_event))


def has_vols(value: bytes) -> bool:
    """Whether what lacks a field is worth reading as `vols_of`."""
    return b'"iv"' in value and b'"bid"' not in value and b'"ask"' not in value


def vols_of(value: bytes, record: Record, refresh_seconds: float | None) -> Vols:
    """One option of vols or an array of them, in columns; an absent number is NaN.

    One that is bad refuses them all.
    """
    decoded = _vols.decode(value)
    # A vol row has the fields of a quote row in their order, iv and delta in place of bid and ask.
    rows = [
        _quote_row(_Quote(*msgspec.structs.astuple(one)))
        for one in (decoded if isinstance(decoded, list) else [decoded])
    ]
    return vols_of_rows(rows, record, refresh_seconds)


def vols_of_rows(rows: Sequence[QuoteRow], record: Record, refresh_seconds: float | None) -> Vols:
    """Columns of rows of one record that hold a vol and a delta in place of bid and ask."""
    quotes = quotes_of(rows, [record] * len(rows), refresh_seconds)
    return Vols(
        series=tuple(one._replace(in_vols=True) for one in quotes.series),
        series_code=quotes.series_code,
        expiry=quotes.expiry,
        strike=quotes.strike,
        call=quotes.call,
        vol=quotes.bid,
        delta=quotes.ask,
        ts_event=quotes.ts_event,
        record_ts=quotes.record_ts,
        refresh_seconds=refresh_seconds,
        origin=quotes.origin,
    )


def quotes_of(
    rows: Sequence[QuoteRow], origin: Sequence[Record], refresh_seconds: float | None
) -> Quotes:
    """Columns of rows, each with its record; an absent number is NaN."""
    series, code = _coded([row.series for row in rows])
    return Quotes(
        series=series,
        series_code=code,
        expiry=np.array([row.expiry for row in rows], np.int32),
        strike=np.array([row.strike for row in rows], np.float64),
        call=np.array([row.call for row in rows], np.bool_),
        bid=np.array([row.bid for row in rows], np.float64),
        ask=np.array([row.ask for row in rows], np.float64),
        ts_event=np.array([row.ts_event for row in rows], np.int64),
        record_ts=record_times([record.timestamp for record in origin]),
        refresh_seconds=refresh_seconds,
        origin=origin,
    )


def ticks_of(
    rows: Sequence[TickRow], origin: Sequence[Record], refresh_seconds: float | None
) -> Ticks:
    """Columns of rows, each with its record; an absent number is NaN."""
    symbols, code = _coded([row.symbol for row in rows])
    return Ticks(
        symbols=symbols,
        symbol_code=code,
        price=np.array([row.price for row in rows], np.float64),
        size=np.array([row.size for row in rows], np.float64),
        ts_event=np.array([row.ts_event for row in rows], np.int64),
        record_ts=record_times([record.timestamp for record in origin]),
        refresh_seconds=refresh_seconds,
        origin=origin,
    )


def _coded(words: Sequence[_Word]) -> tuple[tuple[_Word, ...], NDArray[np.int32]]:
    """Vocabulary and codes."""
    place = {word: at for at, word in enumerate(dict.fromkeys(words))}
    return tuple(place), np.array([place[word] for word in words], np.int32)


def _quote_row(quote: _Quote) -> QuoteRow:
    ts = quote.ts_event
    if quote.symbol:
        series, expiry, call, strike = option_of(quote.symbol, quote.underlying)
    else:
        series, expiry, call = _listed(quote.underlying, quote.root, quote.expiry, quote.right)
        if quote.strike is None:
            raise DecodeError("missing_field", "neither `symbol` nor `strike`")
        strike = quote.strike
    at = ts if type(ts) is int and FIRST_NS <= ts < LAST_NS else nanoseconds(ts)
    return QuoteRow(series, expiry, strike, call, quote.bid, quote.ask, at)


def _tick_row(tick: _Tick) -> TickRow:
    return TickRow(normalise(tick.symbol), tick.price, tick.size, nanoseconds(tick.ts_event))


def record_times(record_ms: Sequence[int]) -> NDArray[np.int64]:
    """Kafka timestamps in nanoseconds."""
    return np.clip(np.array(record_ms, np.int64), -MAX_RECORD_MS, MAX_RECORD_MS) * 1_000_000


def listed_series(underlying: str, root: str | None) -> Series:
    """The series of a contract that is spelled out. Raises `DecodeError`."""
    if max(len(underlying), len(root or "")) > _MAX_TEXT:
        raise DecodeError("symbol", f"a symbol of more than {_MAX_TEXT} characters")
    name = normalise(underlying)
    return Series(name, normalise(root) if root else name)


# Exceptions are not remembered, so over-long text never stays in these caches.


@lru_cache(maxsize=65_536)
def _listed(
    underlying: str, root: str | None, expiry: str, right: str | None
) -> tuple[Series, int, bool]:
    absent = [
        name
        for name, given in (("underlying", underlying), ("expiry", expiry), ("right", right))
        if not given
    ]
    if absent:
        raise DecodeError("missing_field", f"missing {', '.join(absent)}")
    return listed_series(underlying, root), day_number(iso_date(expiry)), right == "C"


@lru_cache(maxsize=262_144)
def option_of(symbol: str, underlying: str) -> tuple[Series, int, bool, float]:
    """What an option symbol says: series, expiry, whether it is a call, strike.

    Raises `DecodeError`.
    """
    try:
        contract = osi.parse(symbol)
    except ValueError as problem:
        raise DecodeError("symbol", str(problem)) from None
    if len(underlying) > _MAX_TEXT:
        raise DecodeError("symbol", f"a symbol of more than {_MAX_TEXT} characters")
    name = normalise(underlying or osi.underlying_of(contract.root))
    return (
        Series(name, normalise(contract.root)),
        day_number(contract.expiry),
        contract.call,
        contract.strike,
    )
