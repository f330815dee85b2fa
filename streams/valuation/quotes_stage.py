"""QuotesStage: from the quote topic to the surfaces of each closed second."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated, Any, cast

import msgspec
import numpy as np

from analytics.arrays import Bools, Floats, Ints
from streams.calendar.sessions import close_ns, day_number, equity_close_ns, open_ns, session_of
from streams.catalogue.counters import QUOTES
from streams.decoding.codec import decode_quotes
from streams.left_out import left_out
from streams.market import Market
from streams.points import EarningsPoints, RollPoints, SkewPoints
from streams.records import NS, Heartbeat, Malformed, Quotes, Record, Unread, Vols
from streams.stage import Output, Role
from streams.uniform import is_uniform, uniform
from streams.valuation.book import QuoteBook
from streams.valuation.book_chunks import BookChunks
from streams.valuation.clock import Admission
from streams.valuation.contract_key import series_of
from streams.valuation.contracts import Contracts
from streams.valuation.listings import Listings
from streams.valuation.out_of_order import QuoteColumns
from streams.valuation.reorder_buffer import Columns, ReorderBuffer, looked_up
from streams.valuation.row_examples import NO_ROOM_LABEL, NO_ROOM_WORDS
from streams.valuation.screen import all_accepted, screen_quotes
from streams.valuation.skews import EVERY_SECONDS
from streams.valuation.source_stage import IndexPart, Rows, SourceStage, longest
from streams.valuation.surfaces import Surfaces
from streams.valuation.universe import underlyings

SERIES_CHUNK = "series"
NO_SECOND = -1
ROLL_NS = 15 * 60 * NS
"""Before the equity close: from then on it is told what the terms of the next session change."""
CHANGES = np.float64(np.nan)
"""Refresh of a feed of changes."""


class _BookState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a checkpoint keeps beside contracts and waiting rows."""

    day: int = 0
    refresh: dict[str, float] = {}
    quoted: list[str] = []
    open: int = NO_SECOND
    """The second of which rows are in the book already."""
    accepted: dict[str, Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]] = {}
    """Of these."""
    skew_slot: int = 0
    unskewed: list[str] = []
    skewed: list[str] | None = None
    """Underlyings valued in `skew_slot`; None of an earlier release, which valued all at once."""


class QuotesStage(SourceStage):
    """One partition of the quote topic.

    The book is cleared when a session begins: quotes of an earlier one are stale for ever.
    """

    ROLE: Role = "quotes"
    ROWS = QUOTES

    def __init__(
        self, market: Market, source: str, sources: int, contracts: int = 1_000_000
    ) -> None:
        super().__init__(
            market,
            source,
            sources,
            ReorderBuffer(
                key=np.int64, ts=np.int64, bid=np.float64, ask=np.float64, refresh=np.float64
            ),
        )
        self._universe = underlyings(market)
        self._book = QuoteBook(contracts)
        self._contracts = Contracts(self._universe, market.am_roots, self._book)
        self._codes = self._contracts.codes
        self._book_chunks = BookChunks(self._book)
        self._listings = Listings(market.am_roots)
        self._surfaces = Surfaces(market, self._universe, self._book, self._listings)
        self._forget()

    def chunks(self) -> dict[str, bytes]:
        """State chunks changed since the last call."""
        self._sum_up()
        chunks = super().chunks()
        if chunks and self._codes.changed:
            chunks[SERIES_CHUNK] = self._codes.encode()
        return chunks | self._book_chunks.changed()

    def _forget(self) -> None:
        n = len(self._universe.symbols)
        self._day = 0
        """Date of the session whose quotes the book holds, days since 1970-01-01; 0 before any."""
        self._quoted: Bools = np.zeros(n, np.bool_)
        """Underlyings with quotes that no value has taken into account."""
        self._opened = NO_SECOND
        """The second whose rows were last applied, if it is known."""
        self._accepted_by_series: Ints = np.zeros(0, np.int64)
        """By series, rows accepted that are not in `_accepted` yet."""
        self._accepted: Ints = np.zeros(n, np.int64)
        """By underlying, rows accepted of the second that closes next."""
        self._skew_slot: Ints = np.zeros(n, np.int64)
        """By underlying, the ten seconds (counted from 1970) in which its skew was last valued."""
        self._unskewed: Bools = np.zeros(n, np.bool_)
        """Underlyings with quotes that no skew has taken into account."""
        self._refresh: Floats = np.full(n, np.nan)

    def _decode(
        self, records: Sequence[Record]
    ) -> Iterator[Quotes | Vols | Heartbeat | Malformed | Unread]:
        return decode_quotes(records, self._limits)

    def _rows(self, item: Quotes | Vols, admission: Admission) -> Rows:
        packed = self._contracts.pack(item)
        outcome = (
            None
            if all_accepted(item, admission, packed.contracted)
            else screen_quotes(item, admission, packed.contracted)
        )
        if outcome is not None and packed.misfit is not None:
            misfits = (outcome == 0) & (packed.misfit > 0)
            outcome[misfits] = packed.misfit[misfits]
        refresh = uniform(
            CHANGES if item.refresh_seconds is None else np.float64(item.refresh_seconds),
            packed.key.size,
        )
        return Rows(outcome, (packed.key, item.ts_event, *_values(item), refresh))

    def _apply_early(self, output: Output) -> None:
        second = self._clock.closed + 1
        if second in self._pending:
            self._apply(output, second, self._pending.take(second))

    def _second(self, output: Output, second: int, blocks: list[Columns]) -> list[IndexPart]:
        self._apply(output, second, blocks)
        self._sum_up()
        refresh = np.where(self._quoted, self._refresh, np.nan)
        parts = [
            IndexPart(int(self._accepted[used].sum()), longest(refresh[used]))
            for used in self._universe.used
        ]
        self._accepted[:] = 0
        now = second * NS
        session = session_of(now)
        if session is None or not open_ns(session) < now <= close_ns(session):
            return parts
        surfaces = self._surfaces.value(now, self._day, self._quoted, self._refresh)
        self._surfaces.doubted_quotes.put(output, self._codes.known)
        self._surfaces.unsolved_strips.put(output)
        self._unskewed |= self._quoted
        due = self._due(second)
        rolls = self._rolls(second, session, due) or [None] * len(parts)
        earnings = self._earnings(second, due) or [None] * len(parts)
        skews = self._skews(second, due) or [None] * len(parts)
        self._quoted[:] = False
        return [
            part._replace(surfaces=points, skew=skew, roll=roll, earnings=reports)
            for part, points, skew, roll, reports in zip(
                parts, surfaces, skews, rolls, earnings, strict=True
            )
        ]

    def _due(self, second: int) -> Bools:
        """Underlyings quoted since their last skew, whose last skew is of other ten seconds.

        It is asked of each alone: when one is valued does not hang on who shares its partition.
        """
        return np.asarray(self._unskewed & (self._skew_slot != second // EVERY_SECONDS))

    def _rolls(self, second: int, session: date, due: Bools) -> tuple[RollPoints | None, ...]:
        """What the terms of the next session do to vols, in the seconds of skews near the close.

        Of an underlying that is quoted later in its ten seconds, those before hold.
        """
        if second * NS <= equity_close_ns(session) - ROLL_NS or not due.any():
            return ()
        return self._surfaces.roll(second * NS, self._day, due, self._refresh)

    def _earnings(self, second: int, due: Bools) -> tuple[EarningsPoints | None, ...]:
        """Vols without coming reports, in the seconds of skews."""
        if self._market.earnings is None or not due.any():
            return ()
        return self._surfaces.earnings(second * NS, self._day, due, self._refresh)

    def _skews(self, second: int, due: Bools) -> tuple[SkewPoints | None, ...]:
        """Skews of what was quoted since its last ones.

        An underlying has them in its first second with quotes of each ten; empty in the others.
        """
        if not due.any():
            return ()
        self._skew_slot[due] = second // EVERY_SECONDS
        skews = self._surfaces.skews.value(second * NS, self._day, due, self._refresh)
        self._unskewed &= ~due
        return skews

    def _apply(self, output: Output, second: int, blocks: list[Columns]) -> None:
        """Take rows of one second into the book; the first of a session find it empty."""
        if second != self._opened:
            self._opened = second
            session = session_of(second * NS)
            if session is not None and day_number(session) != self._day:
                self._begin(day_number(session), [block[0] for block in blocks])
        for block in blocks:
            self._take(output, block)

    def _begin(self, day: int, keys: Sequence[Ints]) -> None:
        """Clear the book; of the series those stay that wait, with `keys` or for a later second."""
        self._book.clear()
        waiting = np.concatenate([*keys, self._pending.columns()["key"]])
        self._codes.keep(np.unique(series_of(waiting)))
        self._accepted_by_series[:] = 0
        self._contracts.forget()
        self._book_chunks.cleared()
        self._surfaces.doubted_quotes.clear()
        self._listings.clear()
        self._surfaces.relisted(set(self._universe.symbols))
        self._day = day
        self._quoted[:] = self._unskewed[:] = False
        self._refresh[:] = np.nan

    def _take(self, output: Output, block: Columns) -> None:
        """Take rows into the book."""
        key, ts, bid, ask, refresh = block
        located = self._contracts.locate(key)
        duplicate, no_room = self._book.apply(located.slots, QuoteColumns(ts, bid, ask))
        bare, counts = (bid == 0) | (ask == 0), located.counts
        if self._codes.in_vols.any():
            bare &= ~self._codes.in_vols[located.series]
        if duplicate.size or no_room.size:
            rejected = np.concatenate([duplicate, no_room])
            bare[rejected] = False
            counts = counts - np.bincount(located.series[rejected], minlength=counts.size)
        if self._accepted_by_series.size < counts.size:
            self._accepted_by_series = np.concatenate(
                [
                    self._accepted_by_series,
                    np.zeros(len(self._codes.known) - self._accepted_by_series.size, np.int64),
                ]
            )
        self._accepted_by_series[: counts.size] += counts
        no_bid, rejects = int(np.count_nonzero(bare)), duplicate.size + no_room.size
        by_outcome = {
            "no_bid": no_bid,
            "accepted": ts.size - rejects - no_bid,
            "duplicate": duplicate.size,
            "no_room": no_room.size,
        }
        for outcome, rows in by_outcome.items():
            if rows:
                output.counts[QUOTES.of(outcome)] += rows
        if no_room.size:
            series = self._codes.known[int(located.series[no_room[0]])]
            output.examples["quotes", NO_ROOM_LABEL] = left_out(
                NO_ROOM_LABEL, NO_ROOM_WORDS, series.root
            )
        if is_uniform(refresh) and not no_room.size:
            self._refresh[located.underlying] = refresh[0]
        else:
            self._refresh[np.delete(self._codes.underlying[located.series], no_room)] = np.delete(
                refresh, no_room
            )

    def _sum_up(self) -> None:
        """Carry over what the series have had.

        It goes to the underlyings, and to what a checkpoint has to write.
        """
        present = np.flatnonzero(self._accepted_by_series)
        if present.size:
            self._book_chunks.touch(present)
            np.add.at(
                self._accepted, self._codes.underlying[present], self._accepted_by_series[present]
            )
            self._quoted |= self._accepted > 0
            self._accepted_by_series[:] = 0
        self._list()

    def _list(self) -> None:
        self._surfaces.relisted(self._listings.add(self._book.new_segments, self._codes.known))
        self._book.new_segments.clear()

    def _more(self) -> dict[str, Any]:
        symbols = self._universe.symbols
        refresh = {
            symbols[at]: float(self._refresh[at])
            for at in np.flatnonzero(np.isfinite(self._refresh)).tolist()
        }
        slot = int(self._skew_slot.max(initial=0))
        quoted, unskewed, skewed = (
            [symbols[at] for at in np.flatnonzero(which).tolist()]
            for which in (self._quoted, self._unskewed, self._skew_slot == slot)
        )
        accepted = {
            symbols[at]: int(self._accepted[at]) for at in np.flatnonzero(self._accepted).tolist()
        }
        opened = self._opened if self._opened > self._clock.closed else NO_SECOND
        state = _BookState(self._day, refresh, quoted, opened, accepted, slot, unskewed, skewed)
        return cast("dict[str, Any]", msgspec.to_builtins(state))

    def _restore_more(self, more: Mapping[str, Any], chunks: Mapping[str, bytes]) -> None:
        self._forget()
        self._contracts.forget()
        self._codes.restore(chunks.get(SERIES_CHUNK))
        key = self._pending.columns()["key"]
        self._pending.renumber(
            "key", np.where(looked_up(self._codes.underlying, series_of(key)) >= 0, key, -1)
        )
        self._book_chunks.restore(chunks, self._codes.underlying)
        self._surfaces.doubted_quotes.clear()
        self._listings.clear()
        self._surfaces.relisted(set(self._universe.symbols))
        self._list()
        state = msgspec.convert(more, _BookState) if more else _BookState()
        self._day = state.day
        if state.skewed is None:
            self._skew_slot[:] = state.skew_slot
        self._opened = state.open
        if self._opened != NO_SECOND:
            self._pending.expect(self._opened)
        for symbol in state.accepted.keys() & self._universe.position.keys():
            self._accepted[self._universe.position[symbol]] = state.accepted[symbol]
        for symbol in state.refresh.keys() & self._universe.position.keys():
            self._refresh[self._universe.position[symbol]] = state.refresh[symbol]
        self._skew_slot[self._positions(state.skewed or ())] = state.skew_slot
        self._quoted[self._positions(state.quoted)] = True
        self._unskewed[self._positions(state.unskewed)] = True

    def _positions(self, symbols: Sequence[str]) -> list[int]:
        """Of those that are monitored still."""
        place = self._universe.position
        return [place[symbol] for symbol in symbols if symbol in place]


def _values(item: Quotes | Vols) -> tuple[Floats, Floats]:
    """The two numbers of a contract that the book keeps."""
    return (item.bid, item.ask) if isinstance(item, Quotes) else (item.vol, item.delta)
