"""One paused feed gives one list of readings.

It does so however its workers' clocks, stalls and turns fall.
"""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.reading import Reading, decode_reading
from streams.readings.cross_section_stage import CrossSectionStage
from streams.records import InputRecord
from tests.support.paused_feed import rows, topic, undisturbed
from tests.support.points_frames import market, spec

MARKET = market(spec({"A": 3.0, "B": 2.0, "C": 1.0}))
IDLE_AFTER = 3.0
QUICK = settings(max_examples=30, deadline=None)


def readings(log: Sequence[InputRecord], cuts: Sequence[int] = ()) -> list[Reading]:
    """Readings with input; a new process takes over at each cut."""
    stage, stored, made = CrossSectionStage(MARKET), dict[str, bytes](), list[Reading]()
    for begin, end in pairwise(sorted({0, len(log), *cuts})):
        made += [
            decode_reading(message.value or b"")
            for message in stage.process(log[begin:end]).messages
        ]
        stored = {name: value for name, value in {**stored, **stage.chunks()}.items() if value}
        stage = CrossSectionStage(MARKET)
        stage.restore(stored)
    return [reading for reading in made if "no_input" not in reading.flags]


@QUICK
@given(
    seed=st.integers(0, 2**32),
    pauses=st.lists(st.sampled_from([4.0, 5.0, 8.0, 40.0]), min_size=2, max_size=4),
    stall=st.sampled_from([0.0, 1.0, 6.0]),
    data=st.data(),
)
def test_a_lull_makes_no_race(
    seed: int, pauses: list[float], stall: float, data: st.DataObject
) -> None:
    feed = rows(pauses, random.Random(seed))
    expected = readings(undisturbed(feed))
    for run in range(2):
        log = topic(feed, random.Random(seed + run), idle_after=IDLE_AFTER, stall=stall)
        cuts = data.draw(st.lists(st.integers(0, len(log)), max_size=4))
        assert readings(log, cuts) == expected


def test_without_renewed_marks_it_would() -> None:
    """So the test above can fail: marks said once, as older workers say them, are a race."""
    feed = rows([5.0, 5.0, 5.0], random.Random(7))
    expected = readings(undisturbed(feed))
    logs = [
        topic(feed, random.Random(run), idle_after=IDLE_AFTER, stall=1.0, renews=False)
        for run in range(6)
    ]
    assert any(readings(log) != expected for log in logs)


@pytest.mark.parametrize("renews", [True, False])
# `renews` is a parameter of the test.
def test_a_source_that_stays_silent_holds_nothing_up(renews: bool) -> None:  # noqa: FBT001
    feed = rows([5.0], random.Random(3)) | {"ticks:0": []}
    log = topic(feed, random.Random(3), idle_after=IDLE_AFTER, stall=0.0, renews=renews)
    assert [reading.ts_event for reading in readings(log)] == [
        reading.ts_event for reading in readings(undisturbed(feed))
    ]
