"""Some records of an input topic as a worker would screen them, without a book and without values.

What a stage lets in is judged by the same reader, clock and screen. A row that repeats its
contract's quote counts as accepted here, for there is no book that knew it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.calendar.expiries import settles_am
from streams.catalogue.outcomes import OUTCOMES, Outcome
from streams.decoding.codec import Limits, decode_quotes, decode_ticks, record_ns
from streams.decoding.times import dated
from streams.left_out import LeftOut, unread_example
from streams.market import Market
from streams.records import Heartbeat, Malformed, Quotes, Record, Ticks, Unread, Vols, take_quotes
from streams.valuation.clock import Admission, SourceClock
from streams.valuation.row_examples import row_example
from streams.valuation.screen import Contracted, screen_quotes, screen_ticks
from streams.valuation.universe import ticking, underlyings

ACCEPTED: Final = OUTCOMES[Outcome.ACCEPTED]
MOST_WORTH: Final = 1.05
"""Of its strike, what a put may be bid for, a fat finger aside."""
Rows = Quotes | Vols | Ticks
Item = Rows | Heartbeat | Malformed | Unread


@dataclass
class PartitionSample:
    """What one partition has of the sample; times in ns, 0 where there is none."""

    clock: SourceClock
    records: int = 0
    refused: int = 0
    """Records of which no row could be read."""
    rows: int = 0
    beats: int = 0
    repeated_beats: int = 0
    """Heartbeats that promise nothing new: one feed sends none, two by turns do."""
    record: int = 0
    """Time of the newest record, as Kafka has it."""
    beat: int = 0
    """Event time of the newest heartbeat."""
    slow: bool = False
    """A refresh is declared: the source is silent between its sweeps."""


class InputSample:
    """Records of all partitions of one input topic, taken in one after another."""

    def __init__(self, market: Market, *, ticks: bool) -> None:
        self._market = market
        self.ticks = ticks
        self._limits = Limits(ahead_seconds=market.future_tolerance)
        self._ticking = ticking(market)[0].position
        self._underlyings = underlyings(market).position
        self.partitions: dict[int, PartitionSample] = {}
        self.outcomes: Counter[str] = Counter()
        """Rows by outcome; a refused record counts as one row of its reason."""
        self.examples: dict[str, LeftOut] = {}
        """By reason, the first of what was left out."""
        self.names: dict[str, int] = {}
        """By underlying or symbol, the time (ns) of its newest accepted row."""
        self.event = 0
        """Time of the newest row (ns) that is no more ahead than is allowed."""
        self.delay = 0
        """By how much that row is behind its record, ns."""
        self.put_bids = 0
        """Accepted puts that somebody bids for."""
        self.impossible_bids = 0
        """Those whose bid is above their strike, as of prices in another unit."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """Underlyings of the market, or published levels of the ticks topic."""
        if not self.ticks:
            return tuple(self._underlyings)
        levels = (symbol for index in self._market.indices for symbol in index.references)
        return tuple(dict.fromkeys(levels))

    def part(self, partition: int) -> PartitionSample:
        """What is known of a partition."""
        if partition not in self.partitions:
            market = self._market
            clock = SourceClock(market.allowed_lateness, market.future_tolerance)
            self.partitions[partition] = PartitionSample(clock)
        return self.partitions[partition]

    def add(self, records: Sequence[Record]) -> None:
        """Take in records of one partition, in offset order; never raises."""
        part = self.part(records[0].partition)
        part.records += len(records)
        part.record = max(part.record, *(record_ns(one) for one in records))
        for item in self._decode(records):
            if isinstance(item, Heartbeat):
                part.beats += 1
                part.repeated_beats += item.ts_event <= part.beat
                part.beat = max(part.beat, item.ts_event)
                part.clock.heartbeat(item.ts_event)
            elif isinstance(item, Malformed):
                part.refused += 1
                self._leave_out(unread_example(item), 1)
            elif isinstance(item, Unread):
                part.rows += item.rows
                self._leave_out(unread_example(item), item.rows)
            else:
                part.rows += int(item.ts_event.size)
                part.slow |= item.refresh_seconds is not None
                self._screen(part, item)

    def _decode(self, records: Sequence[Record]) -> Iterator[Item]:
        if self.ticks:
            return decode_ticks(records, self._market.reference_symbols, self._limits)
        return decode_quotes(records, self._limits)

    def _screen(self, part: PartitionSample, item: Rows) -> None:
        known = dated(item.ts_event)
        if not known.all():
            label = Outcome.TIME.label
            example = row_example(item, int(np.argmin(known)), label)
            self._leave_out(example, int(np.count_nonzero(~known)))
            item = take_quotes(item, np.flatnonzero(known))
        if not item.ts_event.size:
            return
        admission = part.clock.admit(item.ts_event, item.record_ts)
        outcome = self._outcome(item, admission)
        for code in np.unique(outcome).tolist():
            rows = np.flatnonzero(outcome == code)
            label = OUTCOMES[code]
            if label != ACCEPTED:
                self._leave_out(row_example(item, int(rows[0]), label, admission), rows.size)
        accepted = np.flatnonzero(outcome == Outcome.ACCEPTED)
        self._accept(item, accepted)
        self._bids(item, accepted)
        self._time(item, np.flatnonzero(~admission.future))

    def _outcome(self, item: Rows, admission: Admission) -> NDArray[np.int8]:
        if isinstance(item, Ticks):
            return screen_ticks(item, admission, self._ticking)
        wanted = np.array([one.underlying in self._underlyings for one in item.series], np.bool_)
        morning = settles_am(item.series, self._market.am_roots)
        return screen_quotes(item, admission, Contracted(wanted, morning))

    def _accept(self, item: Rows, rows: NDArray[np.int64]) -> None:
        self.outcomes[ACCEPTED] += int(rows.size)
        codes = item.symbol_code if isinstance(item, Ticks) else item.series_code
        for code in np.unique(codes[rows]).tolist():
            name = item.symbols[code] if isinstance(item, Ticks) else item.series[code].underlying
            newest = int(item.ts_event[rows][codes[rows] == code].max())
            self.names[name] = max(self.names.get(name, 0), newest)

    def _bids(self, item: Rows, rows: NDArray[np.int64]) -> None:
        """No put is worth more than its strike."""
        if isinstance(item, Quotes):
            puts = rows[~item.call[rows] & (item.bid[rows] > 0)]
            self.put_bids += puts.size
            self.impossible_bids += int(
                np.count_nonzero(item.bid[puts] > MOST_WORTH * item.strike[puts])
            )

    def _time(self, item: Rows, rows: NDArray[np.int64]) -> None:
        if not rows.size:
            return
        at = rows[int(np.argmax(item.ts_event[rows]))]
        if int(item.ts_event[at]) >= self.event:
            self.event = int(item.ts_event[at])
            self.delay = int(item.record_ts[at]) - self.event

    def _leave_out(self, example: LeftOut, rows: int) -> None:
        self.outcomes[example.reason] += rows
        self.examples.setdefault(example.reason, example)
