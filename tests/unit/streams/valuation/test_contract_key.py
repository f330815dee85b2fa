"""The packed key of an option contract."""

import numpy as np
import pytest

from streams.valuation.contract_key import (
    SEGMENT_SHIFT,
    fitting,
    is_call,
    pack,
    segment,
    series_of,
    strike_of,
)


def test_key_holds_its_parts() -> None:
    contracts = (
        np.array([32_767, 5]),
        np.array([65_535, 20_645], np.int32),
        np.array([2_147_483.647, 0.5]),
    )
    assert fitting(*contracts).tolist() == [True, True]
    key = pack(*contracts, np.array([True, False]))
    assert series_of(key).tolist() == [32_767, 5]
    assert strike_of(key).tolist() == [2_147_483.647, 0.5]
    assert is_call(key).tolist() == [True, False]
    assert (key >> SEGMENT_SHIFT).tolist() == [segment(32_767, 65_535), segment(5, 20_645)]


def test_order_is_series_expiry_strike_put_before_call() -> None:
    series, expiry = np.array([1, 0, 0, 0, 0]), np.array([1, 2, 1, 1, 1], np.int32)
    strike, call = np.array([1.0, 1.0, 2.0, 1.0, 1.0]), np.array([False, False, False, True, False])
    key = pack(series, expiry, strike, call)
    assert np.argsort(key).tolist() == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("series", "expiry", "strike"),
    [
        *((series, 1, 1.0) for series in (-1, 32_768)),
        *((0, expiry, 1.0) for expiry in (-1, 65_536)),
        *((0, 1, strike) for strike in (0.0, -5.0, 0.0004, 2_147_483.648, np.nan, np.inf)),
    ],
)
def test_what_does_not_fit_is_named(series: int, expiry: int, strike: float) -> None:
    assert fitting(
        np.array([series]), np.array([expiry], np.int32), np.array([strike])
    ).tolist() == [False]
