"""However readings are cut into batches, repeated and interrupted by restarts, the events are the same, byte for byte."""

from collections import Counter
from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from config.rules import load_rules
from streams.detection.detector_stage import DetectorStage
from streams.records import InputRecord
from streams.stage import Count, OutboxEntry, Output
from tests.support.readings import FRIDAY, MARKET, MONDAY, TUESDAY, closing, eastern, path, record, toy

CALM, SOME, SHOCK = (0.148, 0.44, 0.10), (0.19, 0.46, 0.17), (0.31, 0.53, 0.34)
RULES = load_rules(cap_unknown=False)


@cache
def script() -> tuple[InputRecord, ...]:
    """Two eventful sessions: a ramp, lost coverage, a bad print, an exit, a session without its closing reading."""
    readings = [
        closing(FRIDAY, *CALM),
        *path(MONDAY, "09:50:01", 1200, [CALM, SHOCK], step=20),
        toy(eastern(MONDAY, "10:10:05"), *SHOCK, tenor="91d", tenor_days=91),
        *path(MONDAY, "10:10:11", 200, [SHOCK, SHOCK], step=10, coverage=0.6),
        *path(MONDAY, "10:13:41", 200, [SHOCK, SHOCK], step=10, dropped=("N01",)),
        *path(MONDAY, "10:17:10", 40, [(0.6, 0.5, 0.9)] * 2, step=10),
        *path(MONDAY, "10:18:00", 900, [SHOCK, SOME, SOME], step=10),
        *path(MONDAY, "10:33:10", 300, [SOME, SOME], step=25, index_vol_bid=0.15),
        *path(MONDAY, "15:50:00", 800, [SHOCK, SHOCK], step=20),
        *path(TUESDAY, "09:44:00", 900, [SHOCK, SOME], step=15),
        *path(TUESDAY, "09:59:20", 2400, [SOME, SOME], step=25),
        *path(TUESDAY, "10:40:00", 400, [(0.25, 0.48, 0.24)] * 2, step=20),
        closing(TUESDAY, *CALM),
    ]
    return tuple(record(reading, offset) for offset, reading in enumerate(readings))


@cache
def whole() -> Output:
    return DetectorStage(MARKET, RULES).process(script())


def expected() -> tuple[OutboxEntry, ...]:
    return tuple(whole().outbox)


def test_the_script_is_eventful() -> None:
    text = b"".join(value for _, value in expected())
    for kind in ("pending", "firing", "updated", "suspended", "resumed", "resolved"):
        assert f"io.dispersion.alert.{kind}.v1".encode() in text
    assert b"the low at 09:59:00 ET" in text
    assert whole().counts["gate_failures", "SPX", "spike"] == 1
    assert len({event_id for event_id, _ in expected()}) == len(expected())


@settings(max_examples=20, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 319), max_size=6),
    restarts=st.lists(st.booleans(), min_size=7, max_size=7),
    repeats=st.integers(0, 25),
)
def test_cuts_restarts_and_repeats_change_nothing(cuts: list[int], restarts: list[bool], repeats: int) -> None:
    records = script()
    edges = sorted({0, len(records), *(cut % len(records) for cut in cuts)})
    output = Output()
    stage, store = DetectorStage(MARKET, RULES), dict[str, bytes]()
    told: list[OutboxEntry] = []
    counts: Counter[Count] = Counter()
    for (start, stop), restart in zip(pairwise(edges), restarts, strict=False):
        output = stage.process(records[max(start - repeats, 0) : stop])
        told += output.outbox
        counts += output.counts
        store.update(stage.chunks())
        store = {name: value for name, value in store.items() if value}
        if restart:
            stage = DetectorStage(MARKET, RULES)
            stage.restore(dict(reversed(store.items())))
    assert tuple(told) == expected()
    assert counts == whole().counts
    assert output.snapshots == whole().snapshots


def test_a_restart_after_every_reading_changes_nothing() -> None:
    stage, store = DetectorStage(MARKET, RULES), dict[str, bytes]()
    steady = DetectorStage(MARKET, RULES)
    told: list[OutboxEntry] = []
    counts: Counter[Count] = Counter()
    for one in script():
        output = stage.process([one])
        undisturbed = steady.process([one]).snapshots
        if b'"tenor":"30d"' in (one.value or b""):
            assert output.snapshots == undisturbed, "views of the reading's own second do not depend on a restart either"
        told += output.outbox
        counts += output.counts
        store = {name: value for name, value in {**store, **stage.chunks()}.items() if value}
        stage = DetectorStage(MARKET, RULES)
        stage.restore(store)
    assert tuple(told) == expected()
    assert counts == whole().counts
    assert sum(name.startswith("minute/") for name in store) <= 61, "buckets are dropped"


def test_a_restart_without_its_state_is_noticed_by_this_test() -> None:
    records = script()
    stage, fresh = DetectorStage(MARKET, RULES), DetectorStage(MARKET, RULES)
    told = [*stage.process(records[:100]).outbox, *fresh.process(records[100:]).outbox]
    assert tuple(told) != expected()
