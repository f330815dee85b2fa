"""A source may be cut into batches in any way.

The clock admits the same rows and closes the same seconds.
"""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.valuation.clock import SourceClock

STEP = 50_000_000
ROWS = st.lists(st.tuples(st.integers(-40, 400), st.integers(-150, 150)), min_size=1, max_size=80)


@given(ROWS, st.lists(st.integers(0, 80), max_size=10), st.sampled_from([0.0, 0.25, 3.0]))
def test_any_cut_gives_the_same_rows_and_closes(
    rows: list[tuple[int, int]], cuts: list[int], lateness: float
) -> None:
    ts = np.array([at * STEP for at, _ in rows], np.int64)
    record = np.array([(at + lag) * STEP for at, lag in rows], np.int64)
    whole = SourceClock(lateness, 5.0)
    expected = whole.admit(ts, record)
    parts = SourceClock(lateness, 5.0)
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    pieces = [parts.admit(ts[a:b], record[a:b]) for a, b in itertools.pairwise(edges)]
    for column in ("second", "late", "future", "closed"):
        assert (
            np.concatenate([getattr(piece, column) for piece in pieces]).tolist()
            == getattr(expected, column).tolist()
        )
    assert parts.state() == whole.state()
    assert expected.closed.tolist() == np.maximum.accumulate(expected.closed).tolist()
    kept = ~(expected.late | expected.future)
    assert (expected.second[kept] > np.concatenate([[-1], expected.closed[:-1]])[kept]).all()
