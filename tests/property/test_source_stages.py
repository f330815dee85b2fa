"""Frames are a function of the source alone.

They are none of how it was cut into calls, nor of restarts from checkpoints.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.calendar.sessions import close_ns, next_session, open_ns
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.records import NS, InputRecord, Ticks, take_quotes
from streams.stage import Count, Message, Output
from streams.valuation.quotes_stage import QuotesStage
from streams.valuation.source_stage import SourceStage
from streams.valuation.ticks_stage import TicksStage
from tests.support.input_records import frame_of, heartbeat, numbered, record
from tests.support.option_chains import Chain, quotes_of, taken
from tests.support.option_vols import vols_of

SESSION = date(2026, 7, 8)
OPEN = open_ns(SESSION)
TERMS = (date(2026, 7, 24), date(2026, 8, 7), date(2026, 8, 14), date(2026, 8, 21))
MARKET = Market(
    (
        IndexSpec(
            "SPY",
            Basket("x", tuple(Constituent(name, 1.0) for name in ("AAPL", "MSFT", "NVDA"))),
            tenors=(30, 9),
        ),
        IndexSpec("AAPL", references=("VXAPL", "VIX")),
    )
)
QUOTES = quotes_of(
    [
        Chain(name, TERMS, vol=0.2 + n / 10, step=4.0)
        for n, name in enumerate(("SPY", "AAPL", "MSFT", "NVDA", "ZZZZ"))
    ],
    OPEN,
)
VOLS = vols_of([Chain(name, TERMS, vol=0.2, step=4.0) for name in ("SPY", "NVDA", "ZZZZ")], OPEN)
INSTANTS = (
    OPEN - 2 * NS,
    OPEN + NS,
    close_ns(SESSION) - 900 * NS - 62 * NS,
    close_ns(SESSION) - NS,
    open_ns(next_session(SESSION)),
)
"""Where the tests look closely: around opens and closes, and where near terms change."""

cuts = st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=12)
Rows = tuple[int, list[int], np.random.Generator]
"""Position of an instant, milliseconds after it, and what chooses the rest."""
Make = Callable[[], SourceStage]


def quote_record(draw: Rows) -> InputRecord:
    at, offsets, rng = draw
    stamp = INSTANTS[at] + np.array(offsets, np.int64) * 1_000_000
    rows = rng.integers(0, QUOTES.strike.size, stamp.size)
    refresh = [None, 1.0, 3600.0][int(rng.integers(3))]
    if rng.random() < 0.2:
        vols = take_quotes(VOLS, rng.integers(0, VOLS.strike.size, stamp.size))
        return frame_of(vols._replace(ts_event=stamp, refresh_seconds=refresh))
    return frame_of(taken(QUOTES, rows)._replace(ts_event=stamp, refresh_seconds=refresh))


def tick_record(draw: Rows) -> InputRecord:
    at, offsets, rng = draw
    stamp = INSTANTS[at] + np.array(offsets, np.int64) * 1_000_000
    code = rng.integers(0, 5, stamp.size).astype(np.int32)
    price = rng.integers(1, 4, stamp.size).astype(np.float64)
    return frame_of(
        Ticks(("SPY", "AAPL", "VIX", "VXAPL", "ZZZZ"), code, price, price, stamp, stamp)
    )


@st.composite
def inputs(draw: st.DrawFn, make: Callable[[Rows], InputRecord]) -> list[InputRecord]:
    """Records of a source, roughly in order of time.

    Heartbeats, rubbish and full boards are among them.
    """
    records = []
    for at in sorted(draw(st.lists(st.integers(0, len(INSTANTS) - 1), min_size=1, max_size=8))):
        kind = draw(st.sampled_from(("rows", "rows", "rows", "board", "heartbeat", "rubbish")))
        offsets = draw(st.lists(st.integers(0, 5000), min_size=1, max_size=30))
        rng = np.random.default_rng(draw(st.integers(0, 1000)))
        if kind == "board" and make is quote_record:
            stamp = np.full(QUOTES.strike.size, INSTANTS[at] + offsets[0] * 1_000_000)
            records.append(frame_of(QUOTES._replace(ts_event=stamp)))
        elif kind == "heartbeat":
            records.append(heartbeat(INSTANTS[at] + offsets[0] * 1_000_000))
        elif kind == "rubbish":
            records.append(record(b"{", INSTANTS[at]))
        else:
            records.append(make((at, offsets, rng)))
    return numbered(records)


def uninterrupted(
    make: Make, records: Sequence[InputRecord]
) -> tuple[list[Message], Counter[Count]]:
    stage = make()
    outputs = [stage.process(records), stage.idle()]
    return _messages(outputs), _counts(outputs)


def interrupted(
    make: Make, records: Sequence[InputRecord], plan: Sequence[tuple[int, bool]]
) -> tuple[list[Message], Counter[Count]]:
    """The same in pieces.

    Where the plan says so, the process ends after a checkpoint and another one goes on.
    """
    stage, stored, outputs, at = make(), dict[str, bytes](), [], 0
    for size, restart in [*plan, (len(records), False)]:
        outputs.append(stage.process(records[at : at + size]))
        at += size
        for name, value in stage.chunks().items():
            stored.pop(name, None)
            if value:
                stored[name] = value
        if restart:
            stage = make()
            stage.restore(stored)
    outputs.append(stage.idle())
    return _messages(outputs), _counts(outputs)


def _messages(outputs: Sequence[Output]) -> list[Message]:
    return [message for output in outputs for message in output.messages]


def _counts(outputs: Sequence[Output]) -> Counter[Count]:
    return sum((output.counts for output in outputs), Counter())


@settings(max_examples=60, deadline=None)
@given(inputs(quote_record), cuts)
def test_points_of_quotes_do_not_depend_on_cuts_and_restarts(
    records: list[InputRecord], plan: list[tuple[int, bool]]
) -> None:
    def make() -> QuotesStage:
        return QuotesStage(MARKET, "quotes:0", 2, contracts=QUOTES.strike.size // 2)

    assert interrupted(make, records, plan) == uninterrupted(make, records)


@settings(max_examples=60, deadline=None)
@given(inputs(tick_record), cuts)
def test_points_of_ticks_do_not_depend_on_cuts_and_restarts(
    records: list[InputRecord], plan: list[tuple[int, bool]]
) -> None:
    def make() -> TicksStage:
        return TicksStage(MARKET, "ticks:0", 2)

    assert interrupted(make, records, plan) == uninterrupted(make, records)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 4000), min_size=1, max_size=40),
    st.lists(st.integers(1, 10), max_size=10),
    st.integers(0, 1000),
)
def test_points_do_not_depend_on_how_rows_share_records(
    offsets: list[int], sizes: list[int], seed: int
) -> None:
    stamp = INSTANTS[1] + np.array(offsets, np.int64) * 1_000_000
    rows = taken(QUOTES, np.random.default_rng(seed).integers(0, 30, stamp.size))._replace(
        ts_event=stamp, record_ts=stamp
    )
    edges = np.unique(np.minimum(np.cumsum([0, *sizes, stamp.size]), stamp.size))
    pieces = [taken(rows, np.arange(start, stop)) for start, stop in pairwise(edges.tolist())]
    newest = int(stamp.max()) // 1_000_000 + 1
    whole, parts = (
        published([frame_of(one)._replace(timestamp=newest) for one in frames], newest)
        for frames in ([rows], pieces)
    )
    assert whole == parts


def published(records: list[InputRecord], newest: int) -> tuple[list[Message], Counter[Count]]:
    output = QuotesStage(MARKET, "quotes:0", 1).process([*records, heartbeat(newest * 1_000_000)])
    return output.messages, output.counts
