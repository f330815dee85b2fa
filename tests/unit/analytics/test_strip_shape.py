"""The judge of strips, and the words that others use for what it finds."""

import numpy as np
import pytest

from analytics.found_quotes import QuoteReason
from analytics.parity import parity_forwards
from analytics.quote_outliers import judge_quotes
from analytics.strip import Selected, value_strips
from analytics.strip_doubts import Doubt
from analytics.strip_shape import StripShape, strip_shape
from analytics.walk import select_legs
from streams.catalogue.outcomes import STRIP_QUOTE_REASONS
from streams.catalogue.vocabulary import STRIP_DOUBTS
from tests.support.option_boards import board_of, smile_table

STRIKES = np.arange(70.0, 131.0, 1.0)
YEARS = 30 / 365
CALL_ASK, PUT_BID, PUT_ASK = 2, 3, 4


def table(vol: float = 0.3) -> np.ndarray:
    return smile_table(STRIKES, 100.0, YEARS, vol, 0.02)


def shape_of(*tables: np.ndarray) -> StripShape:
    chain = judge_quotes(board_of(tables, [YEARS] * len(tables))).chain
    parity = parity_forwards(chain)
    selected = Selected(parity, select_legs(chain, parity))
    return strip_shape(chain, selected, value_strips(chain, selected=selected))


def test_words_of_the_wire_are_those_of_the_judge() -> None:
    assert tuple(reason.label for reason in QuoteReason) == STRIP_QUOTE_REASONS
    assert tuple(doubt.label for doubt in Doubt) == tuple(STRIP_DOUBTS)


@pytest.mark.parametrize("vol", [0.08, 0.3, 1.2])
def test_the_standard_deviation_needs_no_strip(vol: float) -> None:
    shape = shape_of(table(vol))
    assert 1.0 / shape.hole[0] == pytest.approx(100 * vol * np.sqrt(YEARS), rel=0.02)


def test_a_hole_is_measured_from_quotes_beside_it() -> None:
    board = table(0.3)
    around = board[np.abs(board[:, 0] - 100.0) > 6.0]
    assert shape_of(around).hole[0] == pytest.approx(14 / (30 * np.sqrt(YEARS)), rel=0.05)


def test_strips_are_judged_alone_in_any_company() -> None:
    random = np.random.default_rng(7)
    tables = []
    for vol in (0.1, 0.5, 0.9, 0.3):
        board = table(vol)
        rows = random.choice(len(board), 9, replace=False)
        board[rows[:5], PUT_ASK] = 9999.99
        board[rows[5:], CALL_ASK] = 99999.0
        tables += [board, table(vol)]
    together = judge_quotes(board_of(tables, [YEARS] * len(tables)))
    shape = shape_of(*tables)
    for place, one in enumerate(tables):
        alone = judge_quotes(board_of([one], [YEARS]))
        assert [side[0] for side in alone.thinned] == [side[place] for side in together.thinned]
        first, last = together.chain.offsets[place : place + 2]
        assert np.array_equal(
            together.chain.put_ask[first:last], alone.chain.put_ask, equal_nan=True
        )
        for mine, theirs in zip(shape_of(one)[:5], shape[:5], strict=True):
            assert mine[0] == pytest.approx(theirs[place], nan_ok=True)
    assert not any(side[1::2].any() for side in together.thinned)


def test_a_firm_quote_is_never_left_out() -> None:
    board = table()
    board[10, PUT_BID], board[10, PUT_ASK] = 3.0, 3.1
    judged = judge_quotes(board_of([board], [YEARS]))
    assert judged.left_out.row.size == 0
    shape = shape_of(board)
    assert shape.found.row.tolist() == [10]
    assert shape.arbitrage[0] > 0.01


def test_a_lone_dear_option_is_a_butterfly() -> None:
    board = table()
    board[20, PUT_BID] += 0.08
    board[20, PUT_ASK] += 0.08
    found = shape_of(board).found
    assert found.row.tolist() == [20]
    assert found.reason.tolist() == [QuoteReason.BUTTERFLY]
