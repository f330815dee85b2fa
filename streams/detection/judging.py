"""Judging: every rule, in every scope of one form, on one scene; alerts move and events are written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from streams.detection.alert_book import AlertBook, Key
from streams.detection.configuration import configuration_changes
from streams.detection.events import Setting, outbox_entry
from streams.detection.evidence import evidence
from streams.detection.gates import rho_out_of_range
from streams.detection.lifecycle import GAP, Alert, Shade, Transition, end_session, forget, hold, judge, suspend, tempo_of
from streams.detection.notification import Notification
from streams.detection.rules.catalogue import INHIBITED_BY, SUSPENDS_ALL
from streams.detection.rules.rule import Answer, Rule, Verdict
from streams.detection.scene import Scene
from streams.stage import Count, OutboxEntry


class Judged(NamedTuple):
    """What one rule made of the latest reading, in one scope."""

    verdict: Verdict
    gate: str
    """The gate that kept the rule from being asked; empty when it was."""
    held: bool
    """The spike gate holds the value back."""


@dataclass(slots=True)
class Judging:
    """The rules over the alert book of one index; what the latest reading has brought stands in the fields after the book."""

    rules: Sequence[Rule]
    book: AlertBook
    events: list[OutboxEntry] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    """Gates that are closed."""
    distances: dict[str, float] = field(default_factory=dict)
    """Of the rules that could be judged, 0 for those that fire."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """By rule, at a closing reading; else empty."""
    judged: dict[Key, Judged] = field(default_factory=dict)
    """By rule and scope; the forms that the reading is not for are absent."""
    counts: Counter[Count] = field(default_factory=Counter)
    """Until the caller clears them."""
    received: int = 0
    """Kafka's time (ms) of the latest reading."""
    configuration: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the basket and of the rules."""

    def open(self) -> None:
        """A new reading."""
        self.events, self.failing, self.distances, self.answers = [], set(), {}, {}
        self.judged = {}

    def adjourn(self) -> None:
        """All is judged: what fires is at no distance, whether it could be judged or not."""
        self.distances |= {rule.name: 0.0 for rule in self.rules if self.book.firing(rule.name)}

    def round(self, scene: Scene, gate: str, *, held: bool, daily: bool) -> None:
        """Judge every rule in every scope of one form, in order."""
        for rule in self.rules:
            for scope in rule.scopes:
                if scope.startswith("daily") != daily:
                    continue
                if rule.name == SUSPENDS_ALL:
                    self._step(rule, scope, scene, "", held=False)
                else:
                    scene.unwinding, scene.converging = self.book.firing("vix_spike_unwind"), self.book.firing("vol_convergence")
                    suspended = gate or (SUSPENDS_ALL if self.book.firing(SUSPENDS_ALL) else "")
                    self._step(rule, scope, scene, suspended, held=held)

    def end_session(self, scene: Scene) -> None:
        """Evaluation is over for this session: what is pending ends."""
        for rule in self.rules:
            for scope in rule.scopes:
                key = (rule.name, scope)
                transitions = end_session(self.book.alerts[key], scene.now.ts)
                self._tell(rule, key, scene, Verdict(), transitions)

    def _step(self, rule: Rule, scope: str, scene: Scene, gate: str, *, held: bool) -> None:
        key, ts = (rule.name, scope), scene.now.ts
        alert = self.book.alerts[key]
        tempo = tempo_of(rule.timing, scene.reading.refresh_seconds, daily=scope.startswith("daily"))
        scene.peak, scene.severity = (alert.peak, alert.severity) if alert.standing == "firing" else (None, "")
        verdict = Verdict()
        transitions: list[Transition] = []
        if gate:
            transitions = suspend(alert, ts, gate, tempo)
        elif held:
            hold(alert, ts, tempo)
        else:
            verdict = rule.evaluate(scope, scene)
            self._note_verdict(rule, verdict)
            if verdict.blocked:
                transitions = suspend(alert, ts, verdict.blocked, tempo)
            else:
                anchor = self.book.anchor(key)
                transitions = forget(alert, ts) if anchor is not None and scene.forgets(anchor) else []
                ended = self._ended(rule, key, scene)
                inhibited = any(self.book.firing(other) for other in INHIBITED_BY.get(rule.name, ()))
                shade = _shade(rule, scene, verdict) if verdict.enter else alert.shade
                transitions += judge(alert, ts, verdict, shade, tempo, ended=ended, inhibited=inhibited)
        self.judged[key] = Judged(verdict, gate, held)
        if tempo.daily:
            self._note_answer(rule, "suspended" if gate else _answer(verdict, alert))
        if transitions or alert.status != "inactive":
            self.book.touch(key)
        self._tell(rule, key, scene, verdict, transitions)

    def _note_verdict(self, rule: Rule, verdict: Verdict) -> None:
        if verdict.lacking:
            self.failing.add("history")
        if verdict.blocked:
            self.failing.add(verdict.blocked)
        if verdict.distance is not None:
            self.distances[rule.name] = min(verdict.distance, self.distances.get(rule.name, 1.0))

    def _note_answer(self, rule: Rule, answer: Answer) -> None:
        self.answers[rule.name] = max(self.answers.get(rule.name, answer), answer, key=get_args(Answer).index)

    def _ended(self, rule: Rule, key: Key, scene: Scene) -> bool | None:
        """Whether a firing alert's exit holds; its greatest move is kept up to date on the way."""
        alert, anchor = self.book.alerts[key], self.book.anchor(key)
        if alert.standing != "firing":
            return None
        extent = None if anchor is None else rule.extent(scene, anchor)
        if extent is not None and extent > alert.peak:
            alert.peak = extent
        return rule.ended(scene, anchor, alert.peak)

    def _tell(self, rule: Rule, key: Key, scene: Scene, verdict: Verdict, transitions: list[Transition]) -> None:
        """Write the events of the transitions, and keep the anchor of a firing alert."""
        alert, reading = self.book.alerts[key], scene.reading
        when = Setting(scene.now.ts, reading.session, reading.mode, reading.basis)
        for transition in transitions:
            anchor = None if transition.reason == GAP else self.book.anchor(key)
            if transition.kind == "firing" and verdict.start is not None:
                self.book.drop_anchor(key, verdict.start)
                alert.peak = rule.extent(scene, verdict.start) or 0.0
            fresh = transition.kind in {"pending", "firing", "updated"}
            start = (verdict.start if verdict.enter else None) if fresh or anchor is None else anchor
            why = evidence(rule, scene, alert, transition, verdict, start)
            alert.sequence += 1
            alert.summary = why.summary
            if transition.previous == "inactive":
                alert.received, alert.configuration = self.received, {}
            changes = configuration_changes(alert.configuration, self.configuration)
            alert.configuration = dict(self.configuration)
            event = outbox_entry(self.book.identity(key), rule, alert, transition, when, why, changes)
            self.events.append(event)
            self.book.told(key, None if transition.status == "resolved" else event.value)
            self.counts["alert_events", rule.name, transition.kind, "emitted"] += 1
            if transition.status == "resolved":
                self.book.weigh_anchor(key)
                alert.notification = Notification()
            self.book.touch(key)


def _answer(verdict: Verdict, alert: Alert) -> Answer:
    if verdict.blocked:
        return "suspended"
    if verdict.lacking:
        return "unknown"
    if not verdict.enter:
        return "quiet"
    return "fires" if alert.status == "firing" else "inhibited"


def _shade(rule: Rule, scene: Scene, verdict: Verdict) -> Shade:
    """Doubt comes from unknown conditions, from a stand-in pair and from an incredible correlation; never about the doubt itself."""
    doubtful = bool(verdict.unknown) or scene.now.basis == "atm" or rho_out_of_range(scene.reading)
    doubtful = doubtful and rule.name != SUSPENDS_ALL
    return Shade(verdict.label, verdict.direction, "low" if doubtful else "high")
