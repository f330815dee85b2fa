"""What the monitor makes of a feed does not depend on how its partitions are read.

Nor does it depend on how they are framed or read again after a crash.
"""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.calendar.sessions import open_ns
from streams.decoding.codec import Limits
from streams.framing.framing import FRAME_ROWS, Framer
from streams.framing.intake import Intake
from streams.framing.partitioner import partition_of
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.points_codec import decode_points, encode_points
from streams.records import NS, InputRecord, Quotes
from streams.stage import Message
from streams.valuation.quotes_stage import QuotesStage
from tests.support.input_records import heartbeat, record
from tests.support.option_chains import Chain, quotes_of, taken
from tests.support.option_vols import vols_of

SESSION = date(2026, 7, 8)
START = open_ns(SESSION) + 60 * NS
TERMS = (date(2026, 7, 31), date(2026, 8, 14))
CHAINS = [
    Chain(name, TERMS, vol=0.2 + n / 10, step=8.0) for n, name in enumerate(("SPY", "AAPL", "MSFT"))
]
MARKET = Market(
    (IndexSpec("SPY", Basket("two", (Constituent("AAPL", 2.0), Constituent("MSFT", 1.0)))),),
    mode="replay",
)
INPUTS, OUTPUTS, SECONDS, LATENESS = 3, 2, 6, 0.25
BAD = b'{"underlying":'
Feed = list[list[InputRecord]]
"""Records by partition."""


def feed(seed: int, *, beats: bool) -> tuple[Feed, list[InputRecord]]:
    """The records of each input partition, and those of all in the order of event time.

    Every quote is news of its own time.
    """
    rng = np.random.default_rng(seed)
    whole = quotes_of(CHAINS, START)
    stamps = np.unique(START + rng.integers(1, SECONDS * NS, 500))
    quotes = taken(whole, rng.integers(0, whole.strike.size, stamps.size))._replace(ts_event=stamps)
    quotes = quotes._replace(bid=quotes.bid * rng.uniform(0.9, 1.0, stamps.size))
    in_order = [
        record(quote, int(at)) for quote, at in zip(json_quotes(quotes), stamps, strict=True)
    ]
    ends = [START + second * NS for second in range(1, SECONDS)] if beats else []
    parts: Feed = [[] for _ in range(INPUTS)]
    for one in in_order:
        parts[int(rng.integers(INPUTS))].append(one)
    for part in parts:
        part.insert(int(rng.integers(len(part))), record(BAD, START))
        part.extend(map(heartbeat, [*ends, START + SECONDS * NS]))
        part.sort(key=lambda one: one.timestamp)
    in_order = sorted(
        [*in_order, *map(heartbeat, [*ends, START + SECONDS * NS])], key=lambda one: one.timestamp
    )
    return [
        [one._replace(partition=p, offset=at) for at, one in enumerate(part)]
        for p, part in enumerate(parts)
    ], in_order


def json_quotes(quotes: Quotes) -> list[bytes]:
    rows = zip(
        quotes.series_code,
        quotes.expiry,
        quotes.strike,
        quotes.call,
        quotes.bid,
        quotes.ask,
        quotes.ts_event,
        strict=True,
    )
    return [
        json.dumps(
            {
                "underlying": quotes.series[code].underlying,
                "expiry": date.fromordinal(date(1970, 1, 1).toordinal() + int(day)).isoformat(),
                "strike": float(strike),
                "right": "C" if call else "P",
                "bid": float(bid),
                "ask": float(ask),
                "ts_event": int(at),
            }
        ).encode()
        for code, day, strike, call, bid, ask, at in rows
    ]


def points(by_partition: Iterable[Sequence[InputRecord]]) -> list[bytes]:
    """What the monitor knows after each second, but for how many quotes told it."""
    outputs = [
        QuotesStage(MARKET, f"quotes:{p}", OUTPUTS).process(list(records))
        for p, records in enumerate(by_partition)
    ]
    frames = [
        decode_points(message.value or b"")
        for output in outputs
        for message in output.messages
        if message.role == "points"
    ]
    return [encode_points(replace(frame, accepted=int(frame.accepted > 0))) for frame in frames]


def directly(in_order: Sequence[InputRecord]) -> list[bytes]:
    """The feed as one that writes to the monitor's partitions itself."""
    parts: Feed = [[] for _ in range(OUTPUTS)]
    for one in in_order:
        given_to = (
            range(OUTPUTS)
            if one.headers
            else [partition_of(json.loads(one.value or b"")["underlying"], OUTPUTS)]
        )
        for partition in given_to:
            parts[partition].append(one)
    return points(parts)


def framed(messages: Sequence[Message]) -> list[bytes]:
    parts: Feed = [[] for _ in range(OUTPUTS)]
    for message in messages:
        assert message.partition is not None
        at = (
            message.timestamp
            if message.timestamp is not None
            else (START + SECONDS * NS) // 1_000_000
        )
        parts[message.partition].append(
            InputRecord("quotes", message.partition, 0, at, None, message.value, message.headers)
        )
    return points(parts)


def intake() -> Intake:
    return Intake(range(INPUTS), Framer(OUTPUTS, partition_of, rows=40), LATENESS, Limits())


class Run(NamedTuple):
    """What one process did before it ended."""

    frames: list[Message]
    letters: list[Message]
    committed: dict[int, int]
    """Offsets of the last commit."""
    safe: int
    """Frames that were out by then."""


def read(parts: Feed, rng: random.Random, start: dict[int, int], steps: int) -> Run:
    """Some reads of partitions in any order and size."""
    into, at = intake(), {p: start.get(p, 0) for p in range(INPUTS)}
    frames: list[Message] = []
    letters: list[Message] = []
    committed, safe = dict(start), 0
    for _ in range(steps):
        left = [p for p in at if at[p] < len(parts[p])]
        if not left:
            break
        chosen, size = rng.choice(left), rng.randint(1, 60)
        letters += into.read(chosen, parts[chosen][at[chosen] : at[chosen] + size])
        at[chosen] = min(at[chosen] + size, len(parts[chosen]))
        frames += into.release([p for p in at if at[p] < len(parts[p])])
        if rng.random() < 0.3 or not any(at[p] < len(parts[p]) for p in at):
            frames += into.flush()
            committed, safe = committed | into.offsets, len(frames)
    return Run(frames, letters, committed, safe)


@given(seed=st.integers(0, 2**32 - 1), beats=st.booleans())
@settings(max_examples=25, deadline=None)
def test_however_partitions_are_read(seed: int, beats: bool) -> None:  # noqa: FBT001 - drawn
    parts, in_order = feed(seed, beats=beats)
    run = read(parts, random.Random(seed), {}, 10_000)
    assert framed(run.frames) == directly(in_order)
    refused = {
        (told["x-error-partition"], told["reason"])
        for told in (dict(one.headers) for one in run.letters)
    }
    assert refused == {(b"%d" % p, b"json") for p in range(INPUTS)}
    assert run.committed == {p: len(part) for p, part in enumerate(parts)}
    assert run.safe == len(run.frames)


@given(seed=st.integers(0, 2**32 - 1), steps=st.lists(st.integers(1, 25), min_size=1, max_size=3))
@settings(max_examples=25, deadline=None)
def test_what_a_crash_repeats_changes_nothing(seed: int, steps: list[int]) -> None:
    parts, in_order = feed(seed, beats=True)
    rng, frames, committed = random.Random(seed), list[Message](), dict[int, int]()
    for some in steps:
        run = read(parts, rng, committed, some)
        frames += run.frames[: rng.randint(run.safe, len(run.frames))]
        committed = run.committed
    frames += read(parts, rng, committed, 10_000).frames
    assert framed(frames) == directly(in_order)


def test_frames_are_full_and_of_one_kind() -> None:
    framer = Framer(1, partition_of)
    quotes = quotes_of(CHAINS, START)
    rows = np.arange(FRAME_ROWS + 10) % quotes.strike.size
    frames = framer.add(taken(quotes, rows))
    assert (len(frames), framer.waiting) == (1, 10)
    assert len(framer.add(vols_of(CHAINS[:1], START))) == 1, "the ten quotes leave before vols come"
    (refreshed,) = framer.add(vols_of(CHAINS[:1], START)._replace(refresh_seconds=60.0))
    assert dict(refreshed.headers).keys() == {"content-type"}
    (last,) = framer.flush()
    assert dict(last.headers)["dispersion-refresh-seconds"] == b"60"
    assert framer.waiting == 0


def test_a_wrong_clock_holds_nobody_back() -> None:
    into = intake()
    ahead, now, later = (
        json_quotes(quotes_of(CHAINS[:1], START + seconds * NS))[0] for seconds in (3600, 0, 1)
    )
    into.read(0, [record(ahead, START)])
    into.read(1, [record(now, START)])
    into.release([0, 2])
    assert into.offsets == {0: 1}, (
        "nothing is known of partition 2, and what is ahead of its record says nothing"
    )
    into.read(2, [record(later, START + NS)])
    into.release([2])
    assert into.offsets == {0: 1, 1: 1, 2: 1}
