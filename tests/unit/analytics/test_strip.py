"""The single-term variance: hand examples, refusals, quality variances."""

import math
from typing import Any

import numpy as np
import pytest

from analytics.option_chain import OptionChain
from analytics.strip import StripReason, StripValues, value_strips
from tests.support.option_boards import board_of, smile_table
from tests.support.oracles.strip_table import strip_contributions

# Strike, call bid, call ask, put bid, put ask.
# Around F = 104 Q is 0.20, 0.70, 1.80, 4.50, 2.10, 0.20.
SIX_STRIKES = [
    [70, 32.4, 32.6, 0.20, 0.20],
    [85, 18.6, 18.8, 0.60, 0.80],
    [95, 10.3, 10.4, 1.75, 1.85],
    [100, 6.3, 6.5, 2.55, 2.65],
    [110, 2.0, 2.2, 7.7, 7.9],
    [130, 0.15, 0.25, 24.7, 24.9],
]
RATE = -math.log(0.95) / 0.25


def one(
    table: list[list[float]], years: float = 0.25, rate: float = RATE, **rules: Any
) -> StripValues:
    return value_strips(
        board_of([table], [years], [rate]),
        min_per_side=3 if rules.get("require_atm") else 1,
        **rules,
    )


def reason(values: StripValues) -> StripReason:
    return StripReason(int(values.reason[0]))


def test_six_strike_hand_example() -> None:
    values = one(SIX_STRIKES)
    assert values.forward[0] == pytest.approx(104, abs=1e-12)
    assert values.k0[0] == 100
    assert (values.puts[0], values.calls[0]) == (3, 2)
    assert values.variance[0] == pytest.approx(0.0738876, abs=5e-8)
    table = strip_contributions(board_of([SIX_STRIKES], [0.25], [RATE]), 0)
    assert table.dk.tolist() == [15, 12.5, 7.5, 7.5, 15, 20]
    assert table.mid == pytest.approx([0.2, 0.7, 1.8, 4.5, 2.1, 0.2], abs=1e-12)
    assert table.contribution.sum() == pytest.approx(0.01003595, abs=5e-9)
    assert table.type == ("Put", "Put", "Put", "Put/Call", "Call", "Call")


def test_bids_and_asks_enclose_mids_over_the_same_strikes() -> None:
    values = one(SIX_STRIKES)
    assert values.bid_variance[0] < values.variance[0] < values.ask_variance[0]
    # variance is linear in the quotes, so the mid lies in the middle
    assert (values.bid_variance[0] + values.ask_variance[0]) / 2 == pytest.approx(
        values.variance[0], rel=1e-12
    )


def test_bid_variance_never_falls_below_zero() -> None:
    wide = [
        [k, 0.01, 2 * c, 0.01, 2 * p]
        for k, c, p in ((90, 14, 0.4), (95, 9.5, 1), (100, 6.4, 2.6), (105, 3, 4), (110, 2.1, 7.8))
    ]
    values = one(wide, rate=0.0)
    assert reason(values) is StripReason.OK
    assert values.bid_variance[0] == 0.0


def test_discount_free_flat_smile_returns_its_variance() -> None:
    table = smile_table(np.arange(20, 400, 0.5), 100.0, 0.25, 0.3)
    values = value_strips(board_of([table], [0.25]))
    assert values.variance[0] == pytest.approx(0.09, abs=2e-5)
    assert values.forward[0] == pytest.approx(100, abs=1e-9)


def test_tie_of_parity_goes_to_the_lowest_strike() -> None:
    tied = [
        [95, 6.0, 6.2, 0.9, 1.1],
        [100, 3.1, 3.1, 1.0, 1.0],
        [105, 1.2, 1.2, 3.3, 3.3],
        [110, 0.2, 0.4, 8, 8.4],
    ]
    values = one(tied, rate=0.0)
    assert values.forward[0] == pytest.approx(102.1, abs=1e-12)  # from 105 it would be 102.9


def test_k0_is_a_strike_equal_to_the_forward() -> None:
    exact = [[95, 6.0, 6.0, 1.0, 1.0], [100, 2.5, 2.5, 2.5, 2.5], [105, 1.0, 1.0, 6.0, 6.0]]
    assert one(exact, rate=0.0).k0[0] == 100


def test_one_sided_center_quote_is_no_null_quote() -> None:
    # The put at K0 = 100 has no bid, so the forward 101 comes from 105. VIX takes its mid, DSPX
    # asks for two sides.
    table = smile_table(np.arange(80, 125, 5), 101.0, 0.25, 0.3, 0.01)
    table[4, 3] = 0.0
    vix = one(table.tolist(), rate=0.0)
    assert vix.k0[0] == 100
    assert reason(vix) is StripReason.OK
    assert reason(one(table.tolist(), rate=0.0, require_atm=True)) is StripReason.NO_ATM
    table[4, 3] = 0.1
    assert reason(one(table.tolist(), rate=0.0, require_atm=True)) is StripReason.OK


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, StripReason.OK),
        ({"years": 0.0}, StripReason.EXPIRED),
        ({"years": -0.1}, StripReason.EXPIRED),
        ({"years": math.nan}, StripReason.EXPIRED),
        ({"drop": "call_bid"}, StripReason.NO_PARITY),
        ({"rate": math.nan}, StripReason.NO_PARITY),
        ({"drop": "low"}, StripReason.NO_PUTS),
        ({"drop": "high"}, StripReason.NO_CALLS),
        ({"drop": "center"}, StripReason.NO_K0),
        ({"min_per_side": 3}, StripReason.TOO_FEW),
    ],
)
def test_refusals(change: dict[str, object], expected: StripReason) -> None:
    rows = np.array(SIX_STRIKES)
    match change.get("drop"):
        case "call_bid":
            rows[:, 1] = 0
        case "low":
            rows[:3, 3] = 0
        case "high":
            rows[4:, 1] = 0
        case "center":
            # 95 has the next best parity and moves the forward hardly: K0 stays 100, its call is
            # gone.
            rows[3, 1:3] = np.nan
        case _:
            pass
    years, rate = change.get("years", 0.25), change.get("rate", RATE)
    assert isinstance(years, float)
    assert isinstance(rate, float)
    chain = board_of([rows], [years], [rate])
    values = value_strips(chain, min_per_side=3 if "min_per_side" in change else 1)
    assert reason(values) is expected
    assert math.isnan(values.variance[0]) == (expected is not StripReason.OK)
    assert (
        math.isnan(values.bid_variance[0])
        == math.isnan(values.ask_variance[0])
        == math.isnan(values.variance[0])
    )


def test_negative_variance_is_refused() -> None:
    # A forward far above the only strike below it: the second term outweighs the strip.
    table = [
        [50, 60, 60, 0.01, 0.01],
        [60, 50.0, 50.0, 0.01, 0.01],
        [130, 0.01, 0.01, 20.01, 20.01],
    ]
    values = one(table, rate=0.0)
    assert reason(values) is StripReason.NEGATIVE


def test_strips_do_not_touch_each_other() -> None:
    tables: list[list[list[float]]] = [
        SIX_STRIKES,
        [],
        smile_table(np.arange(80, 125, 5), 101, 0.1, 0.3, 0.01).tolist(),
        SIX_STRIKES[:2],
    ]
    together = value_strips(
        board_of([np.reshape(t, (-1, 5)) for t in tables], [0.25, 0.25, 0.1, 0.25], [RATE, 0, 0, 0])
    )
    for j, (table, years, rate) in enumerate(
        zip(tables, [0.25, 0.25, 0.1, 0.25], [RATE, 0, 0, 0], strict=True)
    ):
        alone = value_strips(board_of([np.reshape(table, (-1, 5))], [years], [rate]))
        for column in StripValues._fields:
            assert np.array_equal(
                getattr(alone, column), getattr(together, column)[j : j + 1], equal_nan=True
            ), column
    assert [StripReason(int(code)).name for code in together.reason] == [
        "OK",
        "NO_PARITY",
        "OK",
        "NO_CALLS",
    ]


def test_board_without_strips() -> None:
    empty = np.zeros(0)
    values = value_strips(
        OptionChain(np.zeros(1, dtype=np.int64), empty, empty, empty, empty, empty, empty, empty)
    )
    assert values.variance.shape == (0,)


def test_every_reason_has_its_own_label() -> None:
    labels = [code.label for code in StripReason]
    assert labels[0] == ""
    assert len(set(labels)) == len(labels)
    assert all(label == label.lower() and label for label in labels[1:])


def test_rule_out_of_range_is_an_error() -> None:
    with pytest.raises(ValueError, match="min_per_side"):
        value_strips(board_of([SIX_STRIKES], [0.25]), min_per_side=0)
