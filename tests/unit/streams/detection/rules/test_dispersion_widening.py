"""`dispersion_widening`: its bounds, its words, its exit, and what it says beside others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from streams.detection.history.baseline import Baseline
from streams.detection.history.days import DayFacts
from streams.detection.history.instant import Instant, instant_of
from streams.detection.rule_context import RuleContext
from streams.detection.rules.dispersion_widening import (
    DispersionWidening,
    DispersionWideningNumbers,
)
from streams.detection.rules.rule import Firing
from streams.detection.scope import Scope
from streams.market import Gates
from streams.reading import Reading
from streams.records import NS
from tests.support.readings import FRIDAY, MONDAY, Run, closing, eastern, toy
from tests.support.unwind import of, stay

RULE = DispersionWidening(DispersionWideningNumbers())
START = (0.15, 0.30, 0.10)


def instant(reading: Reading) -> Instant:
    return instant_of(reading, int(reading.ts_event.timestamp()) * NS)


def close(reading: Reading) -> DayFacts:
    now = instant(reading)
    return DayFacts(**{name: getattr(now, name) for name in now.__struct_fields__})


def moved(
    index: float, basket: float, rho: float, start: tuple[float, float, float] = START
) -> RuleContext:
    reading = toy(eastern(MONDAY, "11:00:00"), start[0] + index, start[1] + basket, start[2] + rho)
    return RuleContext(
        reading=reading,
        now=instant(reading),
        gates=Gates(),
        baseline=Baseline((close(closing(FRIDAY, *start)),)),
    )


@pytest.mark.parametrize(
    ("index", "basket", "rho", "start", "holds"),
    [
        (0.0, 0.0201, -0.01, START, True),
        (0.0, 0.0199, -0.01, START, False),
        (0.0099, 0.03, -0.01, START, True),
        (0.0101, 0.03, -0.01, START, False),
        (-0.05, 0.03, -0.01, START, True),
        (0.0, 0.03, 0.0001, START, False),
        (0.0, 0.03, -0.0001, START, True),
        (0.0, 0.0301, -0.01, (0.40, 0.60, 0.30), True),
        (0.0, 0.0299, -0.01, (0.40, 0.60, 0.30), False),
        (0.0199, 0.05, -0.01, (0.40, 0.60, 0.30), True),
        (0.0201, 0.05, -0.01, (0.40, 0.60, 0.30), False),
    ],
)
def test_the_singles_jump_the_index_stands_and_correlation_falls(
    index: float, basket: float, rho: float, start: tuple[float, float, float], *, holds: bool
) -> None:
    verdict = RULE.evaluate(Scope.INTRADAY, moved(index, basket, rho, start))
    assert verdict.enter is holds
    assert verdict.enter == all(one.holds for one in verdict.conditions)
    assert (verdict.distance == 0.0) is holds or not verdict.enter
    assert (verdict.severity, verdict.label) == ("info", "widening" if holds else "")


def test_the_low_of_the_hour_is_tried_too_but_not_by_the_daily_form() -> None:
    found = replace(
        moved(0.012, 0.03, -0.01), low=instant(toy(eastern(MONDAY, "10:30:00"), 0.158, 0.30, 0.1))
    )
    verdict = RULE.evaluate(Scope.INTRADAY, found)
    assert (verdict.enter, verdict.start) == (True, found.low)
    assert not RULE.evaluate(Scope.DAILY, found).enter


def test_what_forbids_to_judge() -> None:
    found = moved(0.0, 0.03, -0.01)
    assert RULE.evaluate(Scope.DAILY, replace(found, baseline=Baseline())).lacking
    lost = toy(eastern(MONDAY, "11:00:00"), 0.15, 0.33, 0.09, implied_correlation=None)
    blind = replace(found, reading=lost, now=instant(lost))
    assert RULE.evaluate(Scope.INTRADAY, blind).blocked == "coverage"
    assert RULE.evaluate(Scope.INTRADAY, replace(found, width_median=0.0001)).blocked == "width"


def test_it_is_over_when_half_is_given_back_or_correlation_is_back() -> None:
    firing = Firing("info", 0.04, close(closing(FRIDAY, *START)))
    for index, basket, rho, over in (
        (0.0, 0.021, -0.01, False),
        (0.0, 0.0199, -0.01, True),
        (0.0, 0.040, 0.001, True),
        (0.03, 0.040, -0.001, False),
    ):
        assert RULE.ended(moved(index, basket, rho), firing) is over


@pytest.mark.parametrize(("index", "words"), [(0.004, "(+0.4)"), (-0.02, "(-2.0)")])
def test_its_words_are_its_numbers(index: float, words: str) -> None:
    found = moved(index, 0.03, -0.02)
    start = found.baseline.close(1)
    assert start is not None
    said = RULE.summary(found, found.change(start), RULE.evaluate(Scope.DAILY, found))
    assert said.startswith("basket vol 30.0 to 33.0 (+3.0) since the close of 2026-07-10")
    assert words in said
    assert "implied correlation 10.0 to 8.0" in said
    assert "unwind" not in said


def test_an_unwind_from_the_close_leaves_no_room_for_a_widening_from_the_low() -> None:
    """Index vol has jumped over night; at noon the singles follow and the index stands."""
    run = Run(cap_unknown=False)
    jumped, follows = (0.24, 0.45, 0.28), (0.24, 0.49, 0.21)
    run.play([closing(FRIDAY, 0.16, 0.40, 0.12), *stay("10:00:00", 300, jumped, step=10)])
    events = run.play(stay("10:05:10", 1200, follows, step=10))
    assert of(events, "dispersion_widening") == []
    fresh = Run(cap_unknown=False)
    events = fresh.play(
        [closing(FRIDAY, 0.24, 0.45, 0.28), *stay("10:00:00", 1200, follows, step=10)]
    )
    assert [kind for kind, _, _ in of(events, "dispersion_widening")] == ["pending", "firing"]
    assert events[-1].time - events[0].time == timedelta(seconds=600)
