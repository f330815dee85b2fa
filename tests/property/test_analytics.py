"""Properties of the analytics under generated input.

They are symmetry, identities, and garbage that never gets through unflagged.
"""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from analytics.arrays import Floats
from analytics.atm import atm_vols, delta_vols
from analytics.black76 import price
from analytics.correlation import basket_sums, correlation_bounds, implied_correlation
from analytics.dispersion import basket_vol, dispersion
from analytics.implied_vol import implied_vol, quoted_vol
from analytics.option_chain import OptionChain
from analytics.rolling import percentile_rank
from analytics.strip import StripValues, value_strips
from analytics.tenor import interpolate_variance
from tests.support.option_boards import board_of, smile_table
from tests.support.oracles.correlation import index_vol_at

seeds = st.integers(0, 2**32 - 1)
garbage = st.floats(width=64, allow_nan=False, allow_infinity=False)
anything = st.one_of(
    garbage,
    st.sampled_from([0.0, -0.0, 0.05, 1.0, 100.0, 1e-300, 1e300, float("nan"), float("inf"), -1.0]),
)
few = settings(deadline=None, max_examples=60)


def random_tables(rng: np.random.Generator, strips: int) -> list[Floats]:
    """Boards with ordinary flaws: zero bids, one-sided and crossed quotes, missing sides."""
    tables = []
    for _ in range(strips):
        strikes = np.sort(
            rng.choice(np.arange(50, 150, 2.5), size=int(rng.integers(2, 40)), replace=False)
        )
        table = smile_table(strikes, float(rng.uniform(80, 120)), 0.1, float(rng.uniform(0.1, 0.8)))
        table[:, 1:] = np.round(table[:, 1:], 2) + np.array([-0.02, 0.02, -0.02, 0.02])
        table[:, 1:] = np.maximum(table[:, 1:], 0)
        flaw = rng.random(table[:, 1:].shape)
        table[:, 1:][flaw < 0.04] = 0.0
        table[:, 1:][flaw > 0.97] = np.nan
        tables.append(table)
    return tables


@few
@given(seeds)
def test_strips_in_any_order_have_the_same_values(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tables = random_tables(rng, int(rng.integers(1, 8)))
    order = rng.permutation(len(tables))
    years = rng.uniform(0.02, 1, len(tables))
    chain, shuffled = (
        board_of(tables, years.tolist()),
        board_of([tables[i] for i in order], years[order].tolist()),
    )
    ours, theirs = value_strips(chain), value_strips(shuffled)
    for column in StripValues._fields:
        assert np.array_equal(getattr(ours, column)[order], getattr(theirs, column), equal_nan=True)
    vol, status = atm_vols(chain, ours.forward)
    vol_there, status_there = atm_vols(shuffled, theirs.forward)
    assert np.array_equal(vol[order], vol_there, equal_nan=True)
    assert np.array_equal(status[order], status_there)


@few
@given(seeds, st.integers(1, 12))
def test_strikes_beyond_the_stop_do_not_matter(seed: int, extra: int) -> None:
    rng = np.random.default_rng(seed)
    (table,) = random_tables(rng, 1)
    low, high = table[0, 0], table[-1, 0]
    zero = np.array([0.0, 0.05])
    stop = [[high + 5 * i, *zero, 9e3, 9.1e3] for i in (1, 2)] + [
        [low - 2 * i, 9e3, 9.1e3, *zero] for i in (1, 2)
    ]
    wing = table[rng.integers(0, len(table), extra), 1:]
    far = np.column_stack([np.linspace(high + 20, high + 200, extra), wing])
    near = np.column_stack([np.linspace(low - 5, low / 10, extra), wing])
    # what lies beyond has no parity to offer: one side of it is missing
    far[:, 3:], near[:, 1:3] = np.nan, np.nan
    plain = value_strips(board_of([table], [0.1]))
    stopped = value_strips(board_of([np.concatenate([table, stop])], [0.1]))
    longer = value_strips(board_of([np.concatenate([table, stop, far, near])], [0.1]))
    if not np.isnan(plain.forward[0]) and low <= plain.forward[0] < high:
        for column in StripValues._fields:
            assert np.array_equal(getattr(stopped, column), getattr(longer, column), equal_nan=True)
            assert np.array_equal(getattr(plain, column), getattr(longer, column), equal_nan=True)


@few
@given(st.lists(st.integers(0, 6), max_size=5), st.data())
def test_garbage_boards_never_raise_nor_pass_unflagged(
    lengths: list[int], data: st.DataObject
) -> None:
    n, m = sum(lengths), len(lengths)
    rows = data.draw(arrays(np.float64, (5, n), elements=anything))
    terms = data.draw(arrays(np.float64, (2, m), elements=anything))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    chain = OptionChain(offsets, *rows, *terms)
    for values in (
        value_strips(chain),
        value_strips(chain, min_per_side=3, require_atm=True, zero_ask_stops=False),
    ):
        for column in (values.variance, values.bid_variance, values.ask_variance):
            assert np.array_equal(np.isfinite(column), values.reason == 0)
        vol, status = atm_vols(chain, values.forward)
        assert np.array_equal(np.isfinite(vol), status == 0)
        vols, statuses = delta_vols(chain, values.forward, [0.9, 0.5])
        assert np.array_equal(np.isfinite(vols), statuses == 0)


@few
@given(arrays(np.float64, (6, 20), elements=anything), arrays(np.bool_, 20))
def test_garbage_prices_never_raise_nor_pass_unflagged(
    columns: Floats, call: NDArray[np.bool_]
) -> None:
    quote, forward, strike, years, ask, rate = columns
    for vol, status in (
        implied_vol(quote, forward, strike, years, call),
        quoted_vol(quote, ask, forward, strike, years, call, rate),
    ):
        assert np.array_equal(np.isfinite(vol), status == 0)
        assert (vol[status == 0] >= 0).all()
    variance = interpolate_variance(quote, forward, strike, years, ask)
    assert variance.shape == (20,)


@few
@given(seeds)
def test_vol_of_a_price_of_a_vol(seed: int) -> None:
    rng = np.random.default_rng(seed)
    total, depth = 10 ** rng.uniform(-4, 0.5, 200), rng.uniform(-8, 8, 200)
    forward, years = 10 ** rng.uniform(-2, 4), 10 ** rng.uniform(-4, 1, 200)
    strike = forward * np.exp(total * depth)
    call, sigma = strike >= forward, total / np.sqrt(years)
    vol, status = implied_vol(
        price(forward, strike, years, sigma, call), forward, strike, years, call
    )
    assert not status.any()
    assert np.abs(vol / sigma - 1).max() < 1e-9


@few
@given(seeds, st.floats(-0.05, 1.2), st.floats(0.05, 2.0))
def test_equal_vols_recover_the_correlation(seed: int, rho: float, vol: float) -> None:
    weights = np.random.default_rng(seed).dirichlet(np.ones(30))
    index = index_vol_at(rho, weights, np.full(30, vol))
    if not np.isnan(index):
        assert abs(implied_correlation(index, weights, np.full(30, vol)) - rho) < 1e-12
        left = np.where(np.arange(30) < 7, np.nan, vol)
        value = implied_correlation(index, weights, left)
        lower, upper = correlation_bounds(index, weights, left)
        assert abs(lower - min(rho, value)) < 1e-12
        assert abs(upper - max(rho, value)) < 1e-12


@few
@given(seeds, st.floats(0.05, 0.6))
def test_the_band_always_contains_the_value(seed: int, index: float) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    weights, vols = rng.dirichlet(np.full(n, 0.3)) + 1e-6, rng.uniform(0.05, 1.5, n)
    vols = np.where(rng.random(n) < 0.3, np.nan, vols)
    carried = rng.random(n) < rng.choice([0.0, 0.3, 1.0])
    value = implied_correlation(index, weights, vols)
    lower, upper = correlation_bounds(index, weights, vols, carried)
    assert np.isnan(value) or lower <= value <= upper


@few
@given(seeds)
def test_names_in_any_order_and_any_unit_of_weight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 60))
    weights, vols = (
        rng.dirichlet(np.ones(n)),
        np.where(rng.random(n) < 0.2, np.nan, rng.uniform(0.05, 1.5, n)),
    )
    order, unit = rng.permutation(n), 10 ** rng.uniform(-6, 12)
    pairs = (
        (
            implied_correlation(0.3, weights, vols),
            implied_correlation(0.3, unit * weights[order], vols[order]),
        ),
        (basket_vol(weights, vols**2), basket_vol(unit * weights[order], vols[order] ** 2)),
        (
            correlation_bounds(0.3, weights, vols)[0],
            correlation_bounds(0.3, unit * weights[order], vols[order])[0],
        ),
    )
    for ours, theirs in pairs:
        assert np.isclose(ours, theirs, rtol=1e-9, atol=1e-9, equal_nan=True)


@few
@given(arrays(np.float64, (2, 8), elements=anything), anything)
def test_garbage_baskets_never_raise(columns: Floats, index: float) -> None:
    weights, vols = columns
    values = (implied_correlation(index, weights, vols), *correlation_bounds(index, weights, vols))
    whole = (basket_vol(weights, vols), dispersion(basket_vol(weights, vols), 0.2))
    assert all(np.isfinite(value) or np.isnan(value) for value in values)
    assert not any(value < 0 for value in whole)


@few
@given(st.lists(st.floats(-10, 10), max_size=40), st.floats(-10, 10), st.floats(0.1, 5))
def test_rank_depends_on_order_alone(history: list[float], x: float, scale: float) -> None:
    past = np.array(history)
    rank = percentile_rank(past, x)
    assert 0 < rank <= 1
    assert np.isclose(percentile_rank(-past, -x) + rank, 1 + 1 / (len(past) + 1))
    assert percentile_rank(2 * past, 2 * x) == rank
    assert basket_sums([scale], [abs(x)]).vol == abs(x)
