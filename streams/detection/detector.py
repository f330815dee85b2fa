"""The detector of one index: history, gates, rules and lifecycle around one reading after another, and people's commands.

A `no_input` reading is judged like any other: its values stand still and its coverage falls as the quotes behind it age,
so silence suspends alerts through the coverage gate and never through a clock of our own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from streams.basket_columns import basket_columns
from streams.detection.alert_book import AlertBook, Key
from streams.detection.command_desk import CommandDesk, HeldCommand
from streams.detection.commands import Issued
from streams.detection.gates import data_gate, elapsed_share, phase, relative_width
from streams.detection.history import History
from streams.detection.history_codec import pack, unpack
from streams.detection.instant import instant_of
from streams.detection.judging import Judged, Judging
from streams.detection.panels import Panels
from streams.detection.rules.rule import Rule
from streams.detection.rules.ruleset import Baseline
from streams.detection.scene import Scene
from streams.detection.seasonality import part_of_session
from streams.detection.snapshot import FIVE_MINUTES, Picture, encode_snapshot, snapshot_of
from streams.market import Gates, IndexSpec
from streams.reading import Reading
from streams.records import NS, Record
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

    def __init__(
        self,
        spec: IndexSpec,
        gates: Gates,
        rules: Sequence[Rule],
        reach: Baseline,
        configuration: Mapping[str, str] | None = None,
    ) -> None:
        """`configuration` has the hashes of basket and rules that events tell changes of."""
        self._spec = spec
        self._gates = gates
        self._core = frozenset(basket_columns(spec.basket).largest_symbols) or None
        self._history = History(reach)
        self._book = AlertBook(spec.symbol, TENOR, rules)
        self._judging = Judging(rules, self._book, configuration=configuration or {})
        self._desk = CommandDesk(self._book)
        self._standing = Standing()
        self._panels = Panels()
        self._dirty = False
        self._scene: Scene | None = None

    @property
    def index(self) -> str:
        """Symbol of the index."""
        return self._spec.symbol

    @property
    def counts(self) -> Counter[Count]:
        """What was counted since the caller last cleared it."""
        return self._judging.counts

    @property
    def scene(self) -> Scene | None:
        """What the rules looked at last; None before the first 30d reading."""
        return self._scene

    @property
    def judged(self) -> Mapping[Key, Judged]:
        """What each rule made of it, by rule and scope."""
        return self._judging.judged

    @property
    def judged_at(self) -> datetime | None:
        """Event time of the latest reading that rules were judged on."""
        latest = self._standing.latest.get(TENOR)
        return None if latest is None else latest.ts_event

    def seen(self, reading: Reading) -> bool:
        """Whether this second of this tenor, or a later one, has been applied."""
        latest = self._standing.latest.get(reading.tenor)
        return latest is not None and reading.ts_event <= latest.ts_event

    def apply(self, reading: Reading, received: int = 0) -> list[OutboxEntry]:
        """Judge a reading that has not been seen; events in order. Tenors beside 30d only pass to the snapshot.

        `received` is the Kafka time of its record, ms.
        """
        self._judging.received = received
        self._standing.latest[reading.tenor] = msgspec.structs.replace(reading, constituents=None)
        self._dirty = True
        if reading.tenor != TENOR:
            return []
        self._judge(reading, int(reading.ts_event.timestamp()) * NS)
        return self._judging.events

    def obey(self, told: Issued) -> list[OutboxEntry]:
        """Apply a command to an alert; its echo, or nothing for a repeat. Raises `Refused` (unknown_alert, episode)."""
        return self._desk.apply(told, self.counts)

    def hold(self, record: Record, told: Issued) -> bool:
        """Whether the command waits for readings: its alert begins after the latest that was judged."""
        return self._desk.hold(record, told, self.judged_at)

    def release(self) -> list[HeldCommand]:
        """Commands that waited; they are told again."""
        return self._desk.release()

    @property
    def drawn(self) -> bool:
        """Whether a snapshot would be whole: a reading of 30d has been judged since the start."""
        return self._scene is not None

    def snapshot(self) -> bytes:
        """JSON of the latest picture."""
        scene = self._scene
        ago = None if scene is None else self._history.window.index_level(scene.now.ts - FIVE_MINUTES)
        picture = Picture(self._spec.symbol, self._standing.latest, scene, ago, self._judging.distances, self._judging.answers)
        return encode_snapshot(snapshot_of(picture, self._book.alerts, self._book.active()))

    def chunks(self) -> dict[str, bytes]:
        """Chunks that changed since the last call."""
        out = {**self._history.chunks(self._spec.symbol), **self._book.chunks(), **self._desk.chunks(self._spec.symbol)}
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
        self._desk.restore(chunks)
        self._panels = Panels()
        self._judging.open()
        self._scene, self._dirty = None, False

    def _judge(self, reading: Reading, ts: int) -> None:
        self._book.end_silences(ts)
        begun = self._history.begin(reading.session)
        scene = self._scene = self._set_scene(reading, ts)
        self._judging.open()
        where, closing = phase(ts, reading.session), "session_close" in reading.flags
        if begun or where == "after":
            self._judging.end_session(scene)
        if where != "open":
            self._judging.failing.add("clock")
        if self._spec.basket.constituents or reading.basis == "published":
            if where == "open":
                self._intraday(scene)
            if closing:
                self._judging.round(scene, self._data_gate(scene), held=False, daily=True)
        self._history.note(reading, scene.now)
        if closing:
            self._history.close()
        self._judging.adjourn()
        self._count_gates()

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
            part=part_of_session(ts, reading.session),
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
        self._judging.round(scene, gate, held=spike == "held", daily=False)
        if not gate and spike != "held":
            change = None if scene.low is None else scene.change(scene.low)
            rise = None if change is None else change.correlation_move
            self._history.evaluated(scene.now, relative_width(scene.reading), rise)

    def _data_gate(self, scene: Scene) -> str:
        missing = scene.now.index_level is None or scene.now.basket_level is None
        gate = data_gate(scene.reading, self._gates) or ("coverage" if missing else "")
        if gate:
            self._judging.failing.add(gate)
        return gate

    def _count_gates(self) -> None:
        """A gate is counted when it closes, not at every reading while it is closed."""
        failing = self._judging.failing
        for gate in sorted(failing.difference(self._standing.failing)):
            self.counts["gate_failures", self._spec.symbol, gate] += 1
        self._standing.failing = tuple(sorted(failing))
