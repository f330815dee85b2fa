"""A condition: value, threshold and what they say."""

import pytest

from streams.detection.rules.condition import condition


@pytest.mark.parametrize(
    ("value", "enter", "calm", "holds", "distance"),
    [
        (0.95, 0.95, 0.5, True, 0.0),
        (0.725, 0.95, 0.5, False, 0.5),
        (0.10, 0.95, 0.5, False, 1.0),
        (0.05, 0.05, 0.5, True, 0.0),
        (0.02, 0.05, 0.5, True, 0.0),
        (0.275, 0.05, 0.5, False, 0.5),
        (None, 0.95, 0.5, None, 1.0),
    ],
)
def test_upwards_and_downwards(
    value: float | None,
    enter: float,
    calm: float,
    holds: bool | None,  # noqa: FBT001
    distance: float,
) -> None:
    found = condition("rank", value, enter, calm)
    assert found.holds is holds
    assert found.distance == pytest.approx(distance)


@pytest.mark.parametrize("calm", [0.0, 1.0])
def test_a_strict_threshold_is_not_enough(calm: float) -> None:
    assert condition("share", 0.4, 0.4, calm).holds
    assert not condition("share", 0.4, 0.4, calm, strict=True).holds
