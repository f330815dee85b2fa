"""The state chunks of one index's cross-section.

The module says what they are called, what is in them, and when they are written.
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal

import msgspec
import numpy as np

from streams.points_codec import decode_points
from streams.readings.closing_vols import PREFIX as VOLS
from streams.readings.cross_section import CrossSection
from streams.readings.flag_bits import FlagBits
from streams.readings.index_point import IndexPoint
from streams.readings.reading_seconds import QUIET_NS
from streams.readings.reason_words import ReasonWords
from streams.readings.report_effects import CHUNK as REPORTS
from streams.readings.rotation_values import RotationAt
from streams.readings.session_hours import hours_on
from streams.readings.session_state import BEFORE
from streams.readings.skew_vols import PREFIX as SKEW
from streams.readings.sources_seen import IdleSource
from streams.readings.width_past import WidthPast

HEAD, NAMES, ORIGINS, BAR = "head", "names", "origins", "bar"
POINTS, HELD, GRID, CLOSES = "points/", "held/", "grid/", "closes/"


class Head(msgspec.Struct, frozen=True, tag_field="kind", tag="cross-section"):
    """The small and ever-changing part: clock, index points and references."""

    version: Literal[1]
    boundary: dict[str, int]
    idle: list[str]
    expected: int
    passed: int
    last: int
    session: date
    atm_only: bool
    flags: list[str]
    index: dict[int, IndexPoint]
    references: dict[str, float]
    rotation: RotationAt = RotationAt()
    silent: dict[str, IdleSource] = {}
    words: list[str] = []
    """Reasons of points by code; a head of an earlier release has none."""
    widths: dict[int, WidthPast] = {}
    """By tenor; a head of an earlier release has none."""
    next_terms: dict[str, tuple[float, float]] = {}
    """As in the state; a head of an earlier release has none."""
    began: int = 0
    """As `SessionState.began`; 0 of an earlier release too."""
    interval: int = QUIET_NS
    """As in the cross-section; an earlier release had no other."""


class NameRows(msgspec.Struct, frozen=True, tag_field="kind", tag="cross-section-names"):
    """Which name each row of the other chunks is."""

    version: Literal[1]
    symbols: list[str]


class CrossSectionCheckpoint:
    """Writes the chunks of a cross-section changed since the last call, and reads them back."""

    def __init__(self, section: CrossSection) -> None:
        self._section = section
        self._written: dict[str, bytes] = {}
        """Small chunks as they were last written."""
        self._gone: set[str] = set()

    def chunks(self) -> dict[str, bytes]:
        """Changed chunks by name; an empty value deletes one."""
        state = self._section.state
        changed = dict.fromkeys(self._gone, b"")
        for name, value in (
            (HEAD, self._head()),
            (NAMES, self._names()),
            (ORIGINS, state.origins.chunk()),
        ):
            if self._written.get(name) != value:
                changed[name] = self._written[name] = value
        for tenor in sorted(state.touched):
            changed[f"{POINTS}{tenor}"] = state.points[tenor].chunk()
        state.touched.clear()
        self._gone.clear()
        changed.update(state.grid.changed())
        changed.update(state.skew.changed())
        changed.update(state.reports.changed())
        changed.update(state.daily.changed())
        changed.update(state.closings.changed())
        changed.update(self._section.held.changed())
        return changed

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Fill a fresh cross-section.

        Names may have moved in the basket since. Raises `ValueError` on foreign bytes.
        """
        prefixes = (POINTS, HELD, GRID, CLOSES, SKEW, VOLS)
        foreign = [
            name
            for name in chunks
            if name not in {HEAD, NAMES, ORIGINS, BAR, REPORTS} and not name.startswith(prefixes)
        ]
        if foreign:
            raise ValueError(
                f"cross/{self._section.spec.symbol}/{foreign[0]} "
                "is not a chunk of the cross-section"
            )
        if HEAD not in chunks or NAMES not in chunks or ORIGINS not in chunks:
            raise ValueError(
                f"a checkpoint of {self._section.spec.symbol} without {HEAD}, {NAMES} or {ORIGINS}"
            )
        self._restore_head(msgspec.msgpack.decode(chunks[HEAD], type=Head))
        self._restore_names(msgspec.msgpack.decode(chunks[NAMES], type=NameRows).symbols, chunks)
        self._section.state.grid.restore(chunks)
        self._section.state.daily.restore(chunks)
        self._section.state.closings.restore(chunks)
        for name, value in chunks.items():
            if name.startswith(HELD):
                self._section.held.put(decode_points(value), value, saved=True)

    def _head(self) -> bytes:
        section, state = self._section, self._section.state
        return msgspec.msgpack.encode(
            Head(
                version=1,
                boundary=section.sources.boundary,
                idle=sorted(section.sources.idle),
                expected=section.sources.expected,
                passed=section.passed,
                last=section.last,
                session=state.hours.session,
                atm_only=state.atm_only,
                flags=state.flags.flags,
                index=state.index,
                references=state.references.levels,
                rotation=state.rotation.latest,
                silent=section.sources.silent,
                words=state.words.words,
                widths=state.widths,
                next_terms=state.next_terms,
                began=state.began,
                interval=section.interval,
            )
        )

    def _names(self) -> bytes:
        return msgspec.msgpack.encode(
            NameRows(version=1, symbols=list(self._section.state.basket.symbols))
        )

    def _restore_head(self, head: Head) -> None:
        section, state = self._section, self._section.state
        if head.session != BEFORE.session:
            state.begin(hours_on(head.session))
        state.touched.clear()
        section.sources.boundary = dict(head.boundary)
        section.sources.idle = set(head.idle)
        section.sources.expected = head.expected
        section.sources.silent = {
            source: silence
            for source, silence in head.silent.items()
            if source in section.sources.idle
        }
        section.passed, section.last = head.passed, head.last
        section.interval = head.interval
        state.atm_only, state.began = head.atm_only, head.began
        state.rotation.latest = head.rotation
        state.flags = FlagBits(tuple(head.flags))
        state.words = ReasonWords(head.words)
        state.next_terms = dict(head.next_terms)
        state.widths |= {
            tenor: past for tenor, past in head.widths.items() if tenor in state.widths
        }
        state.index.update(
            {tenor: point for tenor, point in head.index.items() if tenor in state.index}
        )
        state.references.levels.update(
            {
                name: level
                for name, level in head.references.items()
                if name in state.spec.references
            }
        )

    def _restore_names(self, symbols: list[str], chunks: Mapping[str, bytes]) -> None:
        state = self._section.state
        moved = state.basket.positions_of(tuple(symbols))
        with_index = np.append(moved, len(state.basket.symbols))
        state.origins.restore(chunks[ORIGINS], with_index)
        state.skew.restore(chunks, with_index)
        state.reports.restore(chunks.get(REPORTS), moved)
        for name, value in chunks.items():
            if not name.startswith(POINTS):
                continue
            tenor = int(name.removeprefix(POINTS))
            if tenor not in state.points:
                self._gone.add(name)
                continue
            state.points[tenor].restore(value, moved)
            if tuple(symbols) != state.basket.symbols:
                state.touched.add(tenor)
