"""The conditions of `vix_spike_unwind` and `broad_repricing`, one reading at a time."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from streams.detection.history.baseline import Baseline
from streams.detection.history.days import DayFacts
from streams.detection.history.instant import Instant, instant_of
from streams.detection.rule_context import RuleContext
from streams.detection.rules.broad_repricing import BroadRepricing, BroadRepricingNumbers
from streams.detection.rules.rule import Firing
from streams.detection.rules.verdict import Verdict
from streams.detection.rules.vix_spike_unwind import RANK, VixSpikeUnwind, VixSpikeUnwindNumbers
from streams.detection.scope import Scope
from streams.market import Gates
from streams.reading import Reading
from streams.records import NS
from tests.support.readings import FRIDAY, MONDAY, closing, eastern, toy

FREE = VixSpikeUnwind(VixSpikeUnwindNumbers(), cap_unknown=False)
CAPPED = VixSpikeUnwind(VixSpikeUnwindNumbers(), cap_unknown=True)
REPRICING = BroadRepricing(BroadRepricingNumbers())


def instant(reading: Reading) -> Instant:
    return instant_of(reading, int(reading.ts_event.timestamp()) * NS)


def close(reading: Reading) -> DayFacts:
    now = instant(reading)
    return DayFacts(**{name: getattr(now, name) for name in now.__struct_fields__})


def context(
    before: tuple[float, float, float],
    after: tuple[float, float, float],
    low: Reading | None = None,
    **fields: Any,
) -> RuleContext:
    reading = toy(eastern(MONDAY, "11:00:00"), *after, **fields)
    return RuleContext(
        reading=reading,
        now=instant(reading),
        gates=Gates(),
        baseline=Baseline((close(closing(FRIDAY, *before)),)),
        low=None if low is None else instant(low),
    )


def with_share(
    share: float, rise: float = 1.30, rho: float = 0.10, start: float = 0.20, basket: float = 0.40
) -> RuleContext:
    """Index vol times `rise`, the given correlation share and rise of implied correlation."""
    return context(
        (start, basket, 0.30),
        (start * rise, basket * math.exp((1 - share) * math.log(rise)), 0.30 + rho),
    )


def pages(verdict: Verdict) -> bool:
    """Whether it is more than the early tier."""
    return verdict.enter and verdict.severity != "info"


@pytest.mark.parametrize(
    ("before", "after", "holds"),
    [
        ((0.10, 0.40, 0.10), (0.131, 0.40, 0.16), True),
        ((0.10, 0.40, 0.10), (0.129, 0.40, 0.16), False),
        ((0.40, 0.60, 0.30), (0.461, 0.61, 0.36), True),
        ((0.40, 0.60, 0.30), (0.455, 0.61, 0.36), False),
    ],
)
def test_the_move_is_at_least_three_points_and_fifteen_percent(
    before: tuple[float, float, float], after: tuple[float, float, float], *, holds: bool
) -> None:
    assert pages(FREE.evaluate(Scope.INTRADAY, context(before, after))) is holds


@pytest.mark.parametrize(("rho", "holds"), [(0.0499, False), (0.0501, True)])
def test_correlation_has_to_rise(rho: float, *, holds: bool) -> None:
    assert pages(FREE.evaluate(Scope.INTRADAY, with_share(0.7, rho=rho))) is holds


@pytest.mark.parametrize(
    ("share", "rho", "basket", "label"),
    [
        (0.61, 0.06, 0.40, "unwind"),
        (0.59, 0.06, 0.40, "mixed"),
        (0.41, 0.06, 0.40, "mixed"),
        (0.39, 0.06, 0.40, ""),
        (0.39, 0.21, 0.40, "unwind"),
        (-0.2, 0.19, 0.40, ""),
        (0.50, 0.06, 0.26, "unwind"),
    ],
)
def test_the_bands_of_the_share(share: float, rho: float, basket: float, label: str) -> None:
    verdict = FREE.evaluate(Scope.INTRADAY, with_share(share, rho=rho, basket=basket))
    assert (verdict.label, verdict.enter) == (label, bool(label))


@pytest.mark.parametrize(
    ("share", "rise", "rho", "severity"),
    [
        (0.7, 1.20, 0.06, "warning"),
        (0.7, 1.31, 0.06, "critical"),
        (0.7, 1.20, 0.11, "critical"),
        (0.5, 1.50, 0.09, "warning"),
        (0.5, 1.50, 0.11, "critical"),
    ],
)
def test_severity(share: float, rise: float, rho: float, severity: str) -> None:
    verdict = FREE.evaluate(Scope.INTRADAY, with_share(share, rise, rho))
    assert (verdict.enter, verdict.severity) == (True, severity)


@pytest.mark.parametrize(
    ("index", "rho", "share", "said"),
    [
        (0.0206, 0.031, 0.9, "early"),
        (0.0199, 0.031, 0.9, ""),
        (0.0206, 0.029, 0.9, ""),
        (0.0206, 0.031, 0.41, "early"),
        (0.0206, 0.031, 0.39, ""),
        (0.0299, 0.09, 0.9, "early"),
        (0.0299, 0.101, 0.9, "unwind"),
        (0.0306, 0.051, 0.9, "unwind"),
    ],
)
def test_the_early_tier(index: float, rho: float, share: float, said: str) -> None:
    """From 15 points: 12 % are 1.8, so two points decide."""
    judged = with_share(share, 1 + index / 0.15, rho, start=0.15)
    verdict = FREE.evaluate(Scope.INTRADAY, judged)
    assert (verdict.label, verdict.enter) == (said, bool(said))
    assert (verdict.severity == "info") is (said in {"", "early"})
    if said == "early":
        assert verdict.distance, "how far the warning is"
        start = judged.baseline.close(1)
        assert start is not None
        assert "Early sign" in FREE.summary(judged, judged.change(start), verdict)


def test_the_early_tier_needs_its_share_of_where_it_started() -> None:
    for rise, early in ((1.119, False), (1.122, True)):
        verdict = FREE.evaluate(Scope.INTRADAY, with_share(0.9, rise, 0.04, start=0.30))
        assert (verdict.label == "early") is early


def test_the_early_tier_is_silent_once_the_alert_is_a_warning() -> None:
    judged = with_share(0.9, 1.14, 0.04)
    start = judged.baseline.close(1)
    for severity, early in (("info", True), ("warning", False), ("critical", False)):
        firing = Firing(severity, 0.03, start)  # type: ignore[arg-type]
        assert FREE.evaluate(Scope.INTRADAY, judged, firing).enter is early


def test_the_early_rank_is_lower() -> None:
    judged = replace(with_share(0.9, 1.14, 0.04), baseline=history(0.03))
    rank = CAPPED.evaluate(Scope.DAILY, judged)
    assert (rank.label, rank.severity, rank.values[RANK]) == ("early", "info", 1.0)
    usual = replace(judged, baseline=history(0.05))
    assert not CAPPED.evaluate(Scope.DAILY, usual).enter


def grinding(index: float, rho: float, basket: float = 0.40) -> RuleContext:
    """Five closes at an index vol of 20, then this one."""
    judged = context((0.20, 0.40, 0.30), (0.20 + index, basket, 0.30 + rho))
    day = judged.baseline.closes[0]
    past = tuple(msgspec.structs.replace(day, ts=day.ts - at * NS) for at in range(5, 0, -1))
    return replace(judged, baseline=Baseline(past))


@pytest.mark.parametrize(
    ("index", "rho", "basket", "severity"),
    [
        (0.0506, 0.081, 0.40, "warning"),
        (0.0499, 0.081, 0.40, ""),
        (0.0506, 0.079, 0.40, ""),
        (0.0506, 0.101, 0.40, "critical"),
        (0.0506, 0.081, 0.47, ""),
    ],
)
def test_a_grind_over_five_sessions(index: float, rho: float, basket: float, severity: str) -> None:
    for scope in (Scope.INTRADAY_5S, Scope.DAILY_5S):
        judged = grinding(index, rho, basket)
        verdict = FREE.evaluate(scope, judged)
        assert (verdict.severity if verdict.enter else "") == severity
        assert verdict.start is judged.baseline.closes[0]
        assert (verdict.label == "grind") is bool(severity)


def test_a_session_that_reprices_is_no_grind() -> None:
    """Five sessions of correlation, and a last one on which everything jumps."""
    judged = grinding(0.12, 0.15, 0.41)
    first = judged.baseline.closes[0]
    last = close(closing(FRIDAY, 0.25, 0.31, 0.44))
    past = replace(judged, baseline=Baseline((first, first, first, first, last)))
    assert BroadRepricing(BroadRepricingNumbers()).evaluate(Scope.DAILY, past).enter
    assert not FREE.evaluate(Scope.DAILY_5S, past).enter
    assert FREE.evaluate(Scope.DAILY_5S, judged).enter


def test_a_grind_needs_five_closes_and_bids() -> None:
    judged = grinding(0.06, 0.09)
    assert FREE.evaluate(Scope.DAILY_5S, replace(judged, baseline=Baseline())).lacking
    bids = msgspec.structs.replace(judged.reading, index_vol_bid=0.249)
    assert FREE.evaluate(Scope.INTRADAY_5S, replace(judged, reading=bids)).blocked == "width"


def test_an_unknown_rank_caps_severity_unless_it_may_not() -> None:
    free, capped = (
        FREE.evaluate(Scope.INTRADAY, with_share(0.7)),
        CAPPED.evaluate(Scope.INTRADAY, with_share(0.7)),
    )
    assert (free.severity, free.unknown) == ("critical", (RANK,))
    assert (capped.severity, capped.unknown) == ("warning", (RANK,))


def history(step: float) -> Baseline:
    """61 closes whose implied correlation alternates by `step`, the last one Friday's."""
    before = closing(FRIDAY, 0.20, 0.40, 0.30)
    facts = [close(before)]
    for back in range(1, 61):
        day = FRIDAY - timedelta(days=back)
        values = {name: getattr(facts[0], name) for name in facts[0].__struct_fields__}
        facts.insert(
            0,
            DayFacts(
                **(
                    values
                    | {"session": day, "ts": back, "implied_correlation": 0.30 + step * (back % 2)}
                )
            ),
        )
    return Baseline(tuple(facts))


def ranked(step: float) -> Verdict:
    return CAPPED.evaluate(Scope.DAILY, replace(with_share(0.7), baseline=history(step)))


def test_a_known_rank_decides_and_lifts_the_cap() -> None:
    rare, common = ranked(0.02), ranked(0.12)
    assert (rare.enter, rare.severity, rare.unknown, rare.values[RANK]) == (
        True,
        "critical",
        (),
        1.0,
    )
    assert not common.enter, "a rise of ten points is nothing here"


def test_the_low_of_the_hour_is_tried_too_but_not_by_the_daily_form() -> None:
    low = toy(eastern(MONDAY, "10:30:00"), 0.16, 0.40, 0.20)
    found = context((0.20, 0.40, 0.30), (0.215, 0.41, 0.32), low)
    verdict = FREE.evaluate(Scope.INTRADAY, found)
    assert verdict.enter
    assert verdict.start == found.low
    assert not FREE.evaluate(Scope.DAILY, found).enter


def test_the_move_has_to_be_there_on_bids() -> None:
    after = (0.26, 0.42, 0.42)
    assert FREE.evaluate(
        Scope.INTRADAY, context((0.20, 0.40, 0.30), after, index_vol_bid=0.231)
    ).enter
    assert (
        FREE.evaluate(
            Scope.INTRADAY, context((0.20, 0.40, 0.30), after, index_vol_bid=0.229)
        ).blocked
        == "width"
    )
    assert (
        FREE.evaluate(
            Scope.INTRADAY, context((0.20, 0.40, 0.30), after, index_vol_bid=None)
        ).blocked
        == "width"
    )
    calm = context((0.20, 0.40, 0.30), (0.21, 0.40, 0.30), index_vol_bid=0.05)
    assert not FREE.evaluate(Scope.INTRADAY, calm).blocked, (
        "the gate is tested only where the move holds on mids"
    )


def test_a_source_without_bids_has_no_width_gate() -> None:
    before = toy(
        eastern(FRIDAY, "16:15:00"), 0.2, 0.40, 0.20, basis="atm", index_vol=None, basket_vol=None
    )
    reading = toy(
        eastern(MONDAY, "11:00:00"),
        0.2,
        0.42,
        0.45,
        basis="atm",
        index_vol=None,
        basket_vol=None,
        index_vol_bid=None,
    )
    found = RuleContext(
        reading=reading, now=instant(reading), gates=Gates(), baseline=Baseline((close(before),))
    )
    assert FREE.evaluate(Scope.INTRADAY, found).enter


def test_missing_correlation_is_lost_data_and_a_missing_close_lacks_history() -> None:
    assert (
        FREE.evaluate(
            Scope.INTRADAY, context((0.2, 0.4, 0.3), (0.26, 0.42, 0.42), implied_correlation=None)
        ).blocked
        == "coverage"
    )
    empty = replace(context((0.2, 0.4, 0.3), (0.26, 0.42, 0.42)), baseline=Baseline())
    assert FREE.evaluate(Scope.INTRADAY, empty).lacking


def test_the_exit_is_half_of_the_greatest_move_or_correlation_back_below_its_start() -> None:
    firing = Firing("warning", 0.10, close(closing(FRIDAY, 0.20, 0.40, 0.30)))
    for after, expected in (
        ((0.26, 0.42, 0.40), False),
        ((0.25, 0.42, 0.40), True),
        ((0.29, 0.42, 0.299), True),
    ):
        assert FREE.ended(context((0.20, 0.40, 0.30), after), firing) is expected
    assert (
        FREE.ended(context((0.20, 0.40, 0.30), (0.26, 0.42, 0.4), basket_vol=None), firing) is None
    )


@pytest.mark.parametrize(
    ("share", "rise", "rho", "severity"),
    [
        (0.39, 1.20, 0.0, "warning"),
        (0.39, 1.31, 0.0, "critical"),
        (0.41, 1.31, 0.0, ""),
        (0.39, 1.20, 0.099, "warning"),
        (0.39, 1.20, 0.101, "critical"),
        (0.39, 1.31, 0.2001, ""),
        (0.39, 1.1, 0.0, ""),
    ],
)
def test_repricing(share: float, rise: float, rho: float, severity: str) -> None:
    verdict = REPRICING.evaluate(Scope.INTRADAY, with_share(share, rise, rho))
    assert (verdict.severity if verdict.enter else "") == severity


def test_the_distance_falls_as_the_conditions_near() -> None:
    steps = [
        with_share(0.9, rise, rho)
        for rise, rho in ((1.0, 0.0), (1.06, 0.02), (1.12, 0.04), (1.2, 0.06))
    ]
    found = [FREE.evaluate(Scope.INTRADAY, step).distance for step in steps]
    assert found == sorted((value for value in found if value is not None), reverse=True)
    assert (found[0], found[-1]) == (1.0, 0.0)


def test_words_say_what_it_is() -> None:
    unwind, repricing = with_share(0.7), with_share(0.2)
    start = unwind.baseline.close(1)
    assert start is not None
    said = FREE.summary(unwind, unwind.change(start), Verdict(label="unwind"))
    assert said.startswith(
        "index vol 20.0 to 26.0 (+6.0) since the close of 2026-07-10; "
        "implied correlation 30.0 to 40.0, 70% of"
    )
    assert "not a dispersion unwind" in REPRICING.summary(
        repricing, repricing.change(start), Verdict()
    )


@pytest.mark.parametrize("share", [-0.2, 0.4, 0.5, 0.7, 1.1])
@pytest.mark.parametrize("rise", [1.0, 1.02, 1.14, 1.3])
@pytest.mark.parametrize("rho", [-0.02, 0.04, 0.06, 0.21])
def test_a_verdict_is_what_its_conditions_say(share: float, rise: float, rho: float) -> None:
    judged = with_share(share, rise, rho)
    for rule in (FREE, REPRICING):
        verdict = rule.evaluate(Scope.INTRADAY, judged)
        assert verdict.enter == all(
            one.holds or one.name in verdict.unknown for one in verdict.conditions
        )
        assert verdict.start is judged.baseline.closes[0], (
            "what the numbers are changes from is told, quiet or not"
        )
        if not verdict.enter:
            assert verdict.distance is not None
            assert verdict.distance > 0.0 or any(
                one.value == one.enter for one in verdict.conditions
            )


def test_a_rank_without_history_is_an_unknown_condition() -> None:
    (rank,) = (
        one for one in FREE.evaluate(Scope.INTRADAY, with_share(0.7)).conditions if one.name == RANK
    )
    assert (rank.value, rank.holds, rank.distance) == (None, None, 1.0)


def test_a_rise_that_needs_no_share_stands_for_the_share() -> None:
    verdict = FREE.evaluate(Scope.INTRADAY, with_share(0.3, rho=0.21))
    assert verdict.enter
    assert [one.name for one in verdict.conditions].count("implied_correlation_change") == 2
    assert "correlation_share" not in {one.name for one in verdict.conditions}


def test_a_rise_is_ranked_among_those_of_the_same_part_of_the_session() -> None:
    """Rises of twelve points are usual near the close and unheard of at midday."""
    low = toy(eastern(MONDAY, "10:30:00"), 0.16, 0.40, 0.20)
    found = context((0.20, 0.40, 0.30), (0.215, 0.41, 0.32), low)
    day = close(closing(FRIDAY, 0.20, 0.40, 0.30))
    rises = {"middle": 0.01, "closing": 0.20}
    past = Baseline((msgspec.structs.replace(day, correlation_rises=rises),) * 60)
    found = replace(found, baseline=past)
    verdict = FREE.evaluate(Scope.INTRADAY, found)
    assert (verdict.enter, verdict.values[RANK], verdict.unknown) == (True, 1.0, ())
    assert not FREE.evaluate(Scope.INTRADAY, replace(found, part="closing")).enter
    assert FREE.evaluate(Scope.INTRADAY, replace(found, part="opening")).unknown == (RANK,)
