"""The detector stage: readings of one partition in, alert events, snapshots and views out."""

from collections.abc import Mapping, Sequence

import msgspec

from streams.dead_letters import dead_letter
from streams.detection.detector import Detector
from streams.detection.rules.catalogue import catalogue
from streams.detection.rules.ruleset import RuleSet
from streams.market import Market
from streams.reading import Reading, decode_reading, encode_reading
from streams.records import Record
from streams.stage import Output, ReadingView

STATE = ("session", "last", "latest")
FACTS = ("day", "minute", "alert", "anchor")


class DetectorStage:
    """Implements `streams.stage.Stage` for the readings topic; an index has its own detector from its first reading on.

    A repeated second of an index and tenor is dropped in silence: the stage before may publish it again after a crash.
    """

    def __init__(self, market: Market, rules: RuleSet) -> None:
        self._specs = {spec.symbol: spec for spec in market.indices}
        self._gates = market.gates
        self._rules = catalogue(rules, market.gates)
        self._reach = rules.baseline
        self._detectors: dict[str, Detector] = {}

    def process(self, records: Sequence[Record]) -> Output:
        """Apply readings in order."""
        output = Output()
        touched: dict[str, Detector] = {}
        for record in records:
            reading, reason, message = self._decode(record)
            if reading is None:
                output.messages.append(dead_letter(record, reason, message))
                output.counts["dead_letter_messages", "readings", reason] += 1
                continue
            detector = self._detector(reading.index)
            if detector.seen(reading):
                continue
            output.outbox.extend(detector.apply(reading))
            output.views.append(_view(reading))
            touched[reading.index] = detector
        for index, detector in touched.items():
            output.snapshots[index] = detector.snapshot()
            output.counts.update(detector.counts)
            detector.counts.clear()
        return output

    def idle(self) -> Output:
        """Nothing: silence reaches this stage as readings."""
        return Output()

    def chunks(self) -> dict[str, bytes]:
        """State chunks changed since the last call."""
        return {name: payload for detector in self._detectors.values() for name, payload in detector.chunks().items()}

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Replace all state; chunks of an index that is no longer configured are left alone."""
        by_index: dict[str, dict[tuple[str, str], bytes]] = {}
        for name, payload in chunks.items():
            kind, index, item = _parse(name)
            if index in self._specs:
                by_index.setdefault(index, {})[kind, item] = payload
        self._detectors.clear()
        for index, parts in by_index.items():
            self._detector(index).restore(parts)

    def _detector(self, index: str) -> Detector:
        detector = self._detectors.get(index)
        if detector is None:
            detector = self._detectors[index] = Detector(self._specs[index], self._gates, self._rules, self._reach)
        return detector

    def _decode(self, record: Record) -> tuple[Reading | None, str, str]:
        """A reading, or why there is none: a reason and a text for people."""
        try:
            reading = decode_reading(record.value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
            return None, "schema", str(problem)
        if reading.ts_event.tzinfo is None:
            return None, "schema", "ts_event without an offset from UTC"
        if reading.index not in self._specs:
            return None, "unknown_index", f"{reading.index!r} is not configured"
        return reading, "", ""


def _parse(name: str) -> tuple[str, str, str]:
    kind, _, rest = name.partition("/")
    index, _, item = rest.partition("/")
    if not index or kind not in STATE + FACTS or (kind in FACTS) != bool(item):
        raise ValueError(f"{name!r} is not a chunk of the detector")
    return kind, index, item


def _view(reading: Reading) -> ReadingView:
    plain = msgspec.structs.replace(reading, constituents=None)
    return ReadingView(reading.index, reading.tenor, int(reading.ts_event.timestamp()), encode_reading(plain))
