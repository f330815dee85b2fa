"""Interpolation of many curves at once."""

import numpy as np
import pytest

from analytics.segment_interp import segment_interp


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
