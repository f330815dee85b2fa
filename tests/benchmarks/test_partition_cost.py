"""The cost of a partition, small: the rig runs, judges what the workers did, and tells every figure. None of them is asserted."""

import pytest

from tests.benchmarks.partition_cost import Shape, partition_cost
from tests.support.stack import RealStack


@pytest.mark.stack
def test_the_shapes_are_measured(real_stack: RealStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.benchmarks.partition_cost.SILENT_SECONDS", 0.5)
    cost = partition_cost(real_stack, 8, 8000, 2, (Shape(1, 1), Shape(2, 2), Shape(2, 1)), rounds=1)
    assert cost.shapes.keys() == {"1x1", "2x2", "2x1"}
    for spread in cost.shapes.values():
        assert spread.silent_ms > 0
        assert spread.lively_ms > 0
        assert spread.beating_ms > 0
    assert cost.lively_ms != cost.beating_ms
