"""Inversion: round trips, and statuses of everything that cannot be inverted.

No row fails a batch.
"""

import numpy as np
import pytest

from analytics.black76 import price
from analytics.implied_vol import IvStatus, implied_vol, quoted_vol
from analytics.iv_solver import solve_total_vol


def test_round_trip_over_a_wide_range() -> None:
    rng = np.random.default_rng(7)
    years, vol = rng.uniform(1 / 365, 3, 20_000), rng.uniform(0.03, 2, 20_000)
    strike = 100 * np.exp(vol * np.sqrt(years) * rng.uniform(-5, 5, 20_000))
    call = strike >= 100
    found, status = implied_vol(price(100.0, strike, years, vol, call), 100.0, strike, years, call)
    assert not status.any()
    assert np.abs(found - vol).max() < 1e-12


def test_both_sides_of_a_strike_give_one_vol() -> None:
    strike = np.array([80.0, 95.0, 100.0, 110.0])
    calls, _ = implied_vol(
        price(100.0, strike, 0.25, 0.3, call=True), 100.0, strike, 0.25, call=True
    )
    puts, _ = implied_vol(
        price(100.0, strike, 0.25, 0.3, call=False), 100.0, strike, 0.25, call=False
    )
    assert calls == pytest.approx(puts, abs=1e-12)
    assert calls == pytest.approx(np.full(4, 0.3), abs=1e-12)


@pytest.mark.parametrize(
    ("price_", "forward", "strike", "years", "call", "expected"),
    [
        (2.0, 100.0, 105.0, 0.1, True, IvStatus.OK),
        (0.0, 100.0, 105.0, 0.1, True, IvStatus.NO_INFORMATION),
        (5.0, 100.0, 95.0, 0.1, True, IvStatus.NO_INFORMATION),
        (5.0 + 1e-15, 100.0, 95.0, 0.1, True, IvStatus.NO_INFORMATION),
        (4.9, 100.0, 95.0, 0.1, True, IvStatus.BELOW_INTRINSIC),
        (-1.0, 100.0, 105.0, 0.1, True, IvStatus.BELOW_INTRINSIC),
        (100.0, 100.0, 105.0, 0.1, True, IvStatus.ABOVE_MAX),
        (95.0, 100.0, 95.0, 0.1, False, IvStatus.ABOVE_MAX),
        (2.0, 100.0, 105.0, 0.0, True, IvStatus.EXPIRED),
        (2.0, 100.0, 105.0, -1.0, True, IvStatus.EXPIRED),
        (2.0, 100.0, 105.0, np.nan, True, IvStatus.EXPIRED),
        (np.nan, 100.0, 105.0, 0.1, True, IvStatus.NO_PRICE),
        (np.inf, 100.0, 105.0, 0.1, True, IvStatus.NO_PRICE),
        (2.0, 0.0, 105.0, 0.1, True, IvStatus.INVALID),
        (2.0, 100.0, -105.0, 0.1, True, IvStatus.INVALID),
        (2.0, np.nan, 105.0, 0.1, True, IvStatus.INVALID),
        (2.0, np.inf, 105.0, 0.1, True, IvStatus.INVALID),
    ],
)
def test_status_of_each_case(
    price_: float, forward: float, strike: float, years: float, *, call: bool, expected: IvStatus
) -> None:
    vol, status = implied_vol(
        [price_, 2.0], [forward, 100.0], [strike, 105.0], [years, 0.1], [call, True]
    )
    assert IvStatus(int(status[0])) is expected
    assert np.isfinite(vol[0]) == (expected is IvStatus.OK)
    assert vol[1] == pytest.approx(0.31063069, abs=1e-8)  # its neighbour does not notice


def test_far_wing_price_keeps_its_information() -> None:
    vol, status = implied_vol(1e-300, 100.0, 200.0, 0.1, call=True)
    assert status == IvStatus.OK
    assert vol == pytest.approx(0.0593, abs=1e-4)


def test_half_tick_of_time_value_says_nothing() -> None:
    _, status = implied_vol(
        [0.004, 0.02, 5.004], 100.0, [130.0, 130.0, 95.0], 0.1, call=True, half_tick=0.005
    )
    assert [IvStatus(int(code)) for code in status] == [
        IvStatus.NO_INFORMATION,
        IvStatus.OK,
        IvStatus.NO_INFORMATION,
    ]


def test_quotes_have_their_own_statuses() -> None:
    bid = [1.9, 0.0, 2.2, np.nan, 1.9]
    ask = [2.1, 0.1, 2.0, 2.0, np.nan]
    vol, status = quoted_vol(bid, ask, 100.0, 105.0, 0.1, call=True)
    assert [IvStatus(int(code)) for code in status] == [
        IvStatus.OK, IvStatus.ZERO_BID, IvStatus.CROSSED, IvStatus.NO_PRICE, IvStatus.NO_PRICE,
    ]  # fmt: skip
    grown, _ = quoted_vol(1.9, 2.1, 100.0, 105.0, 0.1, call=True, rate=0.5)
    assert grown > vol[0]


def test_prices_next_to_the_bounds_end() -> None:
    """Where beta is within rounding of 0 or 1 the bracket still ends the search."""
    beta = np.concatenate(
        [
            1 - 10.0 ** -np.arange(1, 17),
            10.0 ** -np.arange(1.0, 320, 7),
            [np.nextafter(0, 1), np.nextafter(1, 0)],
        ]
    )
    for k in (0.0, 1e-14, 1e-6, 0.01, 1.0, 30.0, 700.0):
        root = solve_total_vol(np.full_like(beta, k), beta)
        assert (np.isfinite(root.total_vol) & (root.total_vol > 0)).all()
        normal = beta > 1e-300
        again = price(1.0, np.exp(k), 1.0, root.total_vol[normal], call=True)
        assert again == pytest.approx(beta[normal], rel=1e-11)


@pytest.mark.parametrize("beta", [0.0, 1.0, -0.1, 1.1, np.nan, np.inf])
def test_no_root_outside_the_open_interval(beta: float) -> None:
    assert np.isnan(solve_total_vol(np.array([0.1]), np.array([beta])).total_vol).all()


def test_empty_batch() -> None:
    vol, status = implied_vol(
        np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool)
    )
    assert vol.shape == status.shape == (0,)


def test_labels() -> None:
    assert IvStatus.OK.label == ""
    assert IvStatus.BELOW_INTRINSIC.label == "below_intrinsic"


def test_a_batch_of_bad_rows_costs_no_good_one_and_every_status_occurs() -> None:
    """The cases on which libraries raise, warn or end a whole batch; decision 8."""
    nan = np.nan
    rows = {  # bid, ask, forward, strike, years, call
        IvStatus.OK: (1.9, 2.1, 100.0, 105.0, 0.1, True),
        IvStatus.ZERO_BID: (0.0, 0.1, 100.0, 105.0, 0.1, True),
        IvStatus.NO_PRICE: (nan, 2.1, 100.0, 105.0, 0.1, True),
        IvStatus.CROSSED: (2.2, 2.0, 100.0, 105.0, 0.1, True),
        IvStatus.BELOW_INTRINSIC: (4.0, 4.2, 100.0, 95.0, 0.1, True),
        IvStatus.ABOVE_MAX: (99.0, 101.0, 100.0, 105.0, 0.1, True),
        IvStatus.EXPIRED: (1.9, 2.1, 100.0, 105.0, 0.0, True),
        IvStatus.NO_INFORMATION: (5.0, 5.0, 100.0, 95.0, 0.1, True),
        IvStatus.INVALID: (1.9, 2.1, -1.0, 105.0, 0.1, True),
    }
    assert set(rows) == set(IvStatus)
    vol, status = quoted_vol(*(np.array(column) for column in zip(*rows.values(), strict=True)))
    assert [IvStatus(int(code)) for code in status] == list(rows)
    assert np.flatnonzero(np.isfinite(vol)).tolist() == [0]
    alone, _ = quoted_vol(*rows[IvStatus.OK])
    assert vol[0] == alone
    assert len({code.label for code in IvStatus}) == len(IvStatus)
