"""The detector of one index: history, gates, rules and lifecycle around one reading after another."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from streams.alert_book import AlertBook, Key
from streams.basket_columns import basket_columns
from streams.change import Panels
from streams.events import Setting, outbox_entry
from streams.evidence import evidence
from streams.gates import data_gate, elapsed_share, phase, relative_width, rho_out_of_range
from streams.history import History
from streams.history_codec import pack, unpack
from streams.instant import instant_of
from streams.lifecycle import Shade, Transition, end_session, hold, judge, suspend, tempo_of
from streams.market import Gates, IndexSpec
from streams.reading import Reading
from streams.records import NS
from streams.rules.catalogue import INHIBITED_BY, SUSPENDS_ALL
from streams.rules.rule import Rule, Verdict
from streams.rules.ruleset import Baseline
from streams.scene import Scene
from streams.snapshot import (
    FIVE_MINUTES,
    Snapshot,
    bands_of,
    changes_of,
    encode_snapshot,
    names_of,
    percentiles_of,
    regime,
)
from streams.stage import Count, OutboxEntry

TENOR = "30d"
"""Rules run on this tenor alone."""


class Standing(msgspec.Struct):
    """The small state beside history and alerts."""

    latest: dict[str, Reading] = {}
    """By tenor, without constituents; their times say what has been seen."""
    failing: tuple[str, ...] = ()
    """Gates that were closed at the latest reading."""


class Detector:
    """Readings of one index in, alert events out, in event time alone."""

    def __init__(self, spec: IndexSpec, gates: Gates, rules: Sequence[Rule], reach: Baseline) -> None:
        self._spec = spec
        self._gates = gates
        self._rules = rules
        self._core = frozenset(basket_columns(spec.basket).largest_symbols) or None
        self._history = History(reach)
        self._book = AlertBook(spec.symbol, TENOR, rules)
        self._standing = Standing()
        self._panels = Panels()
        self._dirty = False
        self._scene: Scene | None = None
        self._reading: Reading | None = None
        self._distances: dict[str, float] = {}
        self._out: list[OutboxEntry] = []
        self._failing: set[str] = set()
        self.counts: Counter[Count] = Counter()

    def seen(self, reading: Reading) -> bool:
        """Whether this second of this tenor, or a later one, has been applied."""
        latest = self._standing.latest.get(reading.tenor)
        return latest is not None and reading.ts_event <= latest.ts_event

    def apply(self, reading: Reading) -> list[OutboxEntry]:
        """Judge a reading that has not been seen; events in order. Tenors beside 30d only pass to the snapshot."""
        self._standing.latest[reading.tenor] = msgspec.structs.replace(reading, constituents=None)
        self._dirty = True
        self._out = []
        if reading.tenor == TENOR:
            self._reading = reading
            self._judge(reading, int(reading.ts_event.timestamp()) * NS)
        return self._out

    def snapshot(self) -> bytes:
        """JSON of the latest picture."""
        latest, scene = self._standing.latest, self._scene
        ago = None if scene is None else self._history.window.index_level(scene.now.ts - FIVE_MINUTES)
        return encode_snapshot(
            Snapshot(
                index=self._spec.symbol,
                mode=max(latest.values(), key=lambda reading: reading.ts_event).mode,
                readings=dict(sorted(latest.items())),
                names=names_of(self._reading),
                regime=regime(self._book.alerts, scene),
                distances=self._distances,
                alerts=self._book.active(),
                changes=changes_of(scene, ago),
                percentiles=percentiles_of(scene),
                bands=bands_of(scene),
            )
        )

    def chunks(self) -> dict[str, bytes]:
        """Chunks that changed since the last call."""
        out = {**self._history.chunks(self._spec.symbol), **self._book.chunks()}
        if self._dirty:
            out[f"latest/{self._spec.symbol}"] = pack(self._standing)
            self._dirty = False
        return out

    def restore(self, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace everything by chunks under (kind, name). Raises `ValueError` on foreign ones."""
        latest = chunks.get(("latest", ""))
        self._standing = unpack(latest, Standing) if latest else Standing()
        self._history.restore(chunks)
        self._book.restore(chunks)
        self._panels = Panels()
        self._scene, self._reading, self._distances, self._dirty = None, None, {}, False

    def _judge(self, reading: Reading, ts: int) -> None:
        begun = self._history.begin(reading.session)
        scene = self._scene = self._set_scene(reading, ts)
        self._failing, self._distances = set(), {}
        where, closing = phase(ts, reading.session), "session_close" in reading.flags
        if begun or where == "after":
            self._end_session(scene)
        if where != "open":
            self._failing.add("clock")
        if self._spec.basket.constituents or reading.basis == "published":
            if where == "open":
                self._intraday(scene)
            if closing:
                self._daily(scene)
        self._history.note(reading, scene.now)
        if closing:
            self._history.close()
        for gate in sorted(self._failing.difference(self._standing.failing)):
            self.counts["gate_failures", self._spec.symbol, gate] += 1
        self._standing.failing = tuple(sorted(self._failing))
        for rule in self._rules:
            if self._book.firing(rule.name):
                self._distances[rule.name] = 0.0

    def _set_scene(self, reading: Reading, ts: int) -> Scene:
        window = self._history.window
        return Scene(
            reading=reading,
            now=instant_of(reading, ts),
            gates=self._gates,
            baseline=self._history.baseline(reading.session, reading.basis),
            low=window.low(ts, reading.basis),
            width_median=window.width_median(ts),
            elapsed=elapsed_share(ts, reading.session),
            core=self._core,
            panels=self._panels,
        )

    def _intraday(self, scene: Scene) -> None:
        gate = self._data_gate(scene)
        spike = "accepted"
        if not gate:
            spike = self._history.progress.spike.admit(scene.now.ts, scene.reading.implied_correlation, self._gates)
        if spike == "reverted":
            self.counts["gate_failures", self._spec.symbol, "spike"] += 1
        self._round(scene, gate, held=spike == "held", daily=False)
        if not gate and spike != "held":
            change = None if scene.low is None else scene.change(scene.low)
            rise = None if change is None else change.correlation_move
            self._history.evaluated(scene.now, relative_width(scene.reading), rise)

    def _daily(self, scene: Scene) -> None:
        self._round(scene, self._data_gate(scene), held=False, daily=True)

    def _data_gate(self, scene: Scene) -> str:
        missing = scene.now.index_level is None or scene.now.basket_level is None
        gate = data_gate(scene.reading, self._gates) or ("coverage" if missing else "")
        if gate:
            self._failing.add(gate)
        return gate

    def _round(self, scene: Scene, gate: str, *, held: bool, daily: bool) -> None:
        """Judge every rule in every scope of one form, in order."""
        for rule in self._rules:
            for scope in rule.scopes:
                if scope.startswith("daily") != daily:
                    continue
                if rule.name == SUSPENDS_ALL:
                    self._step(rule, scope, scene, "", held=False)
                else:
                    scene.unwinding = self._book.firing("vix_spike_unwind")
                    suspended = gate or (SUSPENDS_ALL if self._book.firing(SUSPENDS_ALL) else "")
                    self._step(rule, scope, scene, suspended, held=held)

    def _step(self, rule: Rule, scope: str, scene: Scene, gate: str, *, held: bool) -> None:
        key, ts = (rule.name, scope), scene.now.ts
        alert = self._book.alerts[key]
        tempo = tempo_of(rule.timing, scene.reading.refresh_seconds, daily=scope.startswith("daily"))
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
                ended = self._ended(rule, key, scene, verdict)
                inhibited = any(self._book.firing(other) for other in INHIBITED_BY.get(rule.name, ()))
                shade = _shade(scene, verdict) if verdict.enter else alert.shade
                transitions = judge(alert, ts, verdict, shade, ended, tempo, inhibited=inhibited)
        if transitions or alert.status != "inactive":
            self._book.touch(key)
        self._tell(rule, key, scene, verdict, transitions)

    def _note_verdict(self, rule: Rule, verdict: Verdict) -> None:
        if verdict.lacking:
            self._failing.add("history")
        if verdict.blocked:
            self._failing.add(verdict.blocked)
        if verdict.distance is not None:
            self._distances[rule.name] = min(verdict.distance, self._distances.get(rule.name, 1.0))

    def _ended(self, rule: Rule, key: Key, scene: Scene, verdict: Verdict) -> bool | None:
        """Whether a firing alert's exit holds; its greatest move is kept up to date on the way."""
        alert, anchor = self._book.alerts[key], self._book.anchor(key)
        if alert.standing != "firing":
            return None
        extent = None if anchor is None else rule.extent(scene, anchor)
        if extent is not None and extent > alert.peak:
            alert.peak = extent
        return None if verdict.enter else rule.ended(scene, anchor, alert.peak)

    def _end_session(self, scene: Scene) -> None:
        for rule in self._rules:
            for scope in rule.scopes:
                key = (rule.name, scope)
                transitions = end_session(self._book.alerts[key], scene.now.ts)
                self._tell(rule, key, scene, Verdict(), transitions)

    def _tell(self, rule: Rule, key: Key, scene: Scene, verdict: Verdict, transitions: list[Transition]) -> None:
        """Write the events of the transitions, and keep the anchor of a firing alert."""
        alert, reading = self._book.alerts[key], scene.reading
        when = Setting(scene.now.ts, reading.session, reading.mode, reading.basis)
        for transition in transitions:
            anchor = self._book.anchor(key)
            if transition.kind == "firing" and verdict.start is not None:
                self._book.drop_anchor(key, verdict.start)
                alert.peak = rule.extent(scene, verdict.start) or 0.0
            fresh = transition.kind in {"pending", "firing", "updated"}
            start = verdict.start if fresh or anchor is None else anchor
            why = evidence(rule, scene, alert, transition, verdict, start)
            alert.sequence += 1
            alert.summary = why.summary
            self._out.append(outbox_entry(self._book.identity(key), rule, alert, transition, when, why))
            self.counts["alert_events", rule.name, transition.kind, "emitted"] += 1
            if transition.status == "resolved":
                self._book.weigh_anchor(key)
            self._book.touch(key)


def _shade(scene: Scene, verdict: Verdict) -> Shade:
    doubtful = bool(verdict.unknown) or scene.now.basis == "atm" or rho_out_of_range(scene.reading)
    return Shade(verdict.label, verdict.direction, "low" if doubtful else "high")
