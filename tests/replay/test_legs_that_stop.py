"""The unwind scenario on the sample close with legs that stop: the index, then a sector."""

from typing import Any

import pytest

from config.settings import Settings
from tests.support.monitor import Made, expected
from tests.support.stopped_legs import stopping_feed


@pytest.fixture(scope="module")
def made() -> Made:
    settings = Settings(mode="scenario")
    return expected(settings, stopping_feed(settings, 1), 1)


def events(made: Made, rule: str) -> list[tuple[str, str, str]]:
    """UTC time, transition and severity."""
    told: list[dict[str, Any]] = [one for one in made[1] if one["data"]["rule"] == rule]
    return [
        (one["time"][11:19], one["data"]["transition"], one["data"]["severity"]) for one in told
    ]


def test_each_leg_is_told_within_its_limit_and_is_over_when_it_is_back(made: Made) -> None:
    assert events(made, "data_quality") == [
        ("14:10:30", "firing", "warning"),
        ("14:11:20", "updated", "critical"),
        ("14:15:00", "resolved", "critical"),
        ("14:19:00", "firing", "warning"),
        ("14:22:00", "resolved", "warning"),
    ]
    words = [one["data"]["summary"] for one in made[1] if one["data"]["rule"] == "data_quality"]
    assert "the index leg is silent: no quote of SPY options for 40 s" in words[0]
    assert "for 90 s" in words[1]
    assert "sector Utilities is silent: none of its 2 names quoted for 70 s" in words[3]


def test_the_unwind_waits_for_its_legs_and_is_not_resolved(made: Made) -> None:
    told = [kind for _, kind, _ in events(made, "vix_spike_unwind")]
    assert "resolved" not in told
    assert told.count("suspended") == told.count("resumed") == 2


def test_coverage_alone_would_have_said_nothing(made: Made) -> None:
    stopped = [one for one in made[0] if one["legs_silent"]]
    assert min(one["coverage"] for one in stopped) >= 0.90
    assert {leg["name"] for one in stopped for leg in one["legs_silent"]} == {"SPY", "Utilities"}
