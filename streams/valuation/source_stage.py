"""What both input stages share: one source, its clock, its open seconds and its points frames.

There is a points frame for each index and closed second.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.catalogue.counters import DEAD_LETTERS, Counter
from streams.catalogue.outcomes import OUTCOMES, Outcome
from streams.column_chunk import pack_columns, unpack_columns
from streams.decoding.codec import Limits
from streams.decoding.times import FIRST_NS, LAST_NS, dated
from streams.left_out import unread_example
from streams.market import Market
from streams.points import (
    EarningsPoints,
    PointsFrame,
    PricePoints,
    RollPoints,
    SkewPoints,
    SurfacePoints,
)
from streams.points_codec import encode_points
from streams.records import (
    NS,
    Heartbeat,
    Malformed,
    Quotes,
    Record,
    Ticks,
    Unread,
    Vols,
    take_quotes,
)
from streams.refusals.dead_letters import dead_letter
from streams.stage import Message, Output, Role
from streams.valuation.clock import Admission, ClockState, SourceClock
from streams.valuation.reorder_buffer import Columns, ReorderBuffer
from streams.valuation.row_examples import row_example

CHUNK: Final = "source"
"""State chunk with the clock and the rows that wait."""


_Item = TypeVar("_Item", bound=Quotes | Vols | Ticks)


class _SourceState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint keeps beside waiting rows: the clock, and what the stage adds."""

    closed: int
    seen: int
    more: dict[str, Any]


class IndexPart(NamedTuple):
    """What one closed second brings to one index."""

    accepted: int = 0
    refresh_seconds: float | None = None
    surfaces: SurfacePoints | None = None
    prices: PricePoints | None = None
    references: PricePoints | None = None
    skew: SkewPoints | None = None
    roll: RollPoints | None = None
    earnings: EarningsPoints | None = None


class Rows(NamedTuple):
    """Decoded rows on their way to the open seconds; arrays of length n."""

    outcome: NDArray[np.integer[Any]] | None
    """Position in `OUTCOMES`, 0 for a row that is let in; None where all are."""
    columns: Columns
    """As the stage's `ReorderBuffer` wants them."""


class SourceStage(ABC):
    """One source. A subclass says what a row is and what a closed second is worth."""

    ROLE: Role
    ROWS: Counter
    """Of its rows by what became of them."""

    def __init__(self, market: Market, source: str, sources: int, pending: ReorderBuffer) -> None:
        self._market = market
        self._source = source
        self._sources = sources
        self._pending = pending
        self._limits = Limits(ahead_seconds=market.future_tolerance)
        self._clock = SourceClock(market.allowed_lateness, market.future_tolerance)
        self._changed = False

    @property
    def last_event_ns(self) -> int | None:
        """The greatest `ts_event` seen; None before any."""
        return self._clock.seen if self._clock.seen >= 0 else None

    @property
    def evaluated_until(self) -> Mapping[str, datetime]:
        """No reading is evaluated here."""
        return {}

    def process(self, records: Sequence[Record]) -> Output:
        """Apply records of the source, in offset order.

        How they are cut into calls never changes the results.
        """
        output = Output()
        self._changed |= len(records) > 0
        for item in self._decode(records):
            if isinstance(item, Malformed):
                output.messages.append(dead_letter(*item))
                output.counts[DEAD_LETTERS.of(self.ROLE, item.reason)] += 1
                output.examples[self.ROLE, item.reason] = unread_example(item)
            elif isinstance(item, Unread):
                output.counts[self.ROWS.of(item.reason)] += item.rows
                output.examples[self.ROLE, item.reason] = unread_example(item)
            elif isinstance(item, Heartbeat):
                before = self._clock.closed
                self._close(output, before, self._clock.heartbeat(item.ts_event))
            else:
                self._admit(output, item)
            self._apply_early(output)
        return output

    def idle(self) -> Output:
        """Close what is pending and tell every index not to wait for this source.

        That holds until the source speaks again. Called again, this closes nothing.
        """
        output = Output()
        before = self._clock.closed
        self._close(output, before, self._clock.idle())
        self._apply_early(output)
        self._publish(
            output, max(self._clock.closed, 0), [IndexPart()] * len(self._market.indices), idle=True
        )
        self._changed |= self._clock.closed != before
        return output

    def chunks(self) -> dict[str, bytes]:
        """State chunks changed since the last call."""
        if not self._changed:
            return {}
        self._changed = False
        state = self._clock.state()
        meta = msgspec.to_builtins(_SourceState(state.closed, state.seen, self._more()))
        return {CHUNK: pack_columns(f"{self.ROLE}-source", self._pending.columns(), meta)}

    def restore(self, chunks: Mapping[str, bytes]) -> None:
        """Replace all state by that of a checkpoint. Raises `ValueError` on a foreign one."""
        self._changed = False
        if CHUNK not in chunks:
            if chunks:
                raise ValueError(f"a checkpoint of {self.ROLE} without its chunk {CHUNK!r}")
            self._clock.restore(None)
            self._pending.restore(self._pending.empty())
            self._restore_more({}, chunks)
            return
        columns, meta = unpack_columns(f"{self.ROLE}-source", chunks[CHUNK], self._pending.empty())
        state = msgspec.convert(meta, _SourceState)
        self._clock.restore(ClockState(state.closed, state.seen))
        self._pending.restore(columns)
        self._restore_more(state.more, chunks)

    @abstractmethod
    def _decode(
        self, records: Sequence[Record]
    ) -> Iterator[Quotes | Vols | Ticks | Heartbeat | Malformed | Unread]:
        """Records as columns, in order."""

    # The item is what the stage's own `_decode` yields.
    @abstractmethod
    def _rows(self, item: Any, admission: Admission) -> Rows:  # noqa: ANN401
        """Screen decoded columns, given what the clock says about them."""

    def _apply_early(self, output: Output) -> None:  # noqa: B027 - for a stage that does
        """Apply the rows of the second that closes next, before it closes."""

    @abstractmethod
    def _second(self, output: Output, second: int, blocks: list[Columns]) -> Sequence[IndexPart]:
        """Apply the rows of a closed second that still wait.

        The result is what it brings to each index of the market.
        """

    @abstractmethod
    def _more(self) -> dict[str, Any]:
        """State of the subclass that belongs to the chunk of the source."""

    @abstractmethod
    def _restore_more(self, more: Mapping[str, Any], chunks: Mapping[str, bytes]) -> None:
        """Replace the state of the subclass; `more` is empty for a fresh start."""

    def _admit(self, output: Output, item: Quotes | Vols | Ticks) -> None:
        if not FIRST_NS <= int(item.ts_event[0]) < LAST_NS:
            item = self._dated(output, item)
        before = self._clock.closed
        admission = self._clock.admit(item.ts_event, item.record_ts)
        outcome, columns = self._rows(item, admission)
        second, span = admission.second, admission.span
        if outcome is not None and outcome.any():
            kept = np.flatnonzero(outcome == 0)
            self._count(output, outcome[outcome != 0])
            for code in np.unique(outcome[outcome != 0]).tolist():
                row = int(np.argmax(outcome == code))
                output.examples[self.ROLE, OUTCOMES[code]] = row_example(
                    item, row, OUTCOMES[code], admission
                )
            second, columns = second[kept], tuple([column.take(kept) for column in columns])
        if span is None:
            self._pending.add(second, columns)
        elif second.size:
            self._pending.add_block(span.second, columns)
        # Once for each row that closed something: a batch must not look different from its rows.
        if self._clock.closed > before:
            for after in np.unique(admission.closed[admission.closed > before]).tolist():
                self._close(output, before, after)
                before = after

    def _dated(self, output: Output, item: _Item) -> _Item:
        """Without the rows that no clock should see.

        Their times are of another unit, or none at all.
        """
        odd = np.flatnonzero(~dated(item.ts_event))
        output.counts[self.ROWS.of(Outcome.TIME.label)] += odd.size
        output.examples[self.ROLE, Outcome.TIME.label] = row_example(
            item, int(odd[0]), Outcome.TIME.label
        )
        return take_quotes(item, np.flatnonzero(dated(item.ts_event)))

    def _count(self, output: Output, outcome: NDArray[np.integer[Any]]) -> None:
        for code, rows in enumerate(np.bincount(outcome).tolist()):
            if rows:
                output.counts[self.ROWS.of(OUTCOMES[code])] += rows

    def _close(self, output: Output, before: int, after: int) -> None:
        """A frame for each second with input in (before, after], and one for each run without."""
        nothing = [IndexPart()] * len(self._market.indices)
        for second, blocks in self._pending.due(after):
            if second > before + 1:
                self._publish(output, second - 1, nothing)
            self._publish(output, second, self._second(output, second, blocks))
            before = second
        if before < after:
            self._publish(output, after, nothing)

    def _publish(
        self, output: Output, second: int, parts: Sequence[IndexPart], *, idle: bool = False
    ) -> None:
        for spec, part in zip(self._market.indices, parts, strict=True):
            frame = PointsFrame(
                spec.symbol,
                self._source,
                self._sources,
                second * NS,
                part.accepted,
                idle,
                refresh_seconds=part.refresh_seconds,
                surfaces=part.surfaces,
                prices=part.prices,
                references=part.references,
                skew=part.skew,
                roll=part.roll,
                earnings=part.earnings,
            )
            output.messages.append(
                Message(
                    "points", spec.symbol.encode(), encode_points(frame), timestamp=second * 1000
                )
            )


def longest(refresh: NDArray[np.float64]) -> float | None:
    """The longest declared refresh of rows or symbols, seconds.

    None when none is declared (NaN).
    """
    declared = refresh[np.isfinite(refresh)]
    return float(declared.max()) if declared.size else None
