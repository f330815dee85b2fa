"""Strips on recorded option chains against the index that was published."""

import numpy as np
import pandas as pd
import pytest

from analytics.atm import atm_vols, delta_vols
from analytics.strip import value_strips
from analytics.tenor import MINUTES_PER_DAY, interpolate_variance
from tests.support.evaluation import evaluation_data
from tests.support.option_boards import board_of

pytestmark = pytest.mark.evaluation


def sides_by_strike(quotes: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Keys, strike, call bid and ask, put bid and ask; NaN where a side is not listed."""
    call, put = (
        quotes[quotes["cp"] == side].groupby([*keys, "strike"])[["bid", "ask"]].last()
        for side in "CP"
    )
    return pd.concat([call.add_prefix("call_"), put.add_prefix("put_")], axis=1).reset_index()


@pytest.mark.parametrize(
    ("date", "index"), [("2011-01-03", 17.60), ("2011-01-04", 17.38), ("2011-01-05", 17.015)]
)
def test_monthly_spx_boards_give_the_published_close(date: str, index: float) -> None:
    chains = pd.read_parquet(evaluation_data() / "chains_index" / "ivol_spx_2011.parquet")
    quotes = chains[(chains["root"] == "SPX") & (chains["quote_date"].astype(str) == date)]
    both = sides_by_strike(quotes, ["expiration"])
    expiries, tables = zip(
        *((e, t.drop(columns="expiration").to_numpy()) for e, t in both.groupby("expiration")),
        strict=True,
    )
    settles = pd.to_datetime(pd.Series(expiries)) + pd.Timedelta(hours=9, minutes=30)
    minutes = (
        (settles - pd.Timestamp(date) - pd.Timedelta(hours=16, minutes=15))
        // pd.Timedelta(minutes=1)
    ).to_numpy()
    values = value_strips(board_of(tables, (minutes / 525_600).tolist(), [0.0017] * len(tables)))
    near = int(np.flatnonzero(minutes <= 30 * MINUTES_PER_DAY)[-1])
    variance = interpolate_variance(
        values.variance[near], minutes[near], values.variance[near + 1], minutes[near + 1], 30
    )
    assert 100 * np.sqrt(variance) == pytest.approx(index, abs=0.01)


def test_quick_at_the_money_vol_agrees_with_the_full_smile_on_a_whole_market() -> None:
    chains = pd.read_parquet(evaluation_data() / "chains_multi" / "nbbo_chains_2026_07.parquet")
    quotes = chains[chains["session"] == "2026-07-10 close"]
    both = sides_by_strike(quotes, ["underlying", "expiration"])
    strips = [
        (key, part.iloc[:, 2:].to_numpy())
        for key, part in both.groupby(["underlying", "expiration"])
    ]
    days = [
        (pd.Timestamp(str(expiry)) - pd.Timestamp("2026-07-10")).days for (_, expiry), _ in strips
    ]
    board = board_of([rows for _, rows in strips], [d / 365 for d in days], [0.036] * len(strips))
    values = value_strips(board, min_per_side=3, require_atm=True, zero_ask_stops=False)
    quick, status = atm_vols(board, values.forward)
    full, full_status = delta_vols(board, values.forward, [0.5])
    assert np.count_nonzero(values.reason == 0) > 1_500
    assert np.array_equal(np.isnan(values.variance), values.reason != 0)
    both_known = (status == 0) & (full_status[:, 0] == 0)
    assert both_known.sum() > 2_500
    assert np.abs(quick - full[:, 0])[both_known].max() < 1e-12
    assert np.count_nonzero((status == 0) != (full_status[:, 0] == 0)) <= 3
