"""Columns of one value."""

import numpy as np
import pytest

from streams.uniform import in_order, is_uniform, uniform


def test_a_uniform_column_is_one_number_that_nobody_can_change() -> None:
    column = uniform(np.float64(2.5), 1000)
    assert (column.size, column.base is None, is_uniform(column)) == (1000, False, True)
    assert (column == 2.5).all()
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1.0
    assert not is_uniform(np.full(3, 2.5))


def test_equal_numbers_of_other_types_are_other_columns() -> None:
    assert [uniform(value, 3).dtype for value in (np.int64(1), np.float64(1), np.True_)] == [
        np.int64,
        np.float64,
        np.bool_,
    ]
    assert np.isnan(uniform(np.float64(np.nan), 2)).all()


@pytest.mark.parametrize(
    ("times", "ordered"), [([], True), ([5], True), ([1, 1, 2], True), ([2, 1], False)]
)
def test_times_are_in_order_when_none_is_less_than_the_one_before(
    times: list[int], *, ordered: bool
) -> None:
    assert in_order(np.array(times, np.int64)) is ordered
