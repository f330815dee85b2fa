"""What the soak makes of its samples."""

from dataclasses import replace

import pytest

from tests.benchmarks.soak import PEAK_MB, SLOPE_MB, Soak, slope

STEADY = Soak(15, 1000, 1.0, 0.5, 0.0, PEAK_MB, 0.0, [])


def test_growth_is_told_from_what_follows_the_warm_up() -> None:
    warming = [(float(at), 100.0 + at) for at in range(0, 180, 5)]
    growing = [(float(at), 300.0 + 0.5 * at / 60.0) for at in range(180, 1080, 5)]
    assert slope(warming + growing, 180.0) == pytest.approx(0.5)
    assert slope(warming + growing, 0.0) > 1.0


@pytest.mark.parametrize(
    ("seen", "steady"),
    [
        (STEADY, True),
        (replace(STEADY, peak_rss_mb=PEAK_MB + 0.1), False),
        (replace(STEADY, slope_mb_a_minute=SLOPE_MB), False),
        (replace(STEADY, slope_mb_a_minute=-SLOPE_MB), True),
    ],
)
def test_a_worker_is_steady_that_is_neither_large_nor_growing(seen: Soak, *, steady: bool) -> None:
    assert seen.steady is steady
