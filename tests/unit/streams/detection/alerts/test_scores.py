"""Statistics of the baseline in events.

They are held against pandas and a plain loop, and null without history.
"""

from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from streams.detection.alerts.scores import scores
from streams.detection.history.baseline import Baseline
from tests.support.past_closes import Levels, baseline, context

NOW: Levels = (19.0, 41.0, 36.5, 24.0)


def walk(count: int) -> list[Levels]:
    """Levels that wander."""
    rng = np.random.default_rng(7)
    vix = 15 * np.exp(np.cumsum(rng.normal(0, 0.05, count)))
    vixeq = vix + 25 + rng.normal(0, 2, count)
    table = np.stack([vix, vixeq, np.sqrt(vixeq**2 - vix**2), 20 + rng.normal(0, 3, count)], axis=1)
    return [(row[0], row[1], row[2], row[3]) for row in table.tolist()]


def columns(rows: list[Levels]) -> dict[str, NDArray[np.float64]]:
    """The scored levels in decimals."""
    vix, vixeq, dspx, cor = np.array(rows).T / 100
    return {
        "index_vol": vix,
        "vol_spread": vixeq - vix,
        "dispersion": dspx,
        "implied_correlation": cor,
    }


def expected(changes: NDArray[np.float64]) -> tuple[float, float, float]:
    """z of the last change with the state before it, and both CUSUM.

    The CUSUM are of all scores after the first twenty.
    """
    weighted = pd.Series(changes).ewm(halflife=20)
    z = (changes[1:] - weighted.mean().to_numpy()[:-1]) / weighted.std().to_numpy()[:-1]
    up = down = 0.0
    for score in z[19:].tolist():
        up, down = max(0.0, up + score - 0.5), max(0.0, down - score - 0.5)
    return float(z[-1]), up, down


@pytest.mark.parametrize("count", [61, 100, 253])
def test_the_scores_of_a_close(count: int) -> None:
    rows = walk(count)
    found = scores(context(baseline(rows), NOW))
    for measure, levels in columns([*rows, NOW]).items():
        z, up, down = expected(np.diff(np.log(levels) if measure == "index_vol" else levels))
        assert found[f"{measure}_change_z"] == pytest.approx(z, rel=1e-6), measure
        assert found[f"{measure}_cusum_up"] == pytest.approx(up, rel=1e-6, abs=1e-9), measure
        assert found[f"{measure}_cusum_down"] == pytest.approx(down, rel=1e-6, abs=1e-9), measure
        past = levels[:-1][-252:]
        middle = np.median(past)
        assert found[f"{measure}_robust_z"] == pytest.approx(
            0.6745 * (levels[-1] - middle) / np.median(np.abs(past - middle)), rel=1e-6
        )


def test_without_history_all_are_null() -> None:
    assert set(scores(context(Baseline(), NOW)).values()) == {None}
    assert set(scores(context(baseline(walk(59)), NOW)).values()) == {None}
    sixty = scores(context(baseline(walk(60)), NOW))
    assert sixty["vol_spread_robust_z"] is not None
    assert sixty["vol_spread_change_z"] is None, "60 closes make 59 changes"


def test_what_never_varied_has_no_scores() -> None:
    assert set(scores(context(baseline([NOW] * 100), NOW)).values()) == {None}


def test_a_close_without_a_level_is_left_out_with_both_of_its_changes() -> None:
    past = baseline(walk(80))
    blind = msgspec.structs.replace(past.closes[40], implied_correlation=None)
    holed = replace(past, closes=(*past.closes[:40], blind, *past.closes[41:]))
    assert (
        len(holed.changes("implied_correlation"))
        == len(past.changes("implied_correlation")) - 2
        == 77
    )
    found, whole = scores(context(holed, NOW)), scores(context(past, NOW))
    assert found["implied_correlation_change_z"] not in {
        None,
        whole["implied_correlation_change_z"],
    }
    assert found["vol_spread_change_z"] == whole["vol_spread_change_z"]
