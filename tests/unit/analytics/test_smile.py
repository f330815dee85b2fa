"""Smiles under a scenario, many at once."""

import numpy as np
import pytest

from analytics.black76 import delta
from analytics.smile import rescale, segment_interp

STRIKES = np.arange(50.0, 201.0, 1.0)
VOLS = 0.25 - 0.3 * np.log(STRIKES / 100) + 0.4 * np.log(STRIKES / 100) ** 2


def test_interpolation_matches_one_segment_at_a_time() -> None:
    rng = np.random.default_rng(12)
    lengths = [5, 1, 0, 40, 2]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    x = np.concatenate([np.sort(rng.normal(size=n)) for n in lengths])
    y, segment = rng.normal(size=len(x)), rng.integers(0, 5, 400)
    at = np.where(
        rng.random(400) < 0.2, x[rng.integers(0, len(x), 400)], rng.normal(size=400) * 1.5
    )
    ours = segment_interp(segment, at, offsets, x, y)
    for j, n in enumerate(lengths):
        rows = segment == j
        span = slice(offsets[j], offsets[j + 1])
        want = np.interp(at[rows], x[span], y[span]) if n else np.full(rows.sum(), np.nan)
        assert ours[rows] == pytest.approx(want, abs=1e-13, nan_ok=True)


def test_ratio_one_changes_nothing() -> None:
    assert rescale(np.array([0, len(STRIKES)]), STRIKES, VOLS, 100.0, 1.0) == pytest.approx(
        VOLS, abs=1e-14
    )


def test_level_at_the_forward_is_multiplied() -> None:
    new = rescale(np.array([0, len(STRIKES)]), STRIKES, VOLS, 100.0, 1.8)
    assert new[STRIKES == 100.0] == pytest.approx(1.8 * 0.25)
    by_formula = 1.8 * np.interp(np.log(100 * (STRIKES / 100) ** (1 / 1.8)), np.log(STRIKES), VOLS)
    assert new == pytest.approx(by_formula, abs=1e-13)


def test_far_wings_keep_their_delta() -> None:
    """A strike r times as far in log-moneyness has the vol times r.

    Its delta is nearly that of the old strike.
    """
    new = rescale(np.array([0, len(STRIKES)]), STRIKES, VOLS, 100.0, 2.0)
    old_delta = delta(100.0, 90.0, 0.02, np.interp(90.0, STRIKES, VOLS), call=False)
    new_delta = delta(100.0, 81.0, 0.02, np.interp(81.0, STRIKES, new), call=False)
    assert new_delta == pytest.approx(old_delta, abs=0.01)


def test_many_smiles_with_gaps() -> None:
    vols = VOLS.copy()
    vols[10:20] = np.nan
    offsets = np.array([0, len(STRIKES), 2 * len(STRIKES), 2 * len(STRIKES)])
    both = rescale(
        offsets,
        np.tile(STRIKES, 2),
        np.concatenate([vols, np.full(len(STRIKES), np.nan)]),
        [100.0, 90.0, 1.0],
        [1.5, 1.2, 1.0],
    )
    assert np.isfinite(both[: len(STRIKES)]).all()
    assert np.isnan(both[len(STRIKES) :]).all()
    known = ~np.isnan(vols)
    by_formula = 1.5 * np.interp(
        np.log(STRIKES / 100) / 1.5, np.log(STRIKES / 100)[known], vols[known]
    )
    assert both[: len(STRIKES)] == pytest.approx(by_formula, abs=1e-13)


def test_without_any_known_vol() -> None:
    assert np.isnan(
        rescale(np.array([0, 2]), np.array([90.0, 100.0]), np.array([np.nan, np.nan]), 100.0, 2.0)
    ).all()


def test_a_row_on_a_knot_reads_it_exactly_in_the_last_of_many_smiles() -> None:
    smiles, knots = 3000, 12
    x = np.sort(np.random.default_rng(5).normal(size=(smiles, knots)), axis=1)
    x[:, 6] = np.nextafter(
        x[:, 5], np.inf
    )  # nearer to each other than the position of their smile can tell
    y = np.arange(x.size, dtype=np.float64)
    read = segment_interp(
        np.repeat(np.arange(smiles), knots), x.ravel(), knots * np.arange(smiles + 1), x.ravel(), y
    )
    assert read.tolist() == y.tolist()
