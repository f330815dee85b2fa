"""Numbers as a frame writes them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from streams.decoding.written_numbers import is_number, read_prices, shortest, written_as


def test_prices_of_few_places_are_decimals_and_exact() -> None:
    prices = np.random.default_rng(3).integers(0, 10**7, 1000) / 100
    column = shortest(prices, 4)
    assert column.type == pa.decimal32(9, 4)
    raw = np.frombuffer(column.buffers()[1], np.int32)
    got = written_as(column.type).numbers(raw)
    assert got is not None
    np.testing.assert_array_equal(got, prices)


@pytest.mark.parametrize(
    "prices", [[1 / 3], [100_000.0], [float("nan")], [float("inf")], [1.00001]]
)
def test_other_numbers_stay_doubles(prices: list[float]) -> None:
    column = shortest(np.array(prices), 4)
    assert column.type == pa.float64()
    np.testing.assert_array_equal(column.to_numpy(), prices)


def test_a_decimal_beyond_its_digits_is_no_number() -> None:
    written = written_as(pa.decimal32(5, 2))
    assert written.numbers(np.array([99_999, -99_999], np.int32)) is not None
    assert written.numbers(np.array([100_000], np.int32)) is None
    assert written.numbers(np.array([-100_000], np.int32)) is None


@pytest.mark.parametrize(
    ("bid", "ask", "validated"),
    [
        ([0, 150], [0, 150], True),
        ([151], [150], False),
        ([-1], [150], False),
        ([-2], [-1], False),
        ([1], [99_999], True),
        ([1], [100_000], False),
        ([], [], False),
    ],
)
def test_prices_are_sound_when_no_look_at_the_floats_could_object(
    bid: list[int], ask: list[int], *, validated: bool
) -> None:
    written, raw = (
        written_as(pa.decimal32(5, 2)),
        [np.array(column, np.int32) for column in (bid, ask)],
    )
    prices = read_prices(written, raw[0], written, raw[1])
    assert prices.validated is validated
    for found, alone in zip(prices[:2], map(written.numbers, raw), strict=True):
        assert (None if found is None else found.tolist()) == (
            None if alone is None else alone.tolist()
        )


def test_prices_of_unlike_types_are_not_known_to_be_sound() -> None:
    cents, mills = written_as(pa.decimal32(9, 2)), written_as(pa.decimal32(9, 3))
    prices = read_prices(cents, np.array([100], np.int32), mills, np.array([900], np.int32))
    assert prices.validated is False
    assert [float(column[0]) for column in prices[:2] if column is not None] == [1.0, 0.9]


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        (pa.float64(), True),
        (pa.float32(), True),
        (pa.decimal32(9, 4), True),
        (pa.decimal64(18, 9), True),
        (pa.decimal128(20, 4), False),
        (pa.decimal64(18, 10), False),
        (pa.decimal32(9, -2), False),
        (pa.int64(), False),
        (pa.float16(), False),
    ],
)
def test_the_types_that_may_stand_for_numbers(kind: Any, *, accepted: bool) -> None:
    assert is_number(kind) == accepted
