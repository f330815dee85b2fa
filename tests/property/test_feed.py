"""The feed: every accepted row once, in its name's partition and its second.

The records are the same every time.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, time
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.calendar.sessions import close_ns, trading_hours, wall_ns
from streams.decoding.codec import HEARTBEAT_CONTENT_TYPE, decode_quotes, decode_ticks
from streams.framing.framing import FRAME_ROWS
from streams.records import NS, Heartbeat, InputRecord, Quotes, Series, Ticks, take_quotes
from streams.sources.feed import FileFeed, Routing
from streams.sources.refusals import Refusals
from streams.sources.source import Batch, SourceUniverse, by_second
from streams.sources.tick_rows import take_ticks
from streams.stage import Role
from streams.topics import Topics

NAMES = ("AAPL", "BRK.B", "NVDA", "SPY")
NOON = wall_ns(date(2026, 7, 10), time(12))
AFTER = close_ns(date(2026, 7, 10))
TOPICS = Topics("test.")
Row = tuple[int, int, float]
rows = st.lists(
    st.tuples(
        st.integers(0, len(NAMES) - 1),
        st.one_of(st.integers(NOON, NOON + 4 * NS), st.integers(AFTER, AFTER + 2 * NS)),
        st.floats(1, 1000).map(lambda strike: round(strike, 2)),
    ),
    max_size=40,
)


class Fixed(NamedTuple):
    """A source of given rows."""

    columns: Quotes | Ticks
    refusals: Refusals = Refusals()

    @property
    def role(self) -> Role:
        return "ticks" if isinstance(self.columns, Ticks) else "quotes"

    def batches(self, universe: SourceUniverse) -> Iterator[Batch]:
        del universe
        for boundary, chosen in by_second(self.columns.ts_event):
            columns = self.columns
            yield Batch(
                boundary,
                take_quotes(columns, chosen)
                if isinstance(columns, Quotes)
                else take_ticks(columns, chosen),
            )


def quotes(given_rows: list[Row]) -> Quotes:
    name = np.array([row[0] for row in given_rows], np.int32)
    ts = np.array([row[1] for row in given_rows], np.int64)
    strike = np.array([row[2] for row in given_rows], np.float64)
    one = np.ones(len(ts))
    series = tuple(Series(name, name) for name in NAMES)
    return Quotes(
        series, name, np.full(len(ts), 20_000, np.int32), strike, one > 0, one, one, ts, ts, 10.0
    )


def ticks(given_rows: list[Row]) -> Ticks:
    columns = quotes(given_rows)
    return Ticks(
        NAMES, columns.series_code, columns.strike, columns.bid, columns.ts_event, columns.ts_event
    )


def partition_of(name: str, partitions: int) -> int:
    return len(name) * 7 % partitions


def feed(q: list[Row], t: list[Row], partitions: tuple[int, int]) -> FileFeed:
    return FileFeed(
        [Fixed(quotes(q)), Fixed(ticks(t))],
        SourceUniverse(frozenset(), frozenset()),
        Routing(*partitions, partition_of, TOPICS),
    )


def decoded(record: InputRecord) -> list[Quotes | Ticks | Heartbeat]:
    found = (
        decode_quotes([record])
        if record.topic == TOPICS.name("quotes")
        else decode_ticks([record], ())
    )
    return [item for item in found if isinstance(item, Quotes | Ticks | Heartbeat)]


@given(rows, rows, st.tuples(st.integers(1, 4), st.integers(1, 3)))
def test_every_row_once_in_its_partition_and_second(
    q: list[Row], t: list[Row], partitions: tuple[int, int]
) -> None:
    one = feed(q, t, partitions)
    records = list(one.records())
    assert records == list(feed(q, t, partitions).records())
    seen: Counter[tuple[str, str, int, float]] = Counter()
    for record in records:
        [item] = decoded(record)
        if isinstance(item, Heartbeat):
            assert item.ts_event == record.timestamp * 1_000_000
            continue
        assert len(item.ts_event) <= FRAME_ROWS
        assert (
            (item.ts_event <= record.timestamp * 1_000_000)
            & (item.ts_event > record.timestamp * 1_000_000 - NS)
        ).all()
        names = [
            item.series[code].underlying if isinstance(item, Quotes) else item.symbols[code]
            for code in _codes(item)
        ]
        count = partitions[0] if isinstance(item, Quotes) else partitions[1]
        assert {partition_of(name, count) for name in names} == {record.partition}
        values = item.strike if isinstance(item, Quotes) else item.price
        seen.update(
            zip(
                [type(item).__name__] * len(names),
                names,
                item.ts_event.tolist(),
                values.tolist(),
                strict=True,
            )
        )
    expected = Counter(
        (kind, NAMES[name], ts, value)
        for kind, given_rows in (("Quotes", q), ("Ticks", t))
        for name, ts, value in _inside(given_rows)
    )
    assert seen == expected
    assert one.counts["quotes", "outside_session"] == len(q) - len(_inside(q))
    assert one.counts["ticks", "outside_session"] == len(t) - len(_inside(t))


@given(rows, rows, st.tuples(st.integers(1, 4), st.integers(1, 3)))
def test_heartbeats_to_every_partition_and_offsets_without_gaps(
    q: list[Row], t: list[Row], partitions: tuple[int, int]
) -> None:
    records = list(feed(q, t, partitions).records())
    boundaries = sorted({-(-ts // NS) * NS // 1_000_000 for _, ts, _ in [*_inside(q), *_inside(t)]})
    expected = [*boundaries, *boundaries[-1:]]
    places = [(TOPICS.name("quotes"), p) for p in range(partitions[0])] + [
        (TOPICS.name("ticks"), p) for p in range(partitions[1])
    ]
    for place in places:
        mine = [record for record in records if (record.topic, record.partition) == place]
        assert [record.offset for record in mine] == list(range(len(mine)))
        assert [record.timestamp for record in mine] == sorted(record.timestamp for record in mine)
        assert [record.timestamp for record in mine if _beats(record)] == expected
    assert len(records) == sum((record.topic, record.partition) in places for record in records)


def test_long_seconds_are_cut_into_frames_and_a_span_is_kept() -> None:
    many: list[Row] = [(3, NOON, float(strike)) for strike in range(1, 4_502)]
    frames = [
        record
        for record in feed(many, [(0, NOON + NS, 1.0)], (1, 1)).records(last=NOON)
        if not _beats(record)
    ]
    assert [
        len(item.ts_event)
        for record in frames
        for item in decoded(record)
        if isinstance(item, Quotes)
    ] == [2000, 2000, 501]
    assert {
        record.timestamp
        for record in feed(many, [(0, NOON + NS, 1.0)], (1, 1)).records(first=NOON + 1)
    } == {(NOON + NS) // 1_000_000}


def _codes(item: Quotes | Ticks) -> list[int]:
    codes: list[int] = (item.series_code if isinstance(item, Quotes) else item.symbol_code).tolist()
    return codes


def _inside(given_rows: list[Row]) -> list[Row]:
    return [row for row in given_rows if trading_hours(np.array([row[1]]))[0]]


def _beats(record: InputRecord) -> bool:
    return ("content-type", HEARTBEAT_CONTENT_TYPE.encode()) in record.headers
