"""Ranks and z scores on eleven years of closes: they count the days that the methodology's base rates count."""

import numpy as np
import pandas as pd
import pytest

from analytics.dispersion import correlation_share, dispersion
from analytics.ewma import ewma_z
from analytics.rolling import rolling_rank
from tests.support.evaluation import evaluation_data

pytestmark = pytest.mark.evaluation

NAMES = ("vix", "vixeq", "dspx", "cor1m")


@pytest.fixture(scope="module")
def runs() -> list[pd.DataFrame]:
    """Closes of the four indices, cut at gaps of more than ten calendar days."""
    columns = {}
    for name in NAMES:
        daily = pd.read_csv(evaluation_data() / "vol_indices" / f"{name}_daily.csv.gz").rename(columns=str.lower)
        daily.index = pd.to_datetime(daily["date"])
        columns[name] = daily["close"] if "close" in daily else daily[name]
    closes = pd.DataFrame(columns).dropna()
    gaps = (np.diff(closes.index.to_numpy()) > np.timedelta64(10, "D")).cumsum()
    return [part for _, part in closes.groupby(np.concatenate([[0], gaps]))]


def test_number_of_closes(runs: list[pd.DataFrame]) -> None:
    assert sum(map(len, runs)) == 2630


def test_low_percentile_rules(runs: list[pd.DataFrame]) -> None:
    today = yesterday = 0
    for run in runs:
        level = run["cor1m"].to_numpy()
        rank, jump = rolling_rank(level, 504, 60), np.append(np.nan, level[1:] / level[:-1] - 1) >= 0.08
        today += int(((rank < 0.25) & jump).sum())
        yesterday += int(((rank[:-1] < 0.25) & jump[1:]).sum())
    assert (today, yesterday) == (154, 215)


def test_z_pair_rules(runs: list[pd.DataFrame]) -> None:
    counts = np.zeros(3, dtype=int)
    for run in runs:
        vix, cor, spread = run["vix"].to_numpy(), run["cor1m"].to_numpy(), (run["vixeq"] - run["vix"]).to_numpy()
        z = np.stack([ewma_z(np.diff(x)) for x in (np.log(vix), cor, spread)])
        z[:, :20] = np.nan
        pair = np.minimum(z[0], z[1])
        counts += [(pair > 2).sum(), (pair > 3).sum(), ((pair > 2) & (z[2] < -1)).sum()]
    assert counts.tolist() == [54, 17, 43]


def test_identity_of_dispersion_on_closes(runs: list[pd.DataFrame]) -> None:
    closes = pd.concat(runs)
    ours = dispersion(np.square(closes["vixeq"].to_numpy()), closes["vix"].to_numpy())
    assert np.median(np.abs(ours - closes["dspx"].to_numpy())) < 0.07


@pytest.mark.parametrize(
    ("date", "share"),
    [
        ("2015-08-21", 0.44), ("2015-08-24", 0.33), ("2018-02-02", 1.02), ("2018-02-05", 0.75),
        ("2020-02-24", 0.58), ("2020-03-16", 0.22), ("2025-10-10", 0.69), ("2025-10-16", 0.81),
    ],
)  # fmt: skip
def test_correlation_share_of_the_episodes(runs: list[pd.DataFrame], date: str, share: float) -> None:
    closes = pd.concat(runs)
    at = closes.index.get_loc(date)
    assert isinstance(at, int)
    before, after = closes.iloc[at - 1], closes.iloc[at]
    assert float(correlation_share(before["vix"], after["vix"], before["vixeq"], after["vixeq"])) == pytest.approx(share, abs=0.005)
