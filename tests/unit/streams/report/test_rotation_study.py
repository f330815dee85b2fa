"""The study of the rotation against a few lines of pandas, and by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from agents.report.price_files import prices_of
from config.watch_lists import find_watch_list, load_watch_list
from streams.report.price_table import PriceTable
from streams.report.rotation_study import (
    RotationStudy,
    SinceConvergence,
    rotation_study,
    sentences,
)
from streams.report.study_sessions import Close
from tests.support.evaluation import evaluation_data
from tests.support.trading_days import sessions_in

WATCHED = load_watch_list(find_watch_list("rotation.toml"))


def _level(name: str, column: str) -> pd.Series:
    frame = pd.read_csv(
        evaluation_data() / "vol_indices" / f"{name}_daily.csv.gz", parse_dates=["date"]
    )
    return frame.set_index("date")[column] / 100


@pytest.mark.evaluation
def test_the_shared_history_against_pandas() -> None:
    vix, vixeq, rho = _level("vix", "close"), _level("vixeq", "vixeq"), _level("cor1m", "close")
    table = pd.concat({"vix": vix, "spread": vixeq - vix, "rho": rho}, axis=1)
    closes = {
        day.date(): Close(*(None if np.isnan(value) else value for value in row))
        for day, row in zip(table.index, table.itertuples(index=False), strict=True)
    }
    file = evaluation_data() / "daily_prices" / "sp500_2019_2024.parquet"
    prices = prices_of([file], WATCHED.symbols, date.max)
    found = rotation_study("SPX", closes, prices, WATCHED)

    raw = pd.read_parquet(file).pivot_table(index="date", columns="symbol", values="close")
    raw.index = pd.to_datetime(raw.index)
    moves = raw.pct_change(fill_method=None)
    strength = (1 + moves[["WMT", "COST"]].mean(axis=1)) / (1 + moves["SPY"]) - 1
    spread = table["spread"].dropna()
    both = pd.concat([strength, spread.diff().reindex(strength.index)], axis=1).dropna()
    assert found.strength_and_spread.count == len(both)
    assert found.strength_and_spread.value == pytest.approx(
        np.corrcoef(both.iloc[:, 0], both.iloc[:, 1])[0, 1], abs=1e-5
    )
    fell = spread.pct_change(fill_method=None).reindex(strength.index) <= -0.10
    on_the_day = next(
        one for one in found.conditional if (one.condition, one.horizon) == ("convergence", 0)
    )
    chosen = strength[fell & strength.notna()]
    assert on_the_day.after.count == len(chosen)
    assert on_the_day.after.mean == pytest.approx(float(chosen.mean()), abs=1e-6)


def _toy(converges: int = 4, until: date = date(2026, 6, 12)) -> RotationStudy:
    days = tuple(sessions_in(date(2026, 6, 1), until))
    closes = {day: Close(0.20, 0.20, 0.30) for day in days}
    closes[days[converges]] = Close(0.25, 0.15, 0.40)
    grown = np.array([100.0 * 1.01**at for at in range(len(days))])
    columns = {"COST": grown, "SPY": np.full(len(days), 500.0), "WMT": grown}
    prices = PriceTable(days, tuple(columns), np.array([*columns.values()]).T, np.empty(0))
    return rotation_study("SPX", closes, prices, WATCHED)


def test_a_spike_and_a_convergence_by_hand() -> None:
    found = {(one.condition, one.horizon): one for one in _toy().conditional}
    for kind in ("convergence", "vix spike"):
        assert found[kind, 0].after.count == 1
        assert found[kind, 0].after.mean == pytest.approx(0.01)
        assert found[kind, 5].after.mean == pytest.approx(1.01**5 - 1)
        assert found[kind, 0].after.low is None, "one observation has no interval"
        assert found[kind, 10].after.count == 0


def test_a_reversal_is_looked_for_in_the_ten_sessions_after_a_convergence() -> None:
    found = _toy().reversal
    assert found is not None
    assert (found.session, found.sessions_ago) == (date(2026, 6, 5), 5)
    assert found.strength == pytest.approx(1.01**5 - 1)
    said = sentences(_toy())
    assert said[0].startswith("In your history, 2026-06-02 to 2026-06-12, 9 sessions:")
    assert said[1].startswith("After a convergence (1 session) WMT and COST against SPY: on the ")
    assert said[-1].endswith("5 sessions ago; since then WMT and COST +5.10 % against SPY.")
    assert "1 session ago" in sentences(_toy(8))[-1]
    assert "in this session" in sentences(_toy(9))[-1]
    assert _toy(9).reversal == SinceConvergence(date(2026, 6, 12), 0, None)
    assert _toy(4, date(2026, 6, 23)).reversal is None, "eleven sessions are too long ago"
    assert "nothing to reverse" in sentences(_toy(4, date(2026, 6, 23)))[-1]


def test_no_history_says_nothing() -> None:
    empty = PriceTable.of([], WATCHED.symbols, date(2026, 7, 10))
    assert sentences(rotation_study("SPX", {}, empty, WATCHED)) == ()
