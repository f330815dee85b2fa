"""The parity forward: which strike gives it, and what it takes to have one."""

import numpy as np
import pytest

from analytics.parity import parity_forwards, valid_quote
from tests.support.option_boards import board_of, smile_table


def test_discounting() -> None:
    rate, years = 0.05, 0.5
    table = smile_table(np.arange(80, 125, 5), 101.3, years, 0.3, 0.01)
    table[:, 1:] *= np.exp(-rate * years)
    parity = parity_forwards(board_of([table], [years], [rate]))
    assert parity.forward[0] == pytest.approx(101.3, abs=1e-10)
    assert table[parity.parity_row[0], 0] == 100
    assert table[parity.k0_row[0], 0] == 100


def test_crossed_and_one_sided_strikes_give_no_forward() -> None:
    table = smile_table(np.arange(80, 125, 5), 101.3, 0.5, 0.3, 0.01)
    table[4, 1:3] = table[4, 2:0:-1]
    table[5, 3] = 0.0
    parity = parity_forwards(board_of([table], [0.5]))
    assert table[parity.parity_row[0], 0] == 95
    assert table[parity.k0_row[0], 0] == 100, "K0 is a listed strike, quoted well or not"


def test_forward_below_every_strike_has_no_k0() -> None:
    parity = parity_forwards(
        board_of([[[100, 1.0, 1.1, 9.0, 9.1], [105, 0.5, 0.6, 14, 14.1]]], [0.1])
    )
    assert parity.forward[0] == pytest.approx(92)
    assert parity.k0_row[0] == -1


def test_forward_that_is_not_positive_is_none() -> None:
    parity = parity_forwards(board_of([[[100, 1.0, 1.0, 500.0, 500.0]]], [0.1]))
    assert np.isnan(parity.forward[0])


@pytest.mark.parametrize(
    ("bid", "ask", "valid"),
    [
        (1, 1, True),
        (1, 2, True),
        (0, 2, False),
        (2, 1, False),
        (1, np.inf, False),
        (np.nan, 1, False),
    ],
)
def test_valid_quote(bid: float, ask: float, *, valid: bool) -> None:
    assert valid_quote(np.array([float(bid)]), np.array([float(ask)])).tolist() == [valid]
