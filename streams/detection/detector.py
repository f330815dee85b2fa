"""The detector of one index: one reading after another in three passes, and people's commands.

verdicts    = evaluate(rules, context)
transitions = advance(alerts, verdicts, policy)
events      = describe(transitions, context)
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, get_args

import msgspec

from streams.catalogue.counters import ALERT_EVENTS, GATE_FAILURES
from streams.catalogue.measures import RULE_TENOR
from streams.detection.alerts.alert_book import AlertBook
from streams.detection.alerts.command_handler import CommandHandler, HeldCommand
from streams.detection.alerts.commands import TimedCommand
from streams.detection.alerts.description import describe
from streams.detection.alerts.transitions import AlertTransition, Origin, advance
from streams.detection.context_builder import ContextBuilder
from streams.detection.evaluator import Evaluated, evaluate
from streams.detection.history.common_terms import steps_into
from streams.detection.numbers import Lookback
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import POLICY
from streams.detection.rules.rule import Rule
from streams.detection.rules.verdict import RuleOutcome
from streams.detection.state_codec import pack, unpack
from streams.detection.views.rotation_signs import rotation_signs
from streams.detection.views.snapshot import (
    FIVE_MINUTES,
    SnapshotInputs,
    encode_snapshot,
    snapshot_of,
)
from streams.market import Gates, IndexSpec
from streams.reading import Reading
from streams.records import Record
from streams.stage import Count, OutboxEntry


class DetectorState(msgspec.Struct):
    """The small state beside history and alerts."""

    latest: dict[str, Reading] = {}
    """By tenor, without constituents; their times say what has been seen."""
    failing: tuple[str, ...] = ()
    """Gates that were closed at the latest reading."""


class Detector:
    """Readings of one index in, alert events out, in event time alone."""

    def __init__(
        self,
        spec: IndexSpec,
        gates: Gates,
        rules: Sequence[Rule[Any]],
        lookback: Lookback,
        configuration: Mapping[str, str] | None = None,
    ) -> None:
        """`configuration` has the hashes of basket and rules that events tell changes of."""
        self.index = spec.symbol
        self.counts: Counter[Count] = Counter()
        """What was counted since the caller last cleared it."""
        self._rules = rules
        self._configuration = configuration or {}
        self._contexts = ContextBuilder(spec, gates, lookback)
        self._history = self._contexts.history
        self._book = AlertBook(spec.symbol, RULE_TENOR, rules)
        self._command_handler = CommandHandler(self._book)
        self._state = DetectorState()
        self._verdicts: list[Evaluated] = []
        self._context: RuleContext | None = None
        self._dirty = False

    @property
    def evaluated_at(self) -> datetime | None:
        """Event time of the latest reading that rules were evaluated on."""
        latest = self._state.latest.get(RULE_TENOR)
        return None if latest is None else latest.ts_event

    def seen(self, reading: Reading) -> bool:
        """Whether this second of this tenor, or a later one, has been applied."""
        latest = self._state.latest.get(reading.tenor)
        return latest is not None and reading.ts_event <= latest.ts_event

    def apply(self, reading: Reading, received: int = 0) -> list[OutboxEntry]:
        """Evaluate a reading that has not been seen; events in order.

        Tenors beside 30d only pass to the snapshot.

        `received` is the Kafka time of its record, ms.
        """
        self._state.latest[reading.tenor] = msgspec.structs.replace(reading, constituents=None)
        self._dirty = True
        return self._evaluate(reading, received) if reading.tenor == RULE_TENOR else []

    def apply_command(self, command: TimedCommand) -> list[OutboxEntry]:
        """Apply a command to an alert; its echo, or nothing for a repeat.

        Raises `RejectedRecordError` (unknown_alert, episode).
        """
        return self._command_handler.apply(command, self.counts)

    def hold(self, record: Record, command: TimedCommand) -> bool:
        """Whether the command waits for readings.

        It does where its alert begins after the latest that was evaluated.
        """
        return self._command_handler.hold(record, command, self.evaluated_at)

    def release(self) -> list[HeldCommand]:
        """Commands that waited; they are to be applied again."""
        return self._command_handler.release()

    @property
    def has_snapshot(self) -> bool:
        """Whether a snapshot would be whole.

        It is when a reading of 30d has been evaluated since the start.
        """
        return self._context is not None

    def snapshot(self) -> bytes:
        """JSON of the latest picture."""
        context = self._context
        ago = (
            None
            if context is None
            else self._history.window.index_level(context.now.ts - FIVE_MINUTES)
        )
        picture = SnapshotInputs(
            self.index,
            self._state.latest,
            context,
            ago,
            {} if context is None else self._distances(),
            self._outcomes(),
            self._inhibited(),
            {} if context is None else rotation_signs(self._rules, context),
        )
        return encode_snapshot(snapshot_of(picture, self._book))

    def chunks(self) -> dict[str, bytes]:
        """Chunks that changed since the last call."""
        out = {
            **self._history.chunks(self.index),
            **self._book.chunks(),
            **self._command_handler.chunks(self.index),
        }
        if self._dirty:
            out[f"latest/{self.index}"] = pack(self._state)
            self._dirty = False
        return out

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace everything by chunks under (kind, name). Raises `ValueError` on foreign ones."""
        latest = chunks.get(("latest", ""))
        self._state = unpack(latest, DetectorState) if latest else DetectorState()
        self._history.restore(chunks)
        self._book.restore(chunks)
        self._command_handler.restore(chunks)
        self._verdicts = []
        self._context = None
        self._dirty = False

    def _evaluate(self, reading: Reading, received: int) -> list[OutboxEntry]:
        context = self._context = self._contexts.build(reading)
        if context.begins_session:
            self._book.step(steps_into(reading.session, self._history.days.newest))
        self._book.end_silences(context.now.ts)
        verdicts = evaluate(self._rules, context, self._book.firing())
        origin = Origin(self._configuration, received)
        self._verdicts, transitions = advance(self._book, verdicts, context, POLICY, origin)
        self._count_gates(context)
        return self._events(transitions, context)

    def _events(
        self, transitions: Sequence[AlertTransition], context: RuleContext
    ) -> list[OutboxEntry]:
        described = describe(transitions, context)
        for one, (summary, entry) in zip(transitions, described, strict=True):
            key = (one.rule.name, one.who.scope)
            last = one.transition.status == "resolved"
            self._book.record_event(key, summary, None if last else entry.value)
            self.counts[ALERT_EVENTS.of(one.rule.name, one.transition.kind, "emitted")] += 1
        return [one.entry for one in described]

    def _distances(self) -> dict[str, float]:
        """The least of each rule that could be evaluated, 0 for those that fire."""
        out: dict[str, float] = {}
        for rule, _, verdict in self._verdicts:
            if verdict.distance is not None:
                out[rule.name] = min(verdict.distance, out.get(rule.name, 1.0))
        firing = POLICY.acting(self._book.firing_alerts())
        return out | {rule.name: 0.0 for rule in self._rules if rule.name in firing}

    def _inhibited(self) -> list[str]:
        """Rules that would have begun an alert if another did not fire."""
        firing = {one.rule for one in self._book.firing_alerts()}
        found = {
            rule.name
            for rule, _, verdict in self._verdicts
            if verdict.outcome == "inhibited" and rule.name not in firing
        }
        return sorted(found)

    def _outcomes(self) -> dict[str, RuleOutcome]:
        """What each rule says at a close, of several scopes the greatest; else nothing."""
        out: dict[str, RuleOutcome] = {}
        for rule, scope, verdict in self._verdicts:
            if scope.form == "daily":
                fires = self._book.alerts[rule.name, scope].status == "firing"
                outcome = verdict.outcome_at_close(fires=fires)
                out[rule.name] = max(
                    out.get(rule.name, outcome), outcome, key=get_args(RuleOutcome).index
                )
        return out

    def _count_gates(self, context: RuleContext) -> None:
        """A gate is counted when it closes, not at every reading while it is closed."""
        asked = [one.verdict for one in self._verdicts if one.verdict.asked]
        failing = {context.gate, *(verdict.blocked for verdict in asked)} - {""}
        if context.hours != "open":
            failing.add("clock")
        if any(verdict.lacking for verdict in asked):
            failing.add("history")
        closed = sorted(failing.difference(self._state.failing))
        for gate in [*closed, "spike"] if context.reverted else closed:
            self.counts[GATE_FAILURES.of(self.index, gate)] += 1
        self._state.failing = tuple(sorted(failing))
