"""Rows that wait for their second."""

import numpy as np
import pytest

from streams.records import NS
from streams.valuation.reorder_buffer import ReorderBuffer, joined, looked_up


def waiting(*rows: tuple[float, float]) -> ReorderBuffer:
    pending = ReorderBuffer(ts=np.int64, price=np.float64)
    ts = np.array([round(row[0] * NS) for row in rows], np.int64)
    pending.add(-(-ts // NS), (ts, np.array([row[1] for row in rows])))
    return pending


def test_seconds_come_in_order_with_rows_in_order_of_arrival() -> None:
    pending = waiting((2.5, 1.0), (0.5, 2.0), (2.2, 3.0), (1.0, 4.0))
    late = np.array([3 * NS])
    pending.add(np.array([3]), (late, np.array([5.0])))
    assert len(pending) == 5
    due = [(second, joined(blocks)[1].tolist()) for second, blocks in pending.due(2)]
    assert due == [(1, [2.0, 4.0])]
    assert [(second, joined(blocks)[1].tolist()) for second, blocks in pending.due(3)] == [
        (3, [1.0, 3.0, 5.0])
    ]
    assert len(pending) == 0


def test_arrival_order_survives_the_parting_of_many_rows() -> None:
    pending = waiting(*((n % 3 + 0.5, float(n)) for n in range(300)))
    parted = [joined(blocks)[1].tolist() for _, blocks in pending.due(9)]
    assert parted == [[float(n) for n in range(start, 300, 3)] for start in range(3)]


def test_a_checkpoint_keeps_seconds_and_order() -> None:
    pending = waiting((1.9, 1.0), (0.2, 2.0), (1.1, 3.0))
    copy = ReorderBuffer(ts=np.int64, price=np.float64)
    copy.restore(pending.columns())
    assert [(second, joined(blocks)[1].tolist()) for second, blocks in copy.due(9)] == [
        (1, [2.0]),
        (2, [1.0, 3.0]),
    ]


def test_renumbering_drops_negative_rows() -> None:
    pending = ReorderBuffer(ts=np.int64, symbol=np.int64)
    pending.add(np.array([1, 1, 1]), (np.array([1, 2, 3]), np.array([0, 1, 2])))
    pending.renumber("symbol", looked_up(np.array([7, -1, 5]), pending.columns()["symbol"]))
    assert pending.columns()["symbol"].tolist() == [7, 5]
    assert pending.columns()["ts"].tolist() == [1, 3]


@pytest.mark.parametrize("code", [-1, 2])
def test_codes_outside_of_the_table_are_foreign(code: int) -> None:
    with pytest.raises(ValueError, match="does not hold"):
        looked_up(np.array([0, 1]), np.array([code]))
