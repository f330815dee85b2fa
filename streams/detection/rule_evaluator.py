"""The evaluator: every rule, in every scope of one form, on one reading.

Alerts move and events are written.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from streams.catalogue.counters import ALERT_EVENTS
from streams.detection.alert_book import AlertBook, Key
from streams.detection.configuration import configuration_changes
from streams.detection.events import EventOrigin, outbox_entry
from streams.detection.evidence import evidence
from streams.detection.gates import rho_out_of_range
from streams.detection.lifecycle import (
    GAP,
    Alert,
    AlertDetail,
    Transition,
    advance,
    durations_of,
    end_at_gap,
    end_session,
    hold,
    suspend,
)
from streams.detection.notification import Notification
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import INHIBITED_BY, SUSPENDS_ALL
from streams.detection.rules.rule import Rule, RuleOutcome, Verdict
from streams.stage import Count, OutboxEntry


class RuleResult(NamedTuple):
    """What one rule made of the latest reading, in one scope."""

    verdict: Verdict
    gate: str
    """The gate that kept the rule from being asked; empty when it was."""
    held: bool
    """The spike gate holds the value back."""


@dataclass(slots=True)
class RuleEvaluator:
    """The rules over the alert book of one index.

    What the latest reading has brought stands in the fields after the book.
    """

    rules: Sequence[Rule]
    book: AlertBook
    events: list[OutboxEntry] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    """Gates that are closed."""
    distances: dict[str, float] = field(default_factory=dict)
    """Of the rules that could be evaluated, 0 for those that fire."""
    outcomes: dict[str, RuleOutcome] = field(default_factory=dict)
    """By rule, at a closing reading; else empty."""
    results: dict[Key, RuleResult] = field(default_factory=dict)
    """By rule and scope; the forms that the reading is not for are absent."""
    counts: Counter[Count] = field(default_factory=Counter)
    """Until the caller clears them."""
    received: int = 0
    """Kafka's time (ms) of the latest reading."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the basket and of the rules."""

    def begin(self) -> None:
        """A new reading."""
        self.events = []
        self.failing = set()
        self.distances = {}
        self.outcomes = {}
        self.results = {}

    def finish(self) -> None:
        """All is results: what fires is at no distance, whether it could be results or not."""
        self.distances |= {rule.name: 0.0 for rule in self.rules if self.book.firing(rule.name)}

    def evaluate_all(self, context: RuleContext, gate: str, *, held: bool, daily: bool) -> None:
        """Evaluate every rule in every scope of one form, in order."""
        for rule in self.rules:
            for scope in rule.scopes:
                if scope.startswith("daily") != daily:
                    continue
                if rule.name == SUSPENDS_ALL:
                    self._evaluate(rule, scope, context, "", held=False)
                else:
                    context.unwinding, context.converging = (
                        self.book.firing("vix_spike_unwind"),
                        self.book.firing("vol_convergence"),
                    )
                    suspended = gate or (SUSPENDS_ALL if self.book.firing(SUSPENDS_ALL) else "")
                    self._evaluate(rule, scope, context, suspended, held=held)

    def end_session(self, context: RuleContext) -> None:
        """Evaluation is over for this session: what is pending ends."""
        for rule in self.rules:
            for scope in rule.scopes:
                key = (rule.name, scope)
                transitions = end_session(self.book.alerts[key], context.now.ts)
                self._record_events(rule, key, context, Verdict(), transitions)

    def _evaluate(
        self, rule: Rule, scope: str, context: RuleContext, gate: str, *, held: bool
    ) -> None:
        key, ts = (rule.name, scope), context.now.ts
        alert = self.book.alerts[key]
        durations = durations_of(
            rule.timing, context.reading.refresh_seconds, daily=scope.startswith("daily")
        )
        context.peak, context.severity = (
            (alert.peak, alert.severity) if alert.underlying_status == "firing" else (None, "")
        )
        verdict = Verdict()
        transitions: list[Transition] = []
        if gate:
            transitions = suspend(alert, ts, gate, durations)
        elif held:
            hold(alert, ts, durations)
        else:
            verdict = rule.evaluate(scope, context)
            self._note_verdict(rule, verdict)
            if verdict.blocked:
                transitions = suspend(alert, ts, verdict.blocked, durations)
            else:
                reference = self.book.reference(key)
                transitions = (
                    end_at_gap(alert, ts)
                    if reference is not None and context.beyond_history(reference)
                    else []
                )
                ended = self._ended(rule, key, context)
                inhibited = any(
                    self.book.firing(other) for other in INHIBITED_BY.get(rule.name, ())
                )
                detail = _detail(rule, context, verdict) if verdict.enter else alert.detail
                transitions += advance(
                    alert, ts, verdict, detail, durations, ended=ended, inhibited=inhibited
                )
        self.results[key] = RuleResult(verdict, gate, held)
        if durations.daily:
            self._note_outcome(rule, "suspended" if gate else _outcome(verdict, alert))
        if transitions or alert.status != "inactive":
            self.book.touch(key)
        self._record_events(rule, key, context, verdict, transitions)

    def _note_verdict(self, rule: Rule, verdict: Verdict) -> None:
        if verdict.lacking:
            self.failing.add("history")
        if verdict.blocked:
            self.failing.add(verdict.blocked)
        if verdict.distance is not None:
            self.distances[rule.name] = min(verdict.distance, self.distances.get(rule.name, 1.0))

    def _note_outcome(self, rule: Rule, outcome: RuleOutcome) -> None:
        self.outcomes[rule.name] = max(
            self.outcomes.get(rule.name, outcome), outcome, key=get_args(RuleOutcome).index
        )

    def _ended(self, rule: Rule, key: Key, context: RuleContext) -> bool | None:
        """Whether a firing alert's exit holds; its greatest move is kept up to date on the way."""
        alert, reference = self.book.alerts[key], self.book.reference(key)
        if alert.underlying_status != "firing":
            return None
        move = None if reference is None else rule.move(context, reference)
        if move is not None and move > alert.peak:
            alert.peak = move
        return rule.ended(context, reference, alert.peak)

    def _record_events(
        self,
        rule: Rule,
        key: Key,
        context: RuleContext,
        verdict: Verdict,
        transitions: list[Transition],
    ) -> None:
        """Write the events of the transitions, and keep the reference of a firing alert."""
        alert, reading = self.book.alerts[key], context.reading
        when = EventOrigin(context.now.ts, reading.session, reading.mode, reading.basis)
        for transition in transitions:
            reference = None if transition.reason == GAP else self.book.reference(key)
            if transition.kind == "firing" and verdict.start is not None:
                self.book.set_reference(key, verdict.start)
                alert.peak = rule.move(context, verdict.start) or 0.0
            fresh = transition.kind in {"pending", "firing", "updated"}
            start = (
                (verdict.start if verdict.enter else None)
                if fresh or reference is None
                else reference
            )
            why = evidence(rule, context, alert, transition, verdict, start)
            alert.sequence += 1
            alert.summary = why.summary
            if transition.previous == "inactive":
                alert.received, alert.configuration = self.received, {}
            changes = configuration_changes(alert.configuration, self.configuration)
            alert.configuration = dict(self.configuration)
            event = outbox_entry(
                self.book.identity(key), rule, alert, transition, when, why, changes
            )
            self.events.append(event)
            self.book.record_event(key, None if transition.status == "resolved" else event.value)
            self.counts[ALERT_EVENTS.of(rule.name, transition.kind, "emitted")] += 1
            if transition.status == "resolved":
                self.book.clear_reference(key)
                alert.notification = Notification()
            self.book.touch(key)


def _outcome(verdict: Verdict, alert: Alert) -> RuleOutcome:
    if verdict.blocked:
        return "suspended"
    if verdict.lacking:
        return "unknown"
    if not verdict.enter:
        return "quiet"
    return "fires" if alert.status == "firing" else "inhibited"


def _detail(rule: Rule, context: RuleContext, verdict: Verdict) -> AlertDetail:
    """Doubt comes from unknown conditions, a stand-in pair and an incredible correlation.

    There is never doubt about the doubt itself.
    """
    doubtful = (
        bool(verdict.unknown) or context.now.basis == "atm" or rho_out_of_range(context.reading)
    )
    doubtful = doubtful and rule.name != SUSPENDS_ALL
    return AlertDetail(verdict.label, verdict.direction, "low" if doubtful else "high")
