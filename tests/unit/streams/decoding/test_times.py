"""Times and dates in text."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.decoding.decode_error import DecodeError
from streams.decoding.times import iso_date, nanoseconds

OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS))
def test_iso_times_are_exact(moment: datetime) -> None:
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert nanoseconds(moment.isoformat()) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01 00:00:00.000000001+00:00", 1),
        ("1969-12-31T23:59:59.999999999Z", -1),
        ("2026-07-10T10:00:00.5-04:00", 1_783_692_000_500_000_000),
        ("2026-07-10T10:00:00.5-0400", 1_783_692_000_500_000_000),
        ("2026-07-10t14:00:00.50z", 1_783_692_000_500_000_000),
        ("2026-07-10 14:00:00 UTC", 1_783_692_000_000_000_000),
        ("2026-07-10T14:00Z", 1_783_692_000_000_000_000),
        ("2026-03-06T10:00:00-05:00", 1_772_809_200_000_000_000),
        ("2026-03-09T10:00:00-04:00", 1_773_064_800_000_000_000),
        ("1783692000000000000", 1_783_692_000_000_000_000),
        ("1783692000.25", 1_783_692_000_250_000_000),
        (1_783_692_000.25, 1_783_692_000_250_000_000),
        (1.783692e18, 1_783_692_000_000_000_000),
    ],
)
def test_nanoseconds_seconds_and_offsets(text: float | str, expected: int) -> None:
    assert nanoseconds(text) == expected


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "2026-07-10",
        "2026-07-10T10:00:00",
        "2026-07-10T10:00:60Z",
        "2026-07-10T24:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-07-10T10:00:00.1234567891Z",
        "2026-07-10T10:00:00+99:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "2026-07-10T10:00:00 EST",
        "178369200000000000",
        math.nan,
        math.inf,
        0,
        -1,
        10**400,
        2**63,
        -(2**63) - 1,
    ],
)
def test_anything_else_is_refused(moment: float | str) -> None:
    with pytest.raises(DecodeError) as refused:
        nanoseconds(moment)
    assert refused.value.reason == "time"


@pytest.mark.parametrize(
    ("moment", "unit"),
    [
        (1_783_692_000, "seconds"),
        (1_783_692_000_123, "milliseconds"),
        (1_783_692_000_123.0, "milliseconds"),
        ("1783692000123", "milliseconds"),
        (1_783_692_000_123_456, "microseconds"),
        (0, "the years 1990 to 2099"),
    ],
)
def test_another_unit_is_named(moment: float | str, unit: str) -> None:
    with pytest.raises(DecodeError, match=unit) as refused:
        nanoseconds(moment)
    assert refused.value.reason == "time"


@pytest.mark.parametrize(
    "text", ["", "20260717", "2026-W29-5", "2026-02-30", "2026-07-17T00:00", "2026-7-17"]
)
def test_dates_have_one_form(text: str) -> None:
    assert iso_date("2026-07-17").isoformat() == "2026-07-17"
    with pytest.raises(DecodeError) as refused:
        iso_date(text)
    assert refused.value.reason == "expiry"
