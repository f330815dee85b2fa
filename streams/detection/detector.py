"""The detector of one index.

It is history, gates, rules and lifecycle around one reading after another, and people's commands.

A `no_input` reading is evaluated like any other: its values stand still and its coverage falls as
the quotes behind it age, so silence suspends alerts through the coverage gate and never through a
clock of our own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from streams.basket_columns import basket_columns
from streams.catalogue.counters import GATE_FAILURES
from streams.detection.alert_book import AlertBook, Key
from streams.detection.command_handler import CommandHandler, HeldCommand
from streams.detection.commands import TimedCommand
from streams.detection.gates import data_gate, elapsed_share, phase, relative_width
from streams.detection.history import History
from streams.detection.history_codec import pack, unpack
from streams.detection.instant import instant_of
from streams.detection.panels import Panels
from streams.detection.rule_context import RuleContext
from streams.detection.rule_evaluator import RuleEvaluator, RuleResult
from streams.detection.rules.rule import Rule
from streams.detection.rules.ruleset import Lookback
from streams.detection.seasonality import part_of_session
from streams.detection.snapshot import FIVE_MINUTES, SnapshotInputs, encode_snapshot, snapshot_of
from streams.market import Gates, IndexSpec
from streams.reading import Reading
from streams.records import NS, Record
from streams.stage import Count, OutboxEntry

TENOR = "30d"
"""Rules run on this tenor alone."""


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
        rules: Sequence[Rule],
        lookback: Lookback,
        configuration: Mapping[str, str] | None = None,
    ) -> None:
        """`configuration` has the hashes of basket and rules that events tell changes of."""
        self._spec = spec
        self._gates = gates
        self._core = frozenset(basket_columns(spec.basket).largest_symbols) or None
        self._history = History(lookback)
        self._book = AlertBook(spec.symbol, TENOR, rules)
        self._evaluator = RuleEvaluator(rules, self._book, configuration=configuration or {})
        self._command_handler = CommandHandler(self._book)
        self._state = DetectorState()
        self._panels = Panels()
        self._dirty = False
        self._context: RuleContext | None = None

    @property
    def index(self) -> str:
        """Symbol of the index."""
        return self._spec.symbol

    @property
    def counts(self) -> Counter[Count]:
        """What was counted since the caller last cleared it."""
        return self._evaluator.counts

    @property
    def context(self) -> RuleContext | None:
        """What the rules looked at last; None before the first 30d reading."""
        return self._context

    @property
    def results(self) -> Mapping[Key, RuleResult]:
        """What each rule made of it, by rule and scope."""
        return self._evaluator.results

    @property
    def evaluated_at(self) -> datetime | None:
        """Event time of the latest reading that rules were evaluated on."""
        latest = self._state.latest.get(TENOR)
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
        self._evaluator.received = received
        self._state.latest[reading.tenor] = msgspec.structs.replace(reading, constituents=None)
        self._dirty = True
        if reading.tenor != TENOR:
            return []
        self._evaluate(reading, int(reading.ts_event.timestamp()) * NS)
        return self._evaluator.events

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
            self._spec.symbol,
            self._state.latest,
            context,
            ago,
            self._evaluator.distances,
            self._evaluator.outcomes,
        )
        return encode_snapshot(snapshot_of(picture, self._book.alerts, self._book.active()))

    def chunks(self) -> dict[str, bytes]:
        """Chunks that changed since the last call."""
        out = {
            **self._history.chunks(self._spec.symbol),
            **self._book.chunks(),
            **self._command_handler.chunks(self._spec.symbol),
        }
        if self._dirty:
            out[f"latest/{self._spec.symbol}"] = pack(self._state)
            self._dirty = False
        return out

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace everything by chunks under (kind, name). Raises `ValueError` on foreign ones."""
        latest = chunks.get(("latest", ""))
        self._state = unpack(latest, DetectorState) if latest else DetectorState()
        self._history.restore(chunks)
        self._book.restore(chunks)
        self._command_handler.restore(chunks)
        self._panels = Panels()
        self._evaluator.begin()
        self._context = None
        self._dirty = False

    def _evaluate(self, reading: Reading, ts: int) -> None:
        self._book.end_silences(ts)
        begun = self._history.begin(reading.session)
        context = self._context = self._context_of(reading, ts)
        self._evaluator.begin()
        where, closing = phase(ts, reading.session), "session_close" in reading.flags
        if begun or where == "after":
            self._evaluator.end_session(context)
        if where != "open":
            self._evaluator.failing.add("clock")
        if self._spec.basket.constituents or reading.basis == "published":
            if where == "open":
                self._intraday(context)
            if closing:
                self._evaluator.evaluate_all(
                    context, self._data_gate(context), held=False, daily=True
                )
        self._history.note(reading, context.now)
        if closing:
            self._history.close()
        self._evaluator.finish()
        self._count_gates()

    def _context_of(self, reading: Reading, ts: int) -> RuleContext:
        window = self._history.window
        return RuleContext(
            reading=reading,
            now=instant_of(reading, ts),
            gates=self._gates,
            baseline=self._history.baseline(reading.session, reading.basis),
            low=window.low(ts, reading.basis),
            width_median=window.width_median(ts),
            elapsed=elapsed_share(ts, reading.session),
            part=part_of_session(ts, reading.session),
            core=self._core,
            panels=self._panels,
        )

    def _intraday(self, context: RuleContext) -> None:
        gate = self._data_gate(context)
        spike = "accepted"
        if not gate:
            spike = self._history.progress.spike.admit(
                context.now.ts, context.reading.implied_correlation, self._gates
            )
        if spike == "reverted":
            self.counts[GATE_FAILURES.of(self._spec.symbol, "spike")] += 1
        self._evaluator.evaluate_all(context, gate, held=spike == "held", daily=False)
        if not gate and spike != "held":
            change = None if context.low is None else context.change(context.low)
            rise = None if change is None else change.correlation_move
            self._history.evaluated(context.now, relative_width(context.reading), rise)

    def _data_gate(self, context: RuleContext) -> str:
        missing = context.now.index_level is None or context.now.basket_level is None
        gate = data_gate(context.reading, self._gates) or ("coverage" if missing else "")
        if gate:
            self._evaluator.failing.add(gate)
        return gate

    def _count_gates(self) -> None:
        """A gate is counted when it closes, not at every reading while it is closed."""
        failing = self._evaluator.failing
        for gate in sorted(failing.difference(self._state.failing)):
            self.counts[GATE_FAILURES.of(self._spec.symbol, gate)] += 1
        self._state.failing = tuple(sorted(failing))
