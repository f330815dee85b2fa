"""Times: nanoseconds since 1970, ISO 8601 text with an offset, seconds with a fraction.

Other units are told, not guessed.
"""

import math
import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.decoding.decode_error import DecodeError
from streams.records import NS

FIRST_NS: Final = 631_152_000 * NS
"""1990-01-01 UTC: no quote is older.

No number of microseconds or less says so late a time in nanoseconds.
"""
LAST_NS: Final = 4_102_444_800 * NS
"""2100-01-01 UTC."""

_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:[.,](\d{1,9})0*)?)?"
    r" ?(Z|UTC|GMT|[+-]\d\d(?::?[0-5]\d)?)",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{9,19}(?:\.\d{0,9}0*)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_INT64 = range(-(2**63), 2**63)
_UNITS: Final = {"seconds": NS, "milliseconds": 1_000_000, "microseconds": 1_000}


def nanoseconds(moment: float | str) -> int:
    """Nanoseconds UTC of a time as an integer, a float or text.

    An integer is that already. Others are seconds with a fraction, or ISO 8601 text with an offset.
    A number as text is a number. Integers of other units are refused with the unit that they seem
    to be in, as is a number outside the years 1990 to 2099. Raises `DecodeError` (reason `time`).

    >>> nanoseconds("2026-07-10T10:00:00.123456789-04:00")
    1783692000123456789
    >>> nanoseconds(1783692000.25), nanoseconds("1783692000250000000")
    (1783692000250000000, 1783692000250000000)
    """
    if isinstance(moment, str):
        text = moment.strip(" ")
        return _seconds(text) if _NUMBER.fullmatch(text) else _written(text)
    if not isinstance(moment, int):
        return _floating(moment)
    if FIRST_NS <= moment < LAST_NS:
        return moment
    shown = moment if abs(moment) < 10**20 else "a number of more than 20 digits"
    raise DecodeError("time", f"{shown} is no time in nanoseconds{asked(moment)}")


def check_dated(ts_event: NDArray[np.int64]) -> NDArray[np.int64]:
    """Times of a record as they are.

    Raises `DecodeError` where none of them is one of the years 1990 to 2099. The first speaks for
    all while it is in order, as nearly always. Others are judged row by row where rows are
    screened.
    """
    first = int(ts_event[0])
    if FIRST_NS <= first < LAST_NS or dated(ts_event).any():
        return ts_event
    raise DecodeError("time", f"{first} is no time in nanoseconds{asked(first)}")


def dated(ts_event: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which times are of the years 1990 to 2099."""
    return (ts_event >= FIRST_NS) & (ts_event < LAST_NS)


def unit_of(number: float) -> str | None:
    """The unit in which a number is a time from 1990 to 2099.

    None where it is that in none, or in nanoseconds.

    >>> unit_of(1783692000123), unit_of(1783692000), unit_of(1783692000000000000)
    ('milliseconds', 'seconds', None)
    """
    return next((unit for unit, ns in _UNITS.items() if FIRST_NS <= number * ns < LAST_NS), None)


def asked(number: float) -> str:
    """The unit as a question behind a refusal: `: milliseconds?`.

    Where there is none, the years that are read.
    """
    unit = unit_of(number)
    return f": {unit}?" if unit else " of the years 1990 to 2099"


def _floating(moment: float) -> int:
    """A float is in seconds.

    A whole one of the size of nanoseconds is in these, as some writers of JSON put it.
    """
    if math.isfinite(moment) and FIRST_NS <= moment * NS < LAST_NS:
        whole = math.floor(moment)
        # Microseconds are what a double of this size can tell apart.
        return whole * NS + round((moment - whole) * 1e6) * 1000
    if math.isfinite(moment) and FIRST_NS <= moment < LAST_NS:
        return int(moment)
    raise DecodeError("time", f"{moment!r} is no time in seconds{asked(moment)}")


def _seconds(text: str) -> int:
    """Digits, with a point for seconds and a fraction."""
    whole, point, fraction = text.partition(".")
    if not point:
        return nanoseconds(int(whole))
    moment = int(whole) * NS + int(fraction[:9].ljust(9, "0"))
    if FIRST_NS <= moment < LAST_NS:
        return moment
    raise DecodeError("time", f"{text[:40]} is no time in seconds{asked(int(whole))}")


def _written(text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise DecodeError("time", f"not ISO 8601 with an offset: {text[:40]!r}{_missing(text)}")
    day, hour, minute, second, fraction, offset = found.groups()
    clock = int(hour) * 3600 + int(minute) * 60 + int(second or 0)
    moment = (_midnight(day, offset.upper()) + clock) * NS + (
        int(fraction.ljust(9, "0")) if fraction else 0
    )
    if moment not in _INT64:
        raise DecodeError("time", "a time outside int64 nanoseconds")
    return moment


def _missing(text: str) -> str:
    if _TIME.fullmatch(f"{text}Z"):
        return "; in which zone? Write Z or an offset such as -04:00 behind it"
    return ""


@lru_cache(maxsize=4096)
def _midnight(day: str, offset: str) -> int:
    """Unix seconds of the start of a day at an offset from UTC."""
    try:
        zone = "+00:00" if offset in {"Z", "UTC", "GMT"} else offset
        return (datetime.fromisoformat(f"{day}T00:00:00{zone}") - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError) as problem:
        raise DecodeError("time", f"{day} {offset}: {problem}") from None


def iso_date(text: str) -> date:
    """A date as YYYY-MM-DD; raises `DecodeError` (reason `expiry`) on anything else."""
    if _DATE.fullmatch(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise DecodeError("expiry", f"not a date: {text[:40]!r}")
