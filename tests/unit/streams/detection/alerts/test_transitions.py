"""The second pass: what the verdicts on one reading do to the alerts of an index."""

from dataclasses import replace
from typing import Any

import pytest

from streams.detection.alerts.alert_book import AlertBook
from streams.detection.alerts.alert_event import AlertData, decode_event
from streams.detection.alerts.description import describe
from streams.detection.alerts.transitions import Origin, advance
from streams.detection.evaluator import Evaluated
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import POLICY, RuleSet, catalogue
from streams.detection.rules.rule import Rule
from streams.detection.rules.verdict import Verdict
from streams.detection.scope import Scope
from streams.market import Gates
from tests.support.past_closes import baseline, context
from tests.support.readings import MONDAY, TUESDAY

RULES = catalogue(RuleSet(), Gates())
QUALITY, UNWIND, REPRICING, CONVERGENCE, *_, ROTATION = RULES
PAST = baseline([(15.0, 40.0, 35.0, 20.0)] * 70)
FIRST, SECOND = (context(PAST, (15.0, 40.0, 35.0, 20.0), day) for day in (MONDAY, TUESDAY))
HOLDS = Verdict(enter=True, severity="warning", start=PAST.close(1))


@pytest.fixture
def book() -> AlertBook:
    return AlertBook("SPX", "30d", RULES)


def events(book: AlertBook, found: RuleContext, *verdicts: Evaluated) -> list[AlertData]:
    advanced = advance(book, verdicts, found, POLICY, Origin({}))
    return [decode_event(one.entry.value).data for one in describe(advanced.transitions, found)]


def test_an_alert_that_ends_at_a_gap_keeps_its_own_times_though_another_begins(
    book: AlertBook,
) -> None:
    (first,) = events(book, FIRST, Evaluated(UNWIND, Scope.DAILY, HOLDS))
    beyond = replace(HOLDS, beyond_history=True)
    over, again = events(book, SECOND, Evaluated(UNWIND, Scope.DAILY, beyond))
    assert (first.transition, first.starts_at) == ("firing", FIRST.reading.ts_event)
    assert (over.transition, over.reason) == ("resolved", "gap")
    assert (over.starts_at, over.ends_at) == (first.starts_at, SECOND.reading.ts_event)
    assert (again.transition, again.starts_at) == ("firing", SECOND.reading.ts_event)


def test_what_fires_at_a_reading_acts_on_the_rules_after_it(book: AlertBook) -> None:
    unwind = Evaluated(UNWIND, Scope.DAILY, HOLDS)
    converges = Evaluated(CONVERGENCE, Scope.DAILY_1S, HOLDS)
    assert [one.rule for one in events(book, FIRST, unwind, converges)] == ["vix_spike_unwind"]
    advanced = advance(book, [unwind, converges], SECOND, POLICY, Origin({}))
    assert [one.verdict.outcome for one in advanced.verdicts] == ["holds", "inhibited"]


def test_an_escalated_verdict_counts_beside_what_escalates_it(book: AlertBook) -> None:
    adverse = replace(HOLDS, escalated=replace(HOLDS, severity="critical"))
    converges = Evaluated(CONVERGENCE, Scope.DAILY_1S, adverse)
    assert [one.severity for one in events(book, FIRST, converges)] == ["warning"]
    unwind = Evaluated(UNWIND, Scope.DAILY, HOLDS)
    told = events(book, SECOND, unwind, converges)
    assert [(one.rule, one.severity, one.reason) for one in told] == [
        ("vix_spike_unwind", "warning", ""),
        ("vol_convergence", "critical", "escalated"),
    ]


def test_doubt_about_the_data_suspends_every_rule_on_the_market(book: AlertBook) -> None:
    scope = Scope.INTRADAY
    for rule in (QUALITY, UNWIND):
        book.alerts[rule.name, scope].status = "firing"
    asked = [Evaluated(rule, scope, HOLDS) for rule in RULES if scope in rule.scopes]
    advanced = advance(book, asked, FIRST, POLICY, Origin({}))
    assert {one.verdict.blocked for one in advanced.verdicts[1:]} == {"data_quality"}
    assert not advanced.verdicts[0].verdict.blocked
    kinds = {one.rule.name: one.transition.kind for one in advanced.transitions}
    assert kinds == {"data_quality": "updated", "vix_spike_unwind": "suspended"}


def test_a_gate_of_the_reading_is_named_before_doubt_about_the_data(book: AlertBook) -> None:
    book.alerts[QUALITY.name, Scope.INTRADAY].status = "firing"
    gated = Evaluated(ROTATION, Scope.INTRADAY, Verdict(blocked="range", asked=False))
    held = Evaluated(REPRICING, Scope.INTRADAY, Verdict(held=True, asked=False))
    advanced = advance(book, [gated, held], FIRST, POLICY, Origin({}))
    assert [one.verdict.blocked for one in advanced.verdicts] == ["range", "data_quality"]


FELL = replace(HOLDS, label="convergence", direction="adverse")
AGED = replace(FELL, over="aged")


def test_what_goes_on_beyond_its_age_is_told_as_another_one(book: AlertBook) -> None:
    (first,) = events(book, FIRST, Evaluated(CONVERGENCE, Scope.DAILY_1S, FELL))
    over, again = events(book, SECOND, Evaluated(CONVERGENCE, Scope.DAILY_1S, AGED))
    assert (over.transition, over.reason, over.starts_at) == ("resolved", "aged", first.starts_at)
    assert (again.transition, again.starts_at) == ("firing", SECOND.reading.ts_event)
    assert (again.direction, again.severity) == ("adverse", "warning")


@pytest.mark.parametrize("beside", [UNWIND, REPRICING], ids=lambda rule: rule.name)
def test_what_fires_beside_it_does_not_keep_a_follower_from_starting(
    book: AlertBook, beside: Rule[Any]
) -> None:
    events(book, FIRST, Evaluated(CONVERGENCE, Scope.DAILY_1S, FELL))
    other = Evaluated(beside, Scope.DAILY, HOLDS)
    converges = Evaluated(CONVERGENCE, Scope.DAILY_1S, AGED)
    told = events(book, SECOND, other, converges)
    assert [(one.rule, one.transition) for one in told] == [
        (beside.name, "firing"),
        ("vol_convergence", "resolved"),
        ("vol_convergence", "firing"),
    ]


def test_one_that_begins_beside_an_unwind_follows_nothing(book: AlertBook) -> None:
    other = Evaluated(UNWIND, Scope.DAILY, HOLDS)
    told = events(book, SECOND, other, Evaluated(CONVERGENCE, Scope.DAILY_1S, AGED))
    assert [one.rule for one in told] == ["vix_spike_unwind"]


def test_one_that_is_over_and_holds_no_more_has_no_follower(book: AlertBook) -> None:
    events(book, FIRST, Evaluated(CONVERGENCE, Scope.DAILY_1S, FELL))
    ended = Evaluated(CONVERGENCE, Scope.DAILY_1S, replace(AGED, enter=False))
    assert [one.transition for one in events(book, SECOND, ended)] == ["resolved"]
