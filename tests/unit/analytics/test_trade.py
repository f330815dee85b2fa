"""The dispersion trade: sizes, greeks and outcomes of the worked example.

The identities behind them are tested too.
"""

import math

import numpy as np
import pytest

from analytics.black76 import greeks, price
from analytics.trade import (
    TOY_VOLS,
    TOY_WEIGHTS,
    Weighting,
    book_greeks,
    correlation_strike,
    correlation_swap_pnl,
    leg_pnl,
    name_vegas,
    straddle_pnl,
    variance_notional,
    variance_trade,
)

INDEX_VOL, INDEX_VEGA, YEARS = 0.18, 100_000.0, 0.25
REALIZED = (0.22, (0.32, 0.28, 0.41, 0.24))


@pytest.mark.parametrize(
    ("weighting", "total"),
    [(Weighting.VEGA, 100_000), (Weighting.THETA, 61_538), (Weighting.GAMMA, 155_039)],
)
def test_total_single_stock_vega_of_each_weighting(weighting: Weighting, total: int) -> None:
    vegas = name_vegas(weighting, INDEX_VEGA, INDEX_VOL, TOY_WEIGHTS, TOY_VOLS)
    assert round(float(vegas.sum())) == total
    assert vegas / vegas.sum() == pytest.approx(TOY_WEIGHTS)


@pytest.mark.parametrize(
    ("weighting", "zero", "signs"),
    [
        (Weighting.VEGA, "vega", (0, -1, -1)),
        (Weighting.THETA, "theta", (-1, 0, -1)),
        (Weighting.GAMMA, "gamma", (1, -1, 0)),
    ],
)
def test_each_weighting_cancels_one_greek(
    weighting: Weighting, zero: str, signs: tuple[int, int, int]
) -> None:
    """Vega: short gamma, pays theta.

    Theta: short vega, very short gamma. Gamma: long vega, pays most theta.
    """
    books = {
        kind: book_greeks(
            INDEX_VEGA,
            INDEX_VOL,
            name_vegas(kind, INDEX_VEGA, INDEX_VOL, TOY_WEIGHTS, TOY_VOLS),
            TOY_VOLS,
            YEARS,
        )
        for kind in Weighting
    }
    book = books[weighting]
    assert getattr(book, zero) == pytest.approx(0, abs=1e-7)
    assert [
        round(math.copysign(value != 0 and abs(value) > 1e-6, value)) for value in book
    ] == list(signs)
    assert books[Weighting.GAMMA].theta < books[Weighting.VEGA].theta < 0
    assert books[Weighting.THETA].gamma < books[Weighting.VEGA].gamma < 0


def test_book_greeks_are_those_of_the_black_formula() -> None:
    vols, forwards = np.array(TOY_VOLS), np.array([100.0, 50.0, 20.0, 300.0])
    strike = forwards * np.exp(0.5 * vols**2 * YEARS)  # d1 = 0, so the delta is 0.5
    leg = greeks(forwards, strike, YEARS, vols, call=True)
    book = book_greeks(0.0, INDEX_VOL, leg.vega, vols, YEARS)
    assert book.vega == pytest.approx(leg.vega.sum())
    assert book.theta == pytest.approx(leg.theta.sum())
    assert book.gamma == pytest.approx((leg.gamma * forwards**2).sum())


def test_a_proportional_move_of_all_vols_costs_a_theta_weighted_book_nothing() -> None:
    vegas = name_vegas(Weighting.THETA, INDEX_VEGA, INDEX_VOL, TOY_WEIGHTS, TOY_VOLS)
    assert 0.1 * float(vegas @ TOY_VOLS) - 0.1 * INDEX_VOL * INDEX_VEGA == pytest.approx(
        0, abs=1e-9
    )


def test_theta_weighted_variance_swaps_of_the_worked_example() -> None:
    trade = variance_trade((INDEX_VOL, TOY_VOLS), REALIZED, TOY_WEIGHTS)
    assert (round(trade.strike, 5), round(trade.realized, 5), round(trade.pnl, 7)) == (
        0.36151,
        0.47073,
        -0.0112299,
    )
    assert round(trade.pnl * variance_notional(100 * INDEX_VEGA, INDEX_VOL)) == -311_942


@pytest.mark.parametrize("seed", range(10))
def test_variance_pnl_is_the_correlation_sold_less_the_one_realised(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, strikes, realized = (
        rng.dirichlet(np.ones(30)),
        rng.uniform(0.1, 0.9, 30),
        rng.uniform(0.1, 0.9, 30),
    )
    trade = variance_trade((0.2, strikes), (0.3, realized), weights)
    legs = correlation_strike(0.2, weights, strikes) * float(weights @ realized**2) - 0.3**2
    assert trade.pnl == pytest.approx(legs, abs=1e-12)


def test_vega_weighted_straddles_of_the_worked_example() -> None:
    assert 100 * straddle_pnl((INDEX_VOL, TOY_VOLS), REALIZED, TOY_WEIGHTS) == pytest.approx(
        -1.65, abs=1e-12
    )
    assert straddle_pnl((INDEX_VOL, TOY_VOLS), (INDEX_VOL, TOY_VOLS), TOY_WEIGHTS) == 0


def test_correlation_swap() -> None:
    assert correlation_swap_pnl(1e6, 0.36151, 0.47073) == pytest.approx(109_220)


def test_leg_pnl_is_the_change_of_value_to_third_order() -> None:
    f, k, t, s = 100.0, 105.0, 0.25, 0.3
    for size in (1.0, 0.5):
        df, ds, dt = 0.5 * size, 0.004 * size, 0.0002 * size
        moved = float(price(f + df, k, t - dt, s + ds, call=True) - price(f, k, t, s, call=True))
        parts = leg_pnl(greeks(f, k, t, s, call=True), df, ds, dt)
        assert float(parts.total) == pytest.approx(moved, abs=2e-4 * size**2)
        assert float(parts.total) != pytest.approx(moved - float(parts.vanna), abs=1e-4 * size**2)


def test_units_of_weight_do_not_matter_and_unknown_stays_unknown() -> None:
    vegas = name_vegas(
        Weighting.THETA, INDEX_VEGA, INDEX_VOL, np.array(TOY_WEIGHTS) * 1e9, TOY_VOLS
    )
    assert vegas == pytest.approx(
        name_vegas(Weighting.THETA, INDEX_VEGA, INDEX_VOL, TOY_WEIGHTS, TOY_VOLS)
    )
    assert np.isnan(name_vegas(Weighting.GAMMA, INDEX_VEGA, 0.0, TOY_WEIGHTS, TOY_VOLS)).all()
    assert math.isnan(correlation_strike(0.18, TOY_WEIGHTS, np.zeros(4)))
    assert math.isnan(variance_notional(1.0, 0.0))
