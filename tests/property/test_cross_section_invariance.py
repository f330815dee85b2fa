"""Readings depend on what each source said in which order, on nothing else.

They do not depend on interleaving, batches, repeats or restarts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.calendar.sessions import close_ns
from streams.points import EarningsPoints, PointsFrame, SkewPoints
from streams.points_codec import encode_points
from streams.reading import decode_reading
from streams.readings.cross_section_stage import CrossSectionStage
from streams.readings.session_hours import hours_at
from streams.records import NS, InputRecord
from tests.support.points_frames import SESSION, frame, market, prices, second, spec, surfaces

SOURCES = ("quotes:0", "quotes:1", "ticks:0")
OWN = {"quotes:0": ("IDX", "A", "B"), "quotes:1": ("C", "D"), "ticks:0": ()}
WEIGHTS = {"A": 4.0, "B": 3.0, "C": 2.0, "D": 1.0}
SECTORS = {"A": "Tech", "B": "Tech", "C": "Energy", "D": "Utilities"}
MARKET = replace(
    market(spec(WEIGHTS, sectors=SECTORS, defensives=("Utilities",), tenors=(30, 91))), earnings=()
)
STEPS = (1, 1, 1, 2, 3, 29, 30, 31, 61, 200)
DAYS = (*STEPS, 20_000, 3 * 86_400)
STARTS = {
    second(-5): (STEPS, 2_000),
    second(295): (STEPS, 2_000),
    close_ns(SESSION) - 200 * NS: (DAYS, 40 * 86_400),
}
"""Start → steps in seconds between frames, and when everybody speaks for the last time.

Long days are only near the close, to be quick.
"""
QUICK = settings(
    max_examples=40, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
"""Without shrinking, which takes minutes on frames."""
VOL = st.one_of(st.none(), st.floats(0.05, 0.9))


@st.composite
def a_source(draw: st.DrawFn, source: str, start: int) -> list[PointsFrame]:
    """The frames of one source, in its order; the last one is far beyond what any other says."""
    frames, boundary = [], start
    steps, end = STARTS[start]
    for step in draw(st.lists(st.sampled_from(steps), min_size=1, max_size=8)):
        boundary += step * NS
        frames.append(_frame(draw, source, boundary))
    frames.append(frame(start + end * NS, source, sources=3))
    return frames


def _frame(draw: st.DrawFn, source: str, boundary: int) -> PointsFrame:
    accepted = draw(st.integers(0, 2))
    if not accepted and draw(st.booleans()):
        return frame(boundary, source, sources=3)
    if source == "ticks:0":
        levels = draw(
            st.dictionaries(
                st.sampled_from((*WEIGHTS, "IDX", "other")), st.floats(90, 110), max_size=6
            )
        )
        references = draw(
            st.dictionaries(
                st.sampled_from(("VIX", "DSPX", "MOVE")), st.floats(0.1, 0.9), max_size=2
            )
        )
        return frame(
            boundary,
            source,
            sources=3,
            accepted=accepted,
            prices=prices(levels, boundary),
            references=prices(references, boundary),
        )
    vols = draw(st.dictionaries(st.sampled_from((*OWN[source], "other")), VOL, max_size=4))
    more: dict[str, Any] = {"refresh_seconds": draw(st.sampled_from((None, 60.0, 45.0, 900.0)))}
    in_vols = draw(st.integers(0, 9)) == 0
    tenor = draw(st.sampled_from((30, 91, 9)))
    points = surfaces(
        vols,
        boundary - draw(st.integers(0, 90)) * NS,
        tenor=tenor,
        flags={"B": "near_term_fallback"},
        in_vols=in_vols,
    )
    if draw(st.integers(0, 3)) == 0:
        shape = [0.9, 1.0, 1.1, draw(st.sampled_from((1.2, np.nan)))]
        rows = np.array([[vol or np.nan] * 4 for vol in vols.values()]).reshape(-1, 4) * shape
        more["skew"] = SkewPoints(tuple(vols), np.full(len(vols), tenor, np.int32), rows)
        ratio, day = np.full(len(vols), shape[3] - 0.4), np.full(len(vols), 20_700)
        more["earnings"] = EarningsPoints(tuple(vols), ratio, ratio**2, day, day > 0)
    return frame(boundary, source, sources=3, accepted=accepted, surfaces=points, **more)


@st.composite
def all_sources(draw: st.DrawFn) -> list[list[PointsFrame]]:
    start = draw(st.sampled_from(sorted(STARTS)))
    return [draw(a_source(source, start)) for source in SOURCES]


def interleave(draw: st.DrawFn, queues: Sequence[Sequence[PointsFrame]]) -> list[PointsFrame]:
    """Any order that keeps each source's own, with some frames repeated later on."""
    left, merged = [list(queue) for queue in queues], []
    while any(left):
        queue = draw(st.sampled_from([queue for queue in left if queue]))
        merged.append(queue.pop(0))
        if draw(st.integers(0, 5)) == 0:
            merged.append(draw(st.sampled_from(merged)))
    return merged


def run(
    frames: Sequence[PointsFrame], cuts: Sequence[int] = (), restarts: Sequence[int] = ()
) -> list[bytes]:
    """Readings of the frames, cut into batches.

    There is a checkpoint after each batch and a new process after some.
    """
    stage, stored, readings = CrossSectionStage(MARKET), dict[str, bytes](), list[bytes]()
    edges = sorted({0, len(frames), *cuts, *restarts})
    for begin, end in pairwise(edges):
        batch = [
            InputRecord("points", 0, begin + at, 0, b"IDX", encode_points(each))
            for at, each in enumerate(frames[begin:end])
        ]
        readings += [message.value or b"" for message in stage.process(batch).messages]
        stored = {name: value for name, value in {**stored, **stage.chunks()}.items() if value}
        if end in restarts:
            stage = CrossSectionStage(MARKET)
            stage.restore(stored)
    return readings


@QUICK
@given(data=st.data())
def test_interleaving_and_repeats_do_not_matter(data: st.DataObject) -> None:
    queues = data.draw(all_sources())
    draw = data.draw
    # `data.draw` draws too.
    first, other = (run(interleave(draw, queues)) for _ in range(2))  # type: ignore[arg-type]
    assert first == other


@QUICK
@given(data=st.data())
def test_batches_and_restarts_do_not_matter(data: st.DataObject) -> None:
    frames = interleave(data.draw, data.draw(all_sources()))  # type: ignore[arg-type]
    at = st.lists(st.integers(0, len(frames)), max_size=6)
    assert run(frames) == run(frames, data.draw(at), data.draw(at))


@QUICK
@given(data=st.data())
def test_batches_and_restarts_do_not_matter_with_idle_sources(data: st.DataObject) -> None:
    queues = data.draw(all_sources())
    marked = [
        [_idle(each) if data.draw(st.integers(0, 3)) == 0 else each for each in queue]
        for queue in queues
    ]
    frames = interleave(data.draw, marked)  # type: ignore[arg-type]
    at = st.lists(st.integers(0, len(frames)), max_size=6)
    assert run(frames) == run(frames, data.draw(at), data.draw(at))


@QUICK
@given(data=st.data())
def test_seconds_with_a_reading_follow_from_the_frames_alone(data: st.DataObject) -> None:
    queues = data.draw(all_sources())
    readings = [
        decode_reading(value)
        for value in run(interleave(data.draw, queues))  # type: ignore[arg-type]
    ]
    got: dict[int, int] = {}
    for reading in readings:
        at, refresh = int(reading.ts_event.timestamp()) * NS, reading.refresh_seconds or 0.0
        got[at] = max(got.get(at, 0), int(refresh) * NS)
    with_input = {
        each.boundary
        for queue in queues
        for each in queue
        if each.accepted and _evaluated(each.boundary)
    }
    expected: list[int] = []
    for at in sorted(with_input):
        expected += [*_repeats(expected, at, got), at]
    expected += _repeats(expected, queues[0][-1].boundary + NS, got)
    assert list(got) == expected


def _idle(each: PointsFrame) -> PointsFrame:
    return replace(each, idle=True)


def _evaluated(boundary: int) -> bool:
    hours = hours_at(boundary)
    return hours is not None and hours.open < boundary <= hours.close


def _repeats(before: Sequence[int], until: int, refreshes: Mapping[int, int]) -> list[int]:
    """Second by second, as the rule is written.

    A reading is repeated after 30 s, or after its own longest refresh, 300 s at most.
    """
    if not before:
        return []
    hours = hours_at(before[-1])
    assert hours is not None
    repeats, last = [], before[-1]
    for at in range(last + NS, min(until - NS, hours.close) + 1, NS):
        refresh = refreshes.get(last, 0)
        if at - last == min(max(30 * NS, refresh), 300 * NS) or at == hours.close:
            repeats.append(at)
            last = at
    return repeats
