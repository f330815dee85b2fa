"""Dates as people and vendors write them.

A date is read where only one day can be meant, refused by name where two can.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final, Literal

from streams.calendar.sessions import EASTERN, FIRST_DAY, day_number
from streams.decoding.decode_error import DecodeError

DateOrder = Literal["month first", "day first"]
LAST_YEAR: Final = 2099

_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[T ](.+))?", re.ASCII | re.IGNORECASE)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_NUMERIC = re.compile(
    r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[T ]0{1,2}:00(?::00(?:\.0*)?)?)?", re.ASCII
)
_DAY_NAMED = re.compile(r"(\d{1,2})[ -]?([A-Z]{3,9})\.?,?[ -]?(\d{4})", re.ASCII)
_MONTH_NAMED = re.compile(r"([A-Z]{3,9})\.?[ -]?(\d{1,2}),?[ -](\d{4})", re.ASCII)
_MIDNIGHT = re.compile(
    r"00:00(?::00(?:\.0*)?)? ?(?:Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)
_MONTHS: Final = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE"),
    *("JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER", "DECEMBER"),
)
_LONGEST = 40


def day(value: int | str, order: DateOrder | None = None) -> int:
    """Days since 1970-01-01 of a date, as text or as the integer yyyymmdd.

    `order` is that of a column whose other values tell it (`date_order`).

    Raises `DecodeError` (reason `expiry`).

    >>> july = day("2026-07-17")
    >>> july == day(20260717) == day("07/17/2026") == day("17-Jul-2026") == day("2026/7/17")
    True
    """
    found = _of_number(value) if isinstance(value, int) else _of_text(value.strip(" "), order)
    if not FIRST_DAY.year <= found.year <= LAST_YEAR:
        raise DecodeError(
            "expiry", f"not a date from {FIRST_DAY.year} to {LAST_YEAR}: {_quoted(value)}"
        )
    return day_number(found)


def date_order(texts: Iterable[str]) -> DateOrder | None:
    """How a column writes its numeric dates, as far as one of its values has a number above 12.

    None where none has. Raises `DecodeError` where values speak for both.

    >>> date_order(["07/10/2026", "07/17/2026"]), date_order(["07/10/2026"])
    ('month first', None)
    """
    orders: dict[DateOrder, str] = {}
    for text in texts:
        found = _NUMERIC.fullmatch(text.strip(" "))
        if found and int(found[1]) <= 12 < int(found[3]):
            orders.setdefault("month first", text)
        elif found and int(found[3]) <= 12 < int(found[1]):
            orders.setdefault("day first", text)
    if len(orders) > 1:
        first, second = orders.values()
        shown = f"{first[:_LONGEST]}, {second[:_LONGEST]}"
        raise DecodeError(
            "expiry", f"dates with the month first and the day first in one column: {shown}"
        )
    return next(iter(orders), None)


def _of_number(value: int) -> date:
    if value in range(10**7, 10**8):
        return _date(value // 10_000, value // 100 % 100, value % 100, value)
    raise DecodeError("expiry", f"not a date as yyyymmdd: {_quoted(value)}")


def _of_text(text: str, order: DateOrder | None) -> date:
    found = _ISO.fullmatch(text)
    if found:
        return _iso(found, text)
    found = _COMPACT.fullmatch(text)
    if found:
        return _date(int(found[1]), int(found[2]), int(found[3]), text)
    found = _NUMERIC.fullmatch(text)
    if found:
        return _numeric(int(found[1]), int(found[3]), int(found[4]), text, order)
    return _named(text.upper(), text)


def _iso(found: re.Match[str], text: str) -> date:
    """A time may follow.

    One that is not midnight must be of the same day in New York, or two days could be meant.
    """
    read, time = _date(int(found[1]), int(found[3]), int(found[4]), text), found[5]
    if time and not _MIDNIGHT.fullmatch(time):
        try:
            moment = datetime.fromisoformat(f"{read.isoformat()}T{time}")
        except ValueError:
            raise DecodeError("expiry", f"not a date: {_quoted(text)}") from None
        if moment.tzinfo is not None and moment.astimezone(EASTERN).date() != read:
            raise DecodeError(
                "expiry", f"{_quoted(text)} is another day in New York; write the date alone"
            )
    return read


def _numeric(first: int, second: int, year: int, text: str, order: DateOrder | None) -> date:
    if first == second or first > 12 or second > 12:
        order = "day first" if first > 12 else "month first"
    if order is None:
        raise DecodeError(
            "expiry", f"{_quoted(text)} may have the month or the day first; write yyyy-mm-dd"
        )
    month, day_of_month = (first, second) if order == "month first" else (second, first)
    return _date(year, month, day_of_month, text)


def _named(text: str, given: str) -> date:
    day_first = _DAY_NAMED.fullmatch(text)
    found = day_first or _MONTH_NAMED.fullmatch(text)
    if found is None:
        raise DecodeError("expiry", f"not a date: {_quoted(given)}")
    named, day_of_month = (found[2], found[1]) if day_first else (found[1], found[2])
    months = [
        at
        for at, name in enumerate(_MONTHS, 1)
        if named in {name, name[:3]} or (at == 9 and named == "SEPT")
    ]
    if not months:
        raise DecodeError("expiry", f"not a date: {_quoted(given)}")
    return _date(int(found[3]), months[0], int(day_of_month), given)


def _date(year: int, month: int, day_of_month: int, given: int | str) -> date:
    try:
        return date(year, month, day_of_month)
    except ValueError as problem:
        raise DecodeError("expiry", f"not a date: {_quoted(given)} ({problem})") from None


def _quoted(value: int | str) -> str:
    if isinstance(value, str):
        return repr(value[:_LONGEST])
    return str(value) if abs(value) < 10**20 else "a number of more than 20 digits"
