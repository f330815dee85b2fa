"""The detector stage of one partition.

Readings and commands go in; alert events, snapshots and views come out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from streams.catalogue.counters import ALERT_EVENTS, DEAD_LETTERS
from streams.detection.alerts.commands import decode_command, stamped
from streams.detection.alerts.configuration import configuration_of
from streams.detection.alerts.orphans import Orphans, configured_fingerprints
from streams.detection.detector import Detector
from streams.detection.own_reading import own_reading
from streams.detection.rules.catalogue import RuleSet, catalogue
from streams.market import Market
from streams.reading import Reading, encode_reading
from streams.records import NS, Record
from streams.refusals.claimed_time import refuse_ahead
from streams.refusals.dead_letters import RejectedRecordError, dead_letter
from streams.stage import Output, ReadingView, Role
from streams.topics import Topics

STATE = ("session", "last", "latest", "commands")
FACTS = ("day", "minute", "alert", "anchor", "event")


class DetectorStage:
    """Implements `streams.stage.Stage` for the readings and the commands topic.

    Each index has its own detector.

    A repeated second of an index and tenor is dropped in silence: the stage before may publish it
    again after a crash. So is a command that was applied before. How readings and commands mix
    decides what the events say of notification, and nothing else.
    """

    def __init__(self, market: Market, rules: RuleSet, topics: Topics | None = None) -> None:
        self._commands = (topics or Topics()).name("commands")
        self._specs = {spec.symbol: spec for spec in market.indices}
        self._gates = market.gates
        self._tolerance = market.future_tolerance
        self._rules = catalogue(rules, market.gates)
        self._lookback = rules.baseline
        self._numbers = rules
        self._detectors: dict[str, Detector] = {}
        self._configured = configured_fingerprints(self._specs, self._rules)
        self._orphans = Orphans()

    @property
    def last_event_ns(self) -> None:
        """It owns no source."""

    def process(self, records: Sequence[Record]) -> Output:
        """Apply readings or commands in order."""
        output = Output()
        changed: dict[str, Detector] = {}
        for record in records:
            role: Role = "commands" if record.topic == self._commands else "readings"
            detector = self._one(role, record, output)
            if detector is not None:
                changed[detector.index] = detector
                if role == "readings":
                    for held in detector.release():
                        self._one("commands", held, output)
        for index, detector in changed.items():
            output.snapshots[index] = detector.snapshot()
        for detector in self._detectors.values():
            output.counts.update(detector.counts)
            detector.counts.clear()
        return output

    def _one(self, role: Role, record: Record, output: Output) -> Detector | None:
        """Take a record; its detector if there is something new to show."""
        try:
            return (
                self._apply_command(record, output)
                if role == "commands"
                else self._evaluate(record, output)
            )
        except RejectedRecordError as refusal:
            output.messages.append(dead_letter(record, refusal.reason, str(refusal)))
            output.counts[DEAD_LETTERS.of(role, refusal.reason)] += 1
            return None

    def _evaluate(self, record: Record, output: Output) -> Detector | None:
        """Evaluate a reading; its detector, or None for a repeat. Raises `RejectedRecordError`."""
        reading = self._reading(record)
        detector = self._detector(reading.index)
        if detector.seen(reading):
            return None
        output.outbox.extend(detector.apply(reading, record.timestamp))
        output.views.append(_view(reading))
        return detector

    def _apply_command(self, record: Record, output: Output) -> Detector | None:
        """Obey a command; its detector if there is something new to show.

        Raises `RejectedRecordError`.
        """
        timed = stamped(decode_command(record.value), record.timestamp)
        if timed.command.command == "retire":
            rule, event = self._orphans.retire(timed, self._configured)
            output.outbox.append(event)
            output.counts[ALERT_EVENTS.of(rule, "resolved", "emitted")] += 1
            return None
        self._known(timed.command.index)
        detector = self._detector(timed.command.index)
        if detector.hold(record, timed):
            return None
        echoes = detector.apply_command(timed)
        output.outbox.extend(echoes)
        return detector if echoes and detector.has_snapshot else None

    @property
    def evaluated_until(self) -> Mapping[str, datetime]:
        """Event time of the latest reading that was evaluated, by index.

        An index without one is absent.
        """
        times = {index: detector.evaluated_at for index, detector in self._detectors.items()}
        return {index: at for index, at in times.items() if at is not None}

    def idle(self) -> Output:
        """Nothing: silence reaches this stage as readings."""
        return Output()

    def chunks(self) -> dict[str, bytes]:
        """State chunks changed since the last call."""
        changed = self._orphans.chunks()
        for detector in self._detectors.values():
            changed |= detector.chunks()
        return changed

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Replace all state.

        Chunks of an index or rule that is no longer configured stay until their alert is retired.
        """
        by_index: dict[str, dict[tuple[str, str], bytes]] = {}
        named = {_parse(name): payload for name, payload in chunks.items()}
        for (kind, index, item), payload in named.items():
            if index in self._specs:
                by_index.setdefault(index, {})[kind, item] = payload
        self._detectors.clear()
        for index, parts in by_index.items():
            self._detector(index).restore(parts)
        events = {
            (index, item): payload
            for (kind, index, item), payload in named.items()
            if kind == "event"
        }
        self._orphans.restore(
            {
                place: payload
                for place, payload in events.items()
                if place[1] not in self._configured
            }
        )

    def _detector(self, index: str) -> Detector:
        detector = self._detectors.get(index)
        if detector is None:
            spec = self._specs[index]
            configuration = configuration_of(spec.basket, self._numbers)
            detector = self._detectors[index] = Detector(
                spec, self._gates, self._rules, self._lookback, configuration
            )
        return detector

    def _reading(self, record: Record) -> Reading:
        """The reading in a record. Raises `RejectedRecordError` (schema, unknown_index, future)."""
        reading = own_reading(record.value, self._specs)
        refuse_ahead(record, round(reading.ts_event.timestamp() * NS), self._tolerance)
        return reading

    def _known(self, index: str) -> None:
        if index not in self._specs:
            raise RejectedRecordError("unknown_index", f"{index!r} is not configured")


def _parse(name: str) -> tuple[str, str, str]:
    kind, _, rest = name.partition("/")
    index, _, item = rest.partition("/")
    if not index or kind not in STATE + FACTS or (kind in FACTS) != bool(item):
        raise ValueError(f"{name!r} is not a chunk of the detector")
    return kind, index, item


def _view(reading: Reading) -> ReadingView:
    # One a second is kept for days: the names one by one stand on the topic and in the snapshot.
    plain = msgspec.structs.replace(
        reading,
        constituents=None,
        names_missing_atm={},
        names_carried_atm={},
        names_age={},
        names_lacking=(),
    )
    return ReadingView(
        reading.index, reading.tenor, int(reading.ts_event.timestamp()), encode_reading(plain)
    )
