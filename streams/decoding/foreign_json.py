"""JSON rows as other systems write them, read one by one by the table of spellings.

This is for what the plain readers refuse. Here a row that cannot be read costs itself and not its
neighbours, and NaN, which JSON does not know, is a number that is not there.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

from streams.decoding.amounts import number
from streams.decoding.dates import DateOrder, date_order, day
from streams.decoding.decode_error import DecodeError
from streams.decoding.json_rows import QuoteRow, TickRow, listed_series, option_of
from streams.decoding.spellings import is_call
from streams.decoding.times import nanoseconds
from streams.symbols import normalise

_Row = TypeVar("_Row", QuoteRow, TickRow)
Object = Mapping[str, Any]

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_KNOWN_AS: Final = {
    "underlying": ("act_symbol", "ticker", "underlying_symbol"),
    "expiry": ("expiration", "expiration_date", "exdate"),
    "right": ("call_put", "cp", "cp_flag", "option_type", "type"),
    "strike": ("strike_price",),
    "bid": ("best_bid", "bid_px_00"),
    "ask": ("ask_px_00", "best_ask", "best_offer", "offer"),
    "ts_event": ("time", "timestamp", "ts"),
    "price": ("last", "lastPrice", "px"),
    "symbol": ("contractSymbol", "raw_symbol"),
}
"""Names that other systems have for a field: never read, but said where ours is missing."""


class ForeignRows(NamedTuple, Generic[_Row]):
    """The rows of a record."""

    rows: list[_Row]
    refused: list[tuple[int, DecodeError]]
    """Place of a row → why it could not be read."""
    in_vols: bool = False
    """The rows have vol and delta in place of bid and ask."""


def foreign_quotes(value: bytes) -> ForeignRows[QuoteRow]:
    """The options of a record. Raises `DecodeError` where it is no JSON."""
    objects = _objects(value)
    first = next((one for one in objects if isinstance(one, dict)), {})
    in_vols = "iv" in first and not {"bid", "ask"} & first.keys()
    dates = [one.get("expiry") for one in objects if isinstance(one, dict)]
    order = date_order(text for text in dates if isinstance(text, str))
    pair = ("iv", "delta") if in_vols else ("bid", "ask")
    return ForeignRows(*_read(objects, lambda given: _quote(given, order, *pair)), in_vols)


def foreign_ticks(value: bytes) -> ForeignRows[TickRow]:
    """The ticks of a record. Raises `DecodeError` where it is no JSON."""
    return ForeignRows(*_read(_objects(value), _tick))


def _objects(value: bytes) -> list[Any]:
    try:
        read = json.loads(value.removeprefix(BYTE_ORDER_MARK).decode())
    except (ValueError, RecursionError) as problem:
        raise DecodeError("json", str(problem)) from None
    return read if isinstance(read, list) else [read]


def _read(
    objects: list[Any], row: Callable[[Object], _Row]
) -> tuple[list[_Row], list[tuple[int, DecodeError]]]:
    rows, refused = [], []
    for at, given in enumerate(objects):
        try:
            rows.append(row(_object(given)))
        except DecodeError as problem:
            refused.append((at, problem))
    return rows, refused


def _object(given: object) -> Object:
    if not isinstance(given, dict):
        raise DecodeError("type", f"expected an object, got {type(given).__name__}")
    return given


def _quote(given: Object, order: DateOrder | None, bid: str, ask: str) -> QuoteRow:
    _complete(given, bid, ask, "ts_event")
    symbol, underlying = _text(given, "symbol"), _text(given, "underlying")
    if symbol:
        series, expiry, call, strike = option_of(symbol, underlying)
    else:
        _complete(given, "underlying", "expiry", "right", "strike", filled=True)
        series = listed_series(underlying, _text(given, "root"))
        expiry = _expiry(given["expiry"], order)
        call = is_call(_text(given, "right"))
        strike = _number(given, "strike")
    first, second = _number(given, bid), _number(given, ask)
    return QuoteRow(series, expiry, strike, call, first, second, _time(given))


def _tick(given: Object) -> TickRow:
    _complete(given, "symbol", "price", "ts_event")
    size = _number(given, "size") if "size" in given else 0.0
    symbol = given["symbol"]
    if not isinstance(symbol, str):
        raise DecodeError("type", f"symbol is no text: {symbol!r:.40}")
    return TickRow(normalise(symbol), _number(given, "price"), size, _time(given))


def _complete(given: Object, *names: str, filled: bool = False) -> None:
    """Refuse an object without some field; `filled` refuses an empty one too."""
    absent = [name for name in names if name not in given or (filled and given[name] in (None, ""))]
    if absent:
        there = [known for name in absent for known in _KNOWN_AS.get(name, ()) if known in given]
        hint = f"; it has {', '.join(there)}" if there else ""
        raise DecodeError("missing_field", f"missing {', '.join(absent)}{hint}")


def _text(given: Object, name: str) -> str:
    found = given.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise DecodeError("type", f"{name} is no text: {found!r:.40}")
    return found


def _number(given: Object, name: str) -> float:
    found = given[name]
    if found is not None and not isinstance(found, str | int | float):
        raise DecodeError("type", f"{name} is no number: {found!r:.40}")
    try:
        return number(found)
    except DecodeError as problem:
        raise DecodeError(problem.reason, f"{name}: {problem}") from None


def _expiry(found: object, order: DateOrder | None) -> int:
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise DecodeError("type", f"expiry is no date: {found!r:.40}")
    return day(found, order)


def _time(given: Object) -> int:
    found = given["ts_event"]
    if not isinstance(found, str | int | float) or isinstance(found, bool):
        raise DecodeError("type", f"ts_event is no time: {found!r:.40}")
    return nanoseconds(found)
