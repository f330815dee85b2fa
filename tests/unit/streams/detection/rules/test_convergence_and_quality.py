"""The conditions of `vol_convergence` and `data_quality`."""

from typing import Any, Literal

import pytest

from streams.detection.history.baseline import Baseline
from streams.detection.history.days import DayFacts
from streams.detection.history.instant import instant_of
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import POLICY
from streams.detection.rules.data_quality import DataQuality, DataQualityNumbers
from streams.detection.rules.rule import Firing
from streams.detection.rules.verdict import Verdict
from streams.detection.rules.vol_convergence import VolConvergence, VolConvergenceNumbers
from streams.detection.scope import Scope
from streams.market import Gates
from streams.reading import SilentLeg
from streams.records import NS
from tests.support.readings import FRIDAY, MONDAY, eastern, published, toy

RULE = VolConvergence(VolConvergenceNumbers())
QUALITY = DataQuality(DataQualityNumbers())


def verdict(
    before: tuple[float, float],
    after: tuple[float, float],
    scope: Scope = Scope.DAILY_1S,
) -> Verdict:
    """Levels are (VIX, VIXEQ) in points; a window of five sessions starts at the same levels."""
    start = published(FRIDAY, *before, 30.0, 10.0)
    facts = DayFacts(
        ts=1,
        session=FRIDAY,
        basis="published",
        index_vol=start.index_vol,
        basket_vol=start.basket_vol,
    )
    reading = published(MONDAY, *after, 30.0, 20.0)
    now = instant_of(reading, 2)
    return RULE.evaluate(
        scope,
        RuleContext(
            reading=reading,
            now=now,
            gates=Gates(),
            baseline=Baseline((facts,) * 5),
            elapsed=0.25,
        ),
    )


@pytest.mark.parametrize(
    ("scope", "sessions", "spread", "needed"),
    [
        ("1s", 1.0, 0.0857, 0.01095),
        ("5s", 5.0, 0.1893, 0.0244846),
        ("1s", 1.0, 0.1180, 0.0118),
        ("quarter", 0.25, 0.05, 0.005475),
    ],
)
def test_the_fall_that_is_needed(scope: str, sessions: float, spread: float, needed: float) -> None:
    assert RULE.needed(spread, sessions) == pytest.approx(needed, abs=1e-6), scope


def test_the_intraday_form_scales_the_noise_to_the_time_that_has_passed() -> None:
    before, after = (15.0, 20.0), (15.6, 20.0)
    assert verdict(before, after, Scope.INTRADAY_1S).values[
        "vol_spread_fall_needed"
    ] == pytest.approx(0.005475)
    assert not verdict(before, after, Scope.DAILY_1S).enter
    assert not verdict(before, after, Scope.INTRADAY_5S).enter


@pytest.mark.parametrize(
    ("after", "direction", "severity"),
    [
        ((18.0, 41.0), "adverse", "warning"),
        ((15.0, 36.0), "benign", "info"),
        ((17.0, 38.0), "mixed", "info"),
    ],
)
def test_the_direction_says_who_moved(
    after: tuple[float, float], direction: str, severity: str
) -> None:
    found = verdict((15.0, 40.0), after)
    if after == (18.0, 41.0):
        assert not found.enter, "two points of twenty-five are not enough"
        found = verdict((15.0, 40.0), (19.0, 41.0))
    assert (found.direction, found.severity) == (direction, severity)


def test_an_adverse_convergence_with_an_unwind_is_critical() -> None:
    found = verdict((15.0, 40.0), (19.0, 41.0))
    applied = [
        POLICY.applied(RULE.name, found, firing).severity
        for firing in (set(), {"vix_spike_unwind"}, {"broad_repricing"})
    ]
    assert applied == ["warning", "critical", "warning"]
    bleeds = verdict((15.0, 40.0), (15.0, 36.0))
    assert POLICY.applied(RULE.name, bleeds, {"vix_spike_unwind"}).severity == "info"


def test_quotes_too_wide_for_the_day_suspend() -> None:
    facts = DayFacts(ts=1, session=FRIDAY, basis="quotes", index_vol=0.15, basket_vol=0.40)
    for width, blocked in ((0.0074, ""), (0.0076, "width")):
        reading = toy(
            eastern(MONDAY, "11:00:00"), 0.15, 0.40, 0.1, quality_width=width, constituents=None
        )
        found = RuleContext(
            reading=reading,
            now=instant_of(reading, NS),
            gates=Gates(),
            baseline=Baseline((facts,)),
            width_median=0.01,
        )
        assert RULE.evaluate(Scope.INTRADAY_1S, found).blocked == blocked


def test_without_five_closes_the_long_window_lacks_history() -> None:
    reading = published(MONDAY, 15.0, 40.0, 30.0, 10.0)
    found = RuleContext(reading=reading, now=instant_of(reading, 2), gates=Gates())
    assert RULE.evaluate(Scope.DAILY_5S, found).lacking


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({}, ""),
        ({"coverage": 0.89}, "warning"),
        ({"coverage": 0.69}, "critical"),
        ({"coverage_names": 0.49}, "warning"),
        ({"coverage_atm": 0.89, "coverage_atm_names": 1.0}, "warning"),
        ({"coverage_atm": 0.69, "coverage_atm_names": 1.0}, "critical"),
        ({"coverage_atm": 0.95, "coverage_atm_names": 0.49}, "warning"),
        ({"coverage_atm": 0.95, "coverage_atm_names": 0.60}, ""),
        ({"implied_correlation": 1.31}, "warning"),
        ({"implied_correlation": -0.11}, "warning"),
        ({"implied_correlation": 1.23}, ""),
    ],
)
def test_data_quality(fields: dict[str, Any], severity: str) -> None:
    reading = toy(eastern(MONDAY, "11:00:00"), 0.15, 0.40, 0.1, **fields)
    context = RuleContext(reading=reading, now=instant_of(reading, NS), gates=Gates())
    found = QUALITY.evaluate(Scope.INTRADAY, context)
    assert (found.severity if found.enter else "") == severity
    assert QUALITY.ended(context, Firing()) is not found.enter
    assert found.any_of
    assert found.enter is any(one.holds for one in found.conditions), "one broken limit is enough"


def leg(
    name: str = "Utilities", age: float = 61.0, limit: float = 60.0, reason: str = "stale"
) -> SilentLeg:
    kind: Literal["index", "sector"] = "index" if name == "SPX" else "sector"
    return SilentLeg(
        leg=kind, name=name, names=2, age_seconds=age, limit_seconds=limit, reason=reason
    )


@pytest.mark.parametrize(
    ("legs", "severity", "words"),
    [
        ((leg("SPX", 31.0, 30.0),), "warning", "no quote of SPX options for 31 s"),
        ((leg("SPX", 89.9, 30.0),), "warning", "the index leg is silent"),
        ((leg("SPX", 90.0, 30.0),), "critical", "for 90 s"),
        ((leg("SPX", 239.0, 180.0),), "warning", "for 239 s"),
        ((leg("SPX", 240.0, 180.0),), "critical", "for 240 s"),
        (
            (leg("SPX", 40.0, 30.0, "near:gap"),),
            "warning",
            "options of SPX give no vol for 40 s (near:gap)",
        ),
        ((leg(age=4000.0),), "warning", "sector Utilities is silent: none of its 2 names"),
        ((leg("SPX", 31.0, 30.0), leg("Energy")), "warning", "and sector Energy is silent"),
    ],
)
def test_a_silent_leg_is_doubt_about_the_data(
    legs: tuple[SilentLeg, ...], severity: str, words: str
) -> None:
    reading = toy(eastern(MONDAY, "11:00:00"), 0.15, 0.40, 0.1, legs_silent=legs)
    context = RuleContext(
        reading=reading, now=instant_of(reading, NS), gates=Gates(), atm_settled=True
    )
    found = QUALITY.evaluate(Scope.INTRADAY, context)
    assert (found.enter, found.proven, found.severity) == (True, True, severity)
    assert words in QUALITY.summary(context, None, found)
    assert QUALITY.ended(context, Firing()) is False
    assert not context.is_unconcerned("atm"), "correlation has lost a leg too"


def test_data_quality_nears_as_coverage_falls() -> None:
    distances = []
    for coverage in (1.0, 0.95, 0.90):
        reading = toy(eastern(MONDAY, "11:00:00"), 0.15, 0.40, 0.6, coverage=coverage)
        context = RuleContext(reading=reading, now=instant_of(reading, NS), gates=Gates())
        distances.append(QUALITY.evaluate(Scope.INTRADAY, context).distance)
    assert distances == pytest.approx([1.0, 0.5, 0.0])
