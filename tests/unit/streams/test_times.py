"""Times and dates in text."""

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
    ],
)
def test_nanoseconds_and_offsets(text: str, expected: int) -> None:
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
        "2026-07-10T10:00:00.1234567890Z",
        "2026-07-10T10:00:00+99:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "1783692000000000000",
        2**63,
        -(2**63) - 1,
    ],
)
def test_anything_else_is_refused(moment: int | str) -> None:
    with pytest.raises(DecodeError) as refused:
        nanoseconds(moment)
    assert refused.value.reason == "time"


@pytest.mark.parametrize("text", ["", "20260717", "2026-W29-5", "2026-02-30", "2026-07-17T00:00", "2026-7-17"])
def test_dates_have_one_form(text: str) -> None:
    assert iso_date("2026-07-17").isoformat() == "2026-07-17"
    with pytest.raises(DecodeError) as refused:
        iso_date(text)
    assert refused.value.reason == "expiry"
