"""Segment reductions against a plain loop, empty segments included."""

import numpy as np
import pytest

from analytics.segments import first_of_segment, segment_count, segment_min, segment_of_rows


@pytest.mark.parametrize("lengths", [[3, 0, 2, 1, 0], [0, 0], [0, 4], [5], []])
def test_reductions_match_a_loop(lengths: list[int]) -> None:
    rng = np.random.default_rng(sum(lengths))
    offsets = np.concatenate([[0], np.cumsum(np.array(lengths, dtype=np.int64))]).astype(np.int64)
    values, mask = rng.normal(size=offsets[-1]), rng.random(offsets[-1]) < 0.5
    segment, m = segment_of_rows(offsets), len(lengths)
    spans = [range(offsets[j], offsets[j + 1]) for j in range(m)]
    assert segment.tolist() == [j for j, span in enumerate(spans) for _ in span]
    assert segment_min(values, offsets).tolist() == [
        min((values[i] for i in span), default=np.inf) for span in spans
    ]
    assert segment_count(mask, segment, m).tolist() == [
        sum(bool(mask[i]) for i in span) for span in spans
    ]
    assert first_of_segment(mask, segment, m).tolist() == [
        next((i for i in span if mask[i]), -1) for span in spans
    ]
