"""The second pass: the alerts of one index advance by the verdicts on one reading.

    advanced = advance(book, verdicts, context, policy, origin)

The policy says which verdicts count beside what fires, the lifecycle what becomes of each alert.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from streams.detection.alerts.alert_book import AlertBook
from streams.detection.alerts.alert_event import ConfigurationChange
from streams.detection.alerts.configuration import configuration_changes
from streams.detection.alerts.events import Identity
from streams.detection.alerts.lifecycle import (
    GAP,
    Alert,
    AlertDetail,
    Confidence,
    Transition,
    durations_of,
    end_at_gap,
    end_session,
    follow,
)
from streams.detection.alerts.notification import Notification
from streams.detection.alerts.rising import patient
from streams.detection.evaluator import Evaluated
from streams.detection.gates import rho_out_of_range
from streams.detection.history.instant import Instant
from streams.detection.rule_context import RuleContext
from streams.detection.rules.policy import Policy
from streams.detection.rules.rule import Rule
from streams.detection.rules.verdict import Verdict
from streams.detection.scope import Scope


class Origin(NamedTuple):
    """What an alert remembers of the process and the record behind its latest event."""

    configuration: Mapping[str, str]
    """Hashes of the basket and of the rules."""
    received: int = 0
    """Kafka's time (ms) of the reading; 0 when not known."""


class AlertTransition(NamedTuple):
    """One transition with all that its event tells of the alert."""

    rule: Rule[Any]
    who: Identity
    verdict: Verdict
    transition: Transition
    alert: Alert
    """As it was then."""
    start: Instant | None
    """The instant that its change is taken from; None without one."""
    configuration_changes: tuple[ConfigurationChange, ...]


class Advanced(NamedTuple):
    """What the verdicts on a reading have come to."""

    verdicts: list[Evaluated]
    """Those that count."""
    transitions: list[AlertTransition]
    """In order."""


def advance(
    book: AlertBook,
    verdicts: Sequence[Evaluated],
    context: RuleContext,
    policy: Policy,
    origin: Origin,
) -> Advanced:
    """Advance every alert of the book; rules in the order of their verdicts."""
    advancing = _Advancing(book, context, origin, policy)
    out = Advanced([], [])
    if context.begins_session or context.hours == "after":
        out.transitions.extend(advancing.end_session())
    for rule, scope, verdict in verdicts:
        counts = policy.applied(
            rule.name,
            verdict,
            policy.acting(book.firing_alerts()),
            scope=scope,
            unconcerned=context.is_unconcerned(rule.pair),
        )
        out.verdicts.append(Evaluated(rule, scope, counts))
        out.transitions.extend(advancing.by_verdict(rule, scope, counts))
    return out


class _Advancing(NamedTuple):
    book: AlertBook
    context: RuleContext
    origin: Origin
    policy: Policy

    def end_session(self) -> Iterator[AlertTransition]:
        """Evaluation is over for this session: what is pending ends."""
        for rule, scope in self.book.rules:
            alert = self.book.alerts[rule.name, scope]
            yield from self._noted(rule, scope, Verdict(), end_session(alert, self.context.now.ts))

    def by_verdict(
        self, rule: Rule[Any], scope: Scope, verdict: Verdict
    ) -> Iterator[AlertTransition]:
        """What a verdict does to its alert."""
        key, ts = (rule.name, scope), self.context.now.ts
        alert = self.book.alerts[key]
        if verdict.beyond_history:
            yield from self._noted(rule, scope, verdict, end_at_gap(alert, ts))
        durations = durations_of(rule.numbers, self.context.reading.refresh_seconds, scope.form)
        if alert.detail.label in self.policy.quiet_labels:
            verdict = patient(alert, ts, verdict, durations)
        detail = _detail(rule, self.context, verdict) if verdict.enter else alert.detail
        transitions = follow(alert, ts, verdict, detail, durations)
        if alert.status != "inactive":
            self.book.touch(key)
        yield from self._noted(rule, scope, verdict, transitions)
        if verdict.over and alert.status == "inactive" and transitions:
            # What holds beyond the end of one story is another one. It has been told of, so nothing
            # that fires keeps it from starting.
            again = follow(alert, ts, replace(verdict, inhibited=False), detail, durations)
            yield from self._noted(rule, scope, verdict, again)

    def _noted(
        self, rule: Rule[Any], scope: Scope, verdict: Verdict, transitions: list[Transition]
    ) -> Iterator[AlertTransition]:
        for transition in transitions:
            yield self._note(rule, scope, verdict, transition)

    def _note(
        self, rule: Rule[Any], scope: Scope, verdict: Verdict, transition: Transition
    ) -> AlertTransition:
        """Note a transition in the book, and keep the reference of an alert that fires."""
        key, book = (rule.name, scope), self.book
        alert = book.alerts[key]
        reference = None if transition.reason == GAP else book.reference(key)
        if transition.kind in {"pending", "firing", "updated"} or reference is None:
            reference = verdict.start if verdict.enter else None
        if transition.kind == "firing" and verdict.start is not None:
            book.set_reference(key, verdict.start)
            alert.peak = verdict.move or 0.0
        if transition.previous == "inactive":
            alert.received = self.origin.received
            alert.configuration = {}
        changes = configuration_changes(alert.configuration, self.origin.configuration)
        alert.configuration = dict(self.origin.configuration)
        alert.sequence += 1
        then = msgspec.structs.replace(alert)
        if transition.status == "resolved":
            book.clear_reference(key)
            alert.notification = Notification()
        book.touch(key)
        return AlertTransition(
            rule, book.identity(key), verdict, transition, then, reference, changes
        )


def _detail(rule: Rule[Any], context: RuleContext, verdict: Verdict) -> AlertDetail:
    """Doubt comes from unknown conditions, a stand-in pair and an incredible correlation.

    There is never doubt about the doubt itself.
    """
    doubtful = (
        bool(verdict.unknown) or context.now.basis == "atm" or rho_out_of_range(context.reading)
    )
    confidence: Confidence = "low" if doubtful and not rule.about_data else "high"
    return AlertDetail(verdict.label, verdict.direction, confidence, verdict.legs)
