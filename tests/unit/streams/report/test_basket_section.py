"""The basket by the prices of its names, by hand and against a few lines of pandas."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from agents.report.price_files import prices_of
from streams.calendar.sessions import shift_session
from streams.market import Basket, Constituent
from streams.report.basket_section import (
    BasketSection,
    basket_section,
    realized_correlations,
)
from streams.report.price_table import PriceTable
from tests.support.evaluation import evaluation_data
from tests.support.readings import FRIDAY, closing
from tests.support.trading_days import sessions_in

BARE = closing(FRIDAY, 0.148, 0.44, 0.10, constituents=None)
"""Weights are then those of the basket."""


def section(moves: list[list[float]], weights: tuple[float, ...] = (3.0, 1.0)) -> BasketSection:
    """Of names with these returns, one list a session; prices of an unknown one lack."""
    days = tuple(sessions_in(shift_session(FRIDAY, -len(moves)), FRIDAY))
    closes = np.vstack((np.full(len(moves[0]), 50.0), 50.0 * np.cumprod(1 + np.array(moves), 0)))
    symbols = tuple("ABC"[: closes.shape[1]])
    names = tuple(Constituent(symbol, one) for symbol, one in zip("ABC", weights, strict=False))
    table = PriceTable(days, symbols, closes, closes)
    return basket_section(table, BARE, Basket("toy", names))


def test_names_that_cancel_leave_nothing_to_the_basket() -> None:
    apart = [[0.01, -0.03], [-0.01, 0.03]] * 11
    found = section(apart[:21])
    assert (found.names, found.weight.value) == (2, 1.0)
    by_name = {row.name: row.now.value for row in found.realized}
    # The weights are those of the window's start; prices have moved them since.
    drifted = np.array([3.0, 1.0]) / np.prod(1 + np.array(apart[:21]), 0)
    share = drifted / drifted.sum()
    returns = np.array(apart[:21]) @ share
    names = 252 * (np.square(np.array(apart[:21])) @ share).mean()
    assert by_name["vol of the names"] == pytest.approx(math.sqrt(names))
    assert by_name["vol of the basket"] == pytest.approx(np.sqrt(252 * np.mean(returns**2)))
    assert by_name["dispersion"] == pytest.approx(
        math.sqrt(names - 252 * float(np.mean(returns**2)))
    )
    assert found.words.startswith("Dispersion took 100 % of the names' variance")
    assert "21 sessions of prices before it, 42 are needed" in found.realized[0].before.reason
    assert found.concentration["252"].reason == (
        "21 sessions of prices before it, 252 are needed (--prices)"
    )


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ([0.01, 0.01], [0.02, -0.04], "dispersion kept the index calm"),
        ([0.01, 0.01], [0.02, 0.02], "100 % of the rise of their variance reached the basket"),
        ([0.02, -0.05], [0.02, 0.02], "the names moved less and the basket more"),
        ([0.02, 0.02], [0.01, 0.01], "the names and the basket moved less"),
    ],
)
def test_a_change_is_told_by_what_dispersion_took(
    before: list[float], now: list[float], words: str
) -> None:
    """Up one session and down the next, so that the weights hardly move."""
    moves = [[(-1) ** at * move for move in before] for at in range(21)]
    moves += [[(-1) ** at * move for move in now] for at in range(21)]
    assert words in section(moves).words


def test_half_of_the_weight_has_to_have_prices() -> None:
    calm = [[0.01]] * 21
    found = section(calm, (3.0, 4.0))
    assert found.words.startswith("Unknown: prices of 1 of 2 names over 21 sessions, 43 % of")
    assert all(row.now.value is None for row in found.realized)
    assert found.weight.value == pytest.approx(3 / 7)
    assert found.names == 1
    whole = section(calm, (4.0, 3.0))
    assert whole.cap_weight["20"].value == pytest.approx(1.01**20 - 1)
    assert "no prices" not in whole.words


def test_without_prices_or_a_basket_it_says_so() -> None:
    nothing = PriceTable.of((), (), FRIDAY)
    for basket in (Basket(), Basket("toy", (Constituent("A", 1.0),))):
        found = basket_section(nothing, BARE, basket)
        assert found.words == "Unknown: 0 sessions of prices before it, 21 are needed (--prices)."
        assert (found.names, found.weight.value) == (0, None)
        assert found.weight.reason


def test_the_realized_correlation_of_each_session_is_that_of_its_21_sessions() -> None:
    rng = np.random.default_rng(7)
    found = rng.normal(0.0, 0.01, (30, 2)).tolist()
    days = list(sessions_in(shift_session(FRIDAY, -30), FRIDAY))
    closes = np.vstack((np.full(2, 50.0), 50.0 * np.cumprod(1 + np.array(found), 0)))
    table = PriceTable(tuple(days), ("A", "B"), closes, closes)
    basket = Basket("toy", (Constituent("A", 3.0), Constituent("B", 1.0)))
    by_day = realized_correlations(table, BARE, basket)
    assert list(by_day) == days[21:], "no session before has 21 of its own"
    whole = basket_section(table, BARE, basket)
    assert by_day[FRIDAY] == pytest.approx(whole.realized[3].now.value)
    earlier = PriceTable(tuple(days[:25]), ("A", "B"), closes[:25], closes[:25])
    # The same names and returns, at weights that have moved with prices since.
    drifted = [one * closes[24, at] / closes[-1, at] for at, one in enumerate((3.0, 1.0))]
    moved = Basket("toy", (Constituent("A", drifted[0]), Constituent("B", drifted[1])))
    then = basket_section(earlier, BARE, moved).realized[3].now.value
    assert by_day[days[24]] == pytest.approx(then)


@pytest.mark.evaluation
def test_forty_nine_names_to_the_end_of_october_against_pandas() -> None:
    file = evaluation_data() / "intraday" / "bars_5min.parquet"
    bars = pd.read_parquet(file, columns=["ts", "symbol", "close"])
    bars = bars.assign(day=bars["ts"].dt.date)
    bars = bars[bars["day"] <= date(2025, 10, 31)]
    closes = bars.pivot_table(index="day", columns="symbol", values="close", aggfunc="last")
    symbols = [one for one in closes.columns if not one.startswith("X")]
    symbols = [one for one in symbols if one not in {"SPY", "QQQ", "SMH"}]
    basket = Basket("equal", tuple(Constituent(one, 1.0) for one in symbols))
    table = prices_of([file], frozenset(symbols), date(2025, 10, 31)).latest()
    found = basket_section(table, BARE, basket)

    kept = closes[symbols].iloc[-43:].dropna(axis=1)
    moves = kept.pct_change(fill_method=None).iloc[1:]
    for rows, window in ((moves.iloc[-21:], "now"), (moves.iloc[:21], "before")):
        start = kept.loc[: rows.index[0]].iloc[-2] / kept.iloc[-1]
        share = start / start.sum()
        names = 252 * (rows**2 @ share).mean()
        basket_variance = 252 * ((rows @ share) ** 2).mean()
        expected = [names, names - basket_variance, basket_variance]
        values = [getattr(row, window).value for row in found.realized[:3]]
        assert [one**2 for one in values] == pytest.approx(expected, rel=0.02)
    equal = kept.iloc[-1] / kept.iloc[-21] - 1
    assert found.equal_weight["20"].value == pytest.approx(equal.mean(), abs=2e-3)
    assert found.names >= 40
