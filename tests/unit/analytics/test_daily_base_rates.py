"""Practitioners' rules on eleven years of closes.

They fire on the days, and are followed by what, the methodology's table says.
"""

import numpy as np
import pandas as pd
import pytest

from analytics.dispersion import correlation_share, dispersion
from analytics.episodes import rise_follows
from analytics.practice import Levels
from streams.evaluation.baselines import BASELINES, baseline_catches
from streams.evaluation.closes import Closes, closes_of
from streams.evaluation.score import risen, score
from tests.support.evaluation import evaluation_data
from tests.support.readings import published

pytestmark = pytest.mark.evaluation

NAMES = ("vix", "vixeq", "dspx", "cor1m")


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Closes of the four indices in points."""
    columns = {}
    for name in NAMES:
        daily = pd.read_csv(evaluation_data() / "vol_indices" / f"{name}_daily.csv.gz").rename(
            columns=str.lower
        )
        daily.index = pd.to_datetime(daily["date"])
        columns[name] = daily["close"] if "close" in daily else daily[name]
    return pd.DataFrame(columns).dropna()


@pytest.fixture(scope="module")
def closes(table: pd.DataFrame) -> Closes:
    rows = zip(table.index, table[list(NAMES)].to_numpy().tolist(), strict=True)
    return closes_of((published(day.date(), *levels) for day, levels in rows), "SPX", gap_days=10)


def test_number_of_closes(closes: Closes) -> None:
    assert len(closes.sessions) == 2630
    assert len(closes.runs) == 2


def test_any_day(closes: Closes) -> None:
    assert round(risen(closes).mean(), 2) == 0.23


@pytest.mark.parametrize(
    ("name", "days", "episodes", "followed"),
    [
        ("R1", 154, 31, 0.19), ("R2", 215, 47, 0.23), ("R3", 69, 30, 0.20), ("R4", 128, 44, 0.32),
        ("R5", 54, 39, 0.21), ("R6", 17, 16, 0.12), ("R7", 43, 32, 0.28), ("R8", 33, 26, 0.19),
    ],
)  # fmt: skip
def test_base_rates(closes: Closes, name: str, days: int, episodes: int, followed: float) -> None:
    (found,) = [
        score(one, closes, (), window=1) for one in baseline_catches(closes) if one.name == name
    ]
    assert (found.days, len(found.episodes)) == (days, episodes)
    assert found.rise_followed == pytest.approx(followed, abs=0.0051)


@pytest.mark.parametrize(
    ("day", "fired"),
    [
        ("2015-08-21", "R3 R4 R5 R7"), ("2015-08-24", "R3 R4"),
        ("2018-02-02", "R3 R4 R5 R6 R7 R8"), ("2018-02-05", "R3 R4 R5 R6 R7 R8"),
        ("2020-02-24", "R5 R6 R7 R8"), ("2020-03-16", "R5"),
        ("2025-10-10", "R2 R5 R6 R7 R8"), ("2025-10-16", "R3 R4 R5 R7 R8"),
    ],
)  # fmt: skip
def test_what_each_caught(closes: Closes, table: pd.DataFrame, day: str, fired: str) -> None:
    row = table.index.get_loc(day)
    assert [one.name for one in baseline_catches(closes)[:8] if one.loudness[row]] == fired.split()


def test_want_of_history_is_told(closes: Closes, table: pd.DataFrame) -> None:
    row = table.index.get_loc("2025-08-01")
    unknown = {one.name for one in baseline_catches(closes) if one.why[row] == "not enough history"}
    assert unknown == {"R1", "R2", "R8", "extreme", "band"}


def test_nothing_reaches_across_a_gap(closes: Closes) -> None:
    """Each run alone gives the verdicts that it gives in the whole."""
    later = Levels(*(level[closes.runs[1]] for level in closes.levels))
    for rule, whole in zip(BASELINES, baseline_catches(closes), strict=True):
        assert ((rule.verdicts(later) == 1.0) == (whole.loudness[closes.runs[1]] > 0)).all()
    assert (rise_follows(later.index_vol) == risen(closes)[closes.runs[1]]).all()


def test_identity_of_dispersion_on_closes(table: pd.DataFrame) -> None:
    ours = dispersion(np.square(table["vixeq"].to_numpy()), table["vix"].to_numpy())
    assert np.median(np.abs(ours - table["dspx"].to_numpy())) < 0.07


@pytest.mark.parametrize(
    ("date", "share"),
    [
        ("2015-08-21", 0.44), ("2015-08-24", 0.33), ("2018-02-02", 1.02), ("2018-02-05", 0.75),
        ("2020-02-24", 0.58), ("2020-03-16", 0.22), ("2025-10-10", 0.69), ("2025-10-16", 0.81),
    ],
)  # fmt: skip
def test_correlation_share_of_the_episodes(table: pd.DataFrame, date: str, share: float) -> None:
    at = table.index.get_loc(date)
    assert isinstance(at, int)
    before, after = table.iloc[at - 1], table.iloc[at]
    assert float(
        correlation_share(before["vix"], after["vix"], before["vixeq"], after["vixeq"])
    ) == pytest.approx(share, abs=0.005)
