"""The spike gate of slow sources: a value is the market once it was said more than twice."""

import pytest

from streams.detection.gates import SpikeHold
from streams.market import Gates
from streams.records import NS

BAD_PRINT = (0.1, 0.1, 0.1, 0.45, 0.45, 0.1)


@pytest.mark.parametrize("refresh", [10.0, 30.0, 60.0, 120.0, 900.0])
def test_a_bad_print_of_two_refreshes_is_held_and_reverted(refresh: float) -> None:
    hold = SpikeHold()
    said = [
        hold.admit(int(at * refresh) * NS, rho, Gates(), refresh)
        for at, rho in enumerate(BAD_PRINT)
    ]
    assert said == [*["accepted"] * 3, "held", "held", "reverted"]


@pytest.mark.parametrize(("refresh", "sweeps"), [(60.0, 3), (120.0, 3), (10.0, 6), (None, 6)])
def test_a_value_that_stands_is_the_market(refresh: float | None, sweeps: int) -> None:
    hold, step = SpikeHold(), int(refresh or 10.0)
    hold.admit(0, 0.1, Gates(), refresh)
    said = [hold.admit((1 + at) * step * NS, 0.45, Gates(), refresh) for at in range(sweeps + 1)]
    assert said == [*["held"] * sweeps, "accepted"]


def test_closes_are_not_held_for_days() -> None:
    hold = SpikeHold()
    hold.admit(0, 0.1, Gates(), 86_400.0)
    assert hold.admit(3_600 * NS, 0.45, Gates(), 86_400.0) == "accepted"
