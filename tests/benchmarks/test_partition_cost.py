"""The cost of a partition, small.

The rig runs, judges what two workers did, and tells every figure. None of them is asserted.
"""

from pathlib import Path

import pytest

from tests.benchmarks.partition_cost import Shape, Spread, Spreading, slope
from tests.support.stack import RealStack


@pytest.mark.stack
def test_a_shape_is_measured(
    real_stack: RealStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.partition_cost.SILENT_SECONDS", 0.5)
    shape = Shape(partitions=2, workers=2)
    spread = Spreading(real_stack, tmp_path, 8, shape.partitions, 2, 0.5).spread(
        shape.workers, 8000, 1
    )
    assert all(value > 0 for value in (spread.silent_ms, spread.lively_ms, spread.beating_ms)), (
        spread
    )


def test_one_more_partition_is_told_from_the_shapes_of_one_worker() -> None:
    spreads = {Shape(n, 1): Spread(8 + n / 10, 2 * n, 3 * n, 0.3) for n in (4, 16, 64)} | {
        Shape(16, 2): Spread(99, 99, 99, 99)
    }
    assert slope(spreads, "silent_ms") == pytest.approx(0.1)
    assert slope(spreads, "lively_ms") == pytest.approx(3.0)
