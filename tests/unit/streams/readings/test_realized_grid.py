from datetime import date

import numpy as np
import pytest

from streams.market import Gates
from streams.readings.grid_window import grid_window
from streams.readings.realized_grid import BAR_NS, KEEP, RealizedGrid
from streams.readings.realized_values import RealizedValues
from streams.readings.session_hours import SessionHours, hours_on
from streams.records import NS
from tests.support.points_frames import prices
from tests.support.trading_days import sessions_in

DAYS = sessions_in(date(2026, 1, 2), date(2026, 6, 30))
NAMES = ("A", "B", "C")


def fill(grid: RealizedGrid, hours: SessionHours, closes: np.ndarray) -> None:
    """Begin a session and tick every name at the end of each bar; closes (bars, names)."""
    grid.begin(hours)
    for bar, row in enumerate(closes):
        ts = hours.open + (bar + 1) * BAR_NS
        grid.apply(
            prices(
                {
                    name: price
                    for name, price in zip(grid.symbols, row, strict=True)
                    if np.isfinite(price)
                },
                ts,
            )
        )


def walk(sessions: int, seed: int = 7, names: int = 3) -> np.ndarray:
    """Prices (sessions, 78 bars, names) of a random walk."""
    steps = np.random.default_rng(seed).normal(0, 0.002, (sessions * 78, names))
    return (100 * np.exp(np.cumsum(steps, axis=0))).reshape(sessions, 78, names)


def filled(sessions: int, names: tuple[str, ...] = NAMES) -> tuple[RealizedGrid, np.ndarray]:
    grid, closes = RealizedGrid(names), walk(sessions, names=len(names))
    for day, matrix in zip(DAYS, closes, strict=False):
        fill(grid, hours_on(day), matrix)
    return grid, closes


def test_bars_end_at_five_minutes_and_hold_the_last_tick() -> None:
    grid, hours = RealizedGrid(NAMES), hours_on(DAYS[0])
    grid.begin(hours)
    for offset, price in (
        (0, 1.0),
        (1, 10.0),
        (BAR_NS, 11.0),
        (BAR_NS + 1, 12.0),
        (78 * BAR_NS, 13.0),
        (78 * BAR_NS + 1, 14.0),
    ):
        grid.apply(prices({"A": price, "other": 5.0}, hours.open + offset))
    matrix = grid.day(DAYS[0])
    assert matrix is not None
    assert matrix.shape == (3, 78)
    assert matrix[0, [0, 1, 77]].tolist() == [11.0, 12.0, 13.0]
    assert np.isfinite(matrix).sum() == 3


def test_window_of_21_sessions_holds_each_night_once() -> None:
    grid, closes = filled(22)
    window = grid_window(grid, hours_on(DAYS[21]).close, 21)
    assert window is not None
    path = np.log(np.concatenate(list(closes)))[77:]
    np.testing.assert_allclose(window.returns, np.diff(path, axis=0).T, atol=1e-15)
    assert window.returns.shape == (3, 21 * 78)


def test_window_rolls_within_the_day() -> None:
    grid, closes = filled(22)
    at = hours_on(DAYS[21]).open + 10 * BAR_NS + 17 * NS
    window = grid_window(grid, at, 21)
    assert window is not None
    path = np.log(np.concatenate(list(closes)))[9 : 21 * 78 + 10]
    np.testing.assert_allclose(window.returns, np.diff(path, axis=0).T, atol=1e-15)


def test_before_the_first_bar_the_window_ends_with_the_previous_session() -> None:
    grid, _ = filled(22)
    assert grid_window(grid, hours_on(DAYS[21]).open + NS, 21) is None
    following = hours_on(DAYS[22])
    grid.begin(following)
    window = grid_window(grid, following.open + NS, 21)
    assert window is not None
    assert window.returns.shape == (3, 21 * 78)


def test_too_few_sessions_or_a_long_gap_give_no_window() -> None:
    grid, closes = filled(21)
    assert grid_window(grid, hours_on(DAYS[20]).close, 21) is None
    fill(grid, hours_on(DAYS[40]), closes[0])
    assert grid_window(grid, hours_on(DAYS[40]).close, 21) is None


def test_half_day_closes_a_whole_window() -> None:
    days = sessions_in(date(2025, 10, 1), date(2025, 11, 28))[-22:]
    grid = RealizedGrid(("A", "B", "C"))
    for day, matrix in zip(days, walk(22), strict=True):
        fill(grid, hours_on(day), matrix[: hours_on(day).bars(BAR_NS)])
    window = grid_window(grid, hours_on(days[-1]).close, 21)
    assert window is not None
    assert window.returns.shape == (3, 20 * 78 + 42)


def test_names_that_hardly_tick_or_jump_are_refused() -> None:
    grid = RealizedGrid(("A", "B", "C"))
    closes = walk(22)
    closes[5:10, ::2, 1] = np.nan
    closes[:12, :, 2] *= 2.0
    for day, matrix in zip(DAYS, closes, strict=False):
        fill(grid, hours_on(day), matrix)
    window = grid_window(grid, hours_on(DAYS[21]).close, 21)
    assert window is not None
    assert window.usable.tolist() == [True, False, False]
    assert not window.returns[1:].any()


def test_values_obey_the_identity_and_the_formula() -> None:
    grid, closes = filled(22)
    weights = np.array([3.0, 2.0, 1.0])
    values = RealizedValues(grid, weights, Gates()).at(
        hours_on(DAYS[21]).close, 30, np.ones(3, np.bool_)
    )
    returns = np.diff(np.log(np.concatenate(list(closes)))[77:], axis=0)
    w = weights / 6
    variances, basket = (returns**2).sum(axis=0) * 12, ((returns @ w) ** 2).sum() * 12
    diagonal = (w**2 * variances).sum()
    assert values.correlation == pytest.approx(
        (basket - diagonal) / ((w @ np.sqrt(variances)) ** 2 - diagonal)
    )
    assert values.dispersion**2 + basket == pytest.approx(w @ variances)


def test_values_need_a_window_for_the_tenor_and_enough_names() -> None:
    grid, _ = filled(22)
    values = RealizedValues(grid, np.array([3.0, 2.0, 1.0]), Gates())
    close = hours_on(DAYS[21]).close
    assert values.at(close, 91, np.ones(3, np.bool_)).reason == "no_window"
    assert values.at(close, 9, np.ones(3, np.bool_)).reason == "no_window"
    assert values.at(close, 30, np.array([True, False, False])).reason == "coverage"
    assert values.at(close, 30, np.array([True, True, False])).reason == ""


def test_a_late_price_in_a_bar_already_used_counts() -> None:
    grid, _ = filled(22)
    values, close, everyone = (
        RealizedValues(grid, np.array([3.0, 2.0, 1.0]), Gates()),
        hours_on(DAYS[21]).close,
        np.ones(3, np.bool_),
    )
    before = values.at(close, 30, everyone)
    grid.apply(prices({"A": 101.0}, hours_on(DAYS[21]).open + NS))
    after = values.at(close, 30, everyone)
    assert after != before
    assert after == RealizedValues(grid, np.array([3.0, 2.0, 1.0]), Gates()).at(close, 30, everyone)


def test_old_sessions_are_dropped_and_their_chunks_deleted() -> None:
    grid, _ = filled(KEEP + 3)
    chunks = dict(grid.changed())
    assert len([name for name in chunks if name.startswith("grid/")]) == KEEP + 3
    assert [name for name, value in chunks.items() if not value] == [
        f"grid/{day}" for day in DAYS[:2]
    ]
    assert grid.days_before(DAYS[KEEP + 2]) == list(DAYS[2 : KEEP + 2])


def test_only_the_bar_in_progress_is_written_until_it_ends() -> None:
    grid, _ = filled(2)
    dict(grid.changed())
    following = hours_on(DAYS[2])
    grid.begin(following)
    grid.apply(prices({"A": 1.0}, following.open + NS))
    assert list(dict(grid.changed())) == [f"grid/{DAYS[1]}", "bar"]
    grid.apply(prices({"A": 2.0}, following.open + 2 * NS))
    assert list(dict(grid.changed())) == ["bar"]
    grid.apply(prices({"A": 3.0}, following.open + 2 * BAR_NS))
    assert list(dict(grid.changed())) == [f"grid/{DAYS[2]}", "bar"]


@pytest.mark.parametrize("symbols", [NAMES, ("C", "X", "A")])
def test_restored_from_any_cut_the_matrices_are_the_same(symbols: tuple[str, ...]) -> None:
    grid = RealizedGrid(NAMES)
    stored: dict[str, bytes] = {}
    rng = np.random.default_rng(3)
    for day in DAYS[:3]:
        hours = hours_on(day)
        grid.begin(hours)
        for offset in np.sort(rng.integers(1, 78 * BAR_NS, 40)):
            grid.apply(
                prices({str(rng.choice(NAMES)): float(rng.uniform(1, 2))}, hours.open + int(offset))
            )
            stored.update(grid.changed())
    other = RealizedGrid(symbols)
    other.restore(stored)
    for day in DAYS[:3]:
        matrix, again = grid.day(day), other.day(day)
        assert matrix is not None
        assert again is not None
        for row, symbol in enumerate(NAMES):
            if symbol in symbols:
                np.testing.assert_array_equal(again[symbols.index(symbol)], matrix[row])


@pytest.mark.parametrize("value", [b"", b"nonsense", b"\x80"])
def test_foreign_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        RealizedGrid(NAMES).restore({"bar": value})


def test_no_names_no_values() -> None:
    grid = RealizedGrid(())
    grid.begin(hours_on(DAYS[0]))
    grid.apply(prices({"A": 1.0}, hours_on(DAYS[0]).open + NS))
    assert dict(grid.changed()) == {}
    assert (
        RealizedValues(grid, np.empty(0), Gates())
        .at(hours_on(DAYS[0]).close, 30, np.empty(0, np.bool_))
        .reason
        == "no_window"
    )


def test_the_index_stands_beside_its_synthetic_basket() -> None:
    grid, closes = filled(22, ("A", "B", "C", "IDX"))
    values = RealizedValues(grid, np.array([3.0, 2.0, 1.0]), Gates()).at(
        hours_on(DAYS[21]).close, 30, np.ones(3, np.bool_)
    )
    returns = np.diff(np.log(np.concatenate(list(closes)))[77:], axis=0)
    w = np.array([3.0, 2.0, 1.0]) / 6
    variances = (returns**2).sum(axis=0) * 12
    basket, diagonal = ((returns[:, :3] @ w) ** 2).sum() * 12, (w**2 * variances[:3]).sum()
    assert values.basket_gap == pytest.approx(np.sqrt(variances[3]) - np.sqrt(basket))
    cross = (w @ np.sqrt(variances[:3])) ** 2 - diagonal
    assert values.correlation_index == pytest.approx((variances[3] - diagonal) / cross)
    assert values.correlation == pytest.approx((basket - diagonal) / cross)


def test_without_ticks_of_the_index_the_names_still_have_their_values() -> None:
    grid = RealizedGrid((*NAMES, "IDX"))
    for day, matrix in zip(DAYS, walk(22), strict=False):
        fill(grid, hours_on(day), np.column_stack([matrix, np.full(78, np.nan)]))
    values = RealizedValues(grid, np.ones(3), Gates()).at(
        hours_on(DAYS[21]).close, 30, np.ones(3, np.bool_)
    )
    assert np.isfinite([values.correlation, values.dispersion]).all()
    assert np.isnan([values.correlation_index, values.basket_gap]).all()
    assert (values.reason, values.index_reason) == ("", "no_index_ticks")


def test_the_session_so_far_has_no_night_and_needs_an_hour() -> None:
    grid, closes = filled(2)
    values, opened = RealizedValues(grid, np.ones(3), Gates()), hours_on(DAYS[1]).open
    assert values.in_session(opened + 12 * BAR_NS - NS, np.ones(3, np.bool_)).reason == "no_window"
    today = values.in_session(opened + 40 * BAR_NS, np.ones(3, np.bool_))
    returns = np.diff(np.log(closes[1][:40]), axis=0)
    variances, basket = (returns**2).sum(axis=0), (returns.mean(axis=1) ** 2).sum()
    diagonal = variances.sum() / 9
    assert len(returns) == 39
    assert today.correlation == pytest.approx(
        (basket - diagonal) / (np.sqrt(variances).mean() ** 2 - diagonal)
    )
    assert (
        values.in_session(opened + 40 * BAR_NS, np.array([True, False, False])).reason == "coverage"
    )
