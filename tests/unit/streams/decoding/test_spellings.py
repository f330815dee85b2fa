"""The table of spellings: every value reads to the one right thing, or is refused by name."""

import math
from collections.abc import Callable
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.calendar.sessions import day_number
from streams.decoding.amounts import number
from streams.decoding.dates import date_order, day
from streams.decoding.decode_error import DecodeError
from streams.decoding.spellings import NO_DAY, NO_TIME, days, is_call, moments, numbers, rights
from streams.decoding.times import nanoseconds

DATES = st.dates(date(1990, 1, 1), date(2099, 12, 31))
ONE_WAY = (
    "{:%Y-%m-%d}",
    "{:%Y%m%d}",
    "{:%Y/%m/%d}",
    "{:%d-%b-%Y}",
    "{:%d %B %Y}",
    "{:%b %d, %Y}",
    "{:%Y-%m-%d} 00:00:00",
)


@given(DATES, st.sampled_from(ONE_WAY))
def test_a_date_of_one_meaning_is_read(when: date, form: str) -> None:
    assert day(form.format(when)) == day_number(when)
    assert day(int(f"{when:%Y%m%d}")) == day_number(when)


@given(DATES, st.sampled_from(["month first", "day first"]))
def test_numbers_with_slashes_are_read_where_one_day_can_be_meant(when: date, order: str) -> None:
    text = f"{when:%m/%d/%Y}" if order == "month first" else f"{when:%d/%m/%Y}"
    if when.day > 12 or when.day == when.month:
        assert day(text) == day_number(when)
        return
    with pytest.raises(DecodeError, match="month or the day first") as refused:
        day(text)
    assert refused.value.reason == "expiry"
    witness = (
        f"{date(2026, 7, 17):%m/%d/%Y}"
        if order == "month first"
        else f"{date(2026, 7, 17):%d/%m/%Y}"
    )
    assert days([text, witness]).values[0] == day_number(when)


@pytest.mark.parametrize(
    "value",
    [
        *("", "260717", "17JUL26", "2026-02-30", "13/13/2026", "Foo 3, 2026"),
        *("2026-07-18T01:00:00Z", "1989-12-31", "2100-01-01"),
        *(20651, 0, -1, 10**30),
    ],
)
def test_what_is_no_date_is_refused(value: int | str) -> None:
    with pytest.raises(DecodeError) as refused:
        day(value)
    assert refused.value.reason == "expiry"


def test_a_column_of_dates_has_one_order() -> None:
    assert date_order(["07/10/2026", "2026-07-17", ""]) is None
    with pytest.raises(DecodeError, match="in one column"):
        days(["07/17/2026", "17/07/2026"])
    read = days(["2026-07-17", None, "soon", 20260717])
    assert read.values.tolist() == [20651, NO_DAY, NO_DAY, 20651]
    assert sorted(read.refused) == [1, 2]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("205.0", 205.0),
        ("$205.0", 205.0),
        ("-$1.5", -1.5),
        ("USD 5", 5.0),
        ("1,234.50", 1234.5),
        ("1,234,567", 1234567.0),
        ("1.234", 1.234),
        ("1.234,5", 1234.5),
        ("205,5", 205.5),
        ("0,500", 0.5),
        (" 7 ", 7.0),
        ("1e3", 1000.0),
    ],
)
def test_a_number_as_text(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "--", "NaN", "n/a", "NULL", None])
def test_no_number_is_absent(text: str | None) -> None:
    assert math.isnan(number(text))


@pytest.mark.parametrize(
    "text",
    ["1,234", "abc", "16%", "inf", "1e999", "1_0", "\uff11", "1" * 41, "1.2.3", True, 10**400],
)
def test_what_is_no_number_or_two_is_refused(text: str | int) -> None:
    with pytest.raises(DecodeError) as refused:
        number(text)
    assert refused.value.reason == "type"


def test_a_column_tells_its_decimal_mark() -> None:
    assert numbers(["1,234", "1,234.50"]).values.tolist() == [1234.0, 1234.5]
    assert numbers(["1,234", "205,5", "1.234"]).values.tolist() == [1.234, 205.5, 1234.0]
    assert list(numbers(["1,234", "7"]).refused) == [0]
    with pytest.raises(DecodeError, match="in one column"):
        numbers(["1,234.5", "205,5"])


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_a_program_writes_is_read_back(value: float) -> None:
    assert number(repr(value)) == value


@given(st.one_of(st.text(), st.text("0123456789.,-+$eE/ :TZOoCcPp", max_size=24)))
def test_any_text_is_read_or_refused_by_name(text: str) -> None:
    for read, reason in (
        (number, "type"),
        (day, "expiry"),
        (is_call, "type"),
        (nanoseconds, "time"),
    ):
        assert _reason(read, text) in {None, reason}


def _reason(read: Callable[[str], object], text: str) -> str | None:
    try:
        read(text)
    except DecodeError as problem:
        return problem.reason
    return None


@given(st.lists(st.floats(0.01, 9999).map(lambda value: round(value, 2)), min_size=1))
def test_thousands_and_decimal_commas_say_the_same(values: list[float]) -> None:
    american = [f"{value:,.2f}" for value in values]
    european = [text.translate(str.maketrans(",.", ".,")) for text in american]
    assert numbers(american).values.tolist() == numbers(european).values.tolist() == values


def test_rights_and_moments_word_by_word() -> None:
    read = rights(["C", "put", "Calls", "x"])
    assert read.values.tolist() == [True, False, True, False]
    assert list(read.refused) == [3]
    times = moments(
        ["2026-03-06T10:00:00-05:00", "2026-03-09T10:00:00-04:00", 1_783_692_000_123, None, ""]
    )
    assert times.values.tolist() == [
        1_772_809_200_000_000_000,
        1_773_064_800_000_000_000,
        NO_TIME,
        NO_TIME,
        NO_TIME,
    ]
    assert sorted(times.refused) == [2, 3, 4]
    assert "milliseconds?" in str(times.refused[2])


def test_days_are_days() -> None:
    assert days(["2026-07-17"]).values.dtype == np.int32
    assert day("2026-07-17") == day_number(date(2026, 7, 16) + timedelta(days=1))
