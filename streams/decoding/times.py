"""Times and dates in text."""

import re
from datetime import date, datetime, timedelta
from functools import lru_cache

from streams.decoding.decode_error import DecodeError
from streams.records import NS

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_INT64 = range(-(2**63), 2**63)


def nanoseconds(moment: int | str) -> int:
    """Nanoseconds UTC of an integer that is that already, or of ISO 8601 text with an offset.

    Raises `DecodeError` (reason `time`) on anything else and outside int64.

    >>> nanoseconds("2026-07-10T10:00:00.123456789-04:00")
    1783692000123456789
    """
    if isinstance(moment, str):
        found = _TIME.fullmatch(moment)
        if found is None:
            raise DecodeError("time", f"not ISO 8601 with seconds and an offset: {moment[:40]!r}")
        day, hour, minute, second, fraction, offset = found.groups()
        clock = int(hour) * 3600 + int(minute) * 60 + int(second)
        moment = (_midnight(day, offset) + clock) * NS + (int(fraction.ljust(9, "0")) if fraction else 0)
    if moment not in _INT64:
        raise DecodeError("time", "a time outside int64 nanoseconds")
    return moment


@lru_cache(maxsize=4096)
def _midnight(day: str, offset: str) -> int:
    """Unix seconds of the start of a day at an offset from UTC."""
    try:
        return (datetime.fromisoformat(f"{day}T00:00:00{offset}") - _EPOCH) // timedelta(seconds=1)
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
