"""The events are the same, byte for byte, however readings are cut into batches.

Readings are also repeated and interrupted by restarts.
"""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detection.alerts.alert_event import decode_event
from streams.stage import Count, OutboxEntry, Output
from tests.support.detector_scripts import FRESH, RANKED, Script

BOTH = pytest.mark.parametrize("script", [FRESH, RANKED], ids=["fresh", "ranked"])


def test_the_fresh_script_is_eventful() -> None:
    text = b"".join(value for _, value in FRESH.whole.outbox)
    for kind in ("pending", "firing", "updated", "suspended", "resumed", "resolved"):
        assert f"io.dispersion.alert.{kind}.v1".encode() in text
    assert b"the low at 09:59:00 ET" in text
    assert FRESH.whole.counts["gate_failures", "SPX", "spike"] == 1
    assert len({event_id for event_id, _ in FRESH.whole.outbox}) == len(FRESH.whole.outbox)


def test_the_ranked_script_knows_its_ranks() -> None:
    events = [decode_event(value) for _, value in RANKED.whole.outbox]
    kinds: dict[tuple[str, str], list[str]] = {}
    for event in events:
        kinds.setdefault((event.data.rule, event.data.labels.scope), []).append(
            event.data.transition
        )
    assert kinds["dispersion_extreme", "intraday"] == [
        "pending",
        "firing",
        "suspended",
        "resumed",
        "resolved",
    ]
    assert kinds["correlation_regime", "intraday"] == [
        "pending",
        "firing",
        "suspended",
        "resumed",
        "resolved",
        "pending",
        "firing",
        "resolved",
    ]
    assert kinds["correlation_regime", "daily"] == ["firing", "resolved"]
    unwinds = [event.data for event in events if event.data.rule == "vix_spike_unwind"]
    assert unwinds
    assert all(
        data.unknown == () and data.values["correlation_change_rank"] == 1.0
        for data in unwinds
        if data.transition == "firing"
    )
    assert all(
        data.values["vol_spread_change_z"] is not None for data in (event.data for event in events)
    )


@BOTH
@settings(max_examples=20, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 499), max_size=6),
    restarts=st.lists(st.booleans(), min_size=7, max_size=7),
    repeats=st.integers(0, 25),
)
def test_cuts_restarts_and_repeats_change_nothing(
    script: Script, cuts: list[int], restarts: list[bool], repeats: int
) -> None:
    records = script.records
    edges = sorted({0, len(records), *(cut % len(records) for cut in cuts)})
    output = Output()
    stage, store = script.stage(), dict(script.past)
    told: list[OutboxEntry] = []
    counts: Counter[Count] = Counter()
    for (start, stop), restart in zip(pairwise(edges), restarts, strict=False):
        output = stage.process(records[max(start - repeats, 0) : stop])
        told += output.outbox
        counts += output.counts
        store.update(stage.chunks())
        store = {name: value for name, value in store.items() if value}
        if restart:
            stage = script.stage(dict(reversed(store.items())))
    assert told == script.whole.outbox
    assert counts == script.whole.counts
    assert output.snapshots == script.whole.snapshots


@BOTH
def test_a_restart_after_every_reading_changes_nothing(script: Script) -> None:
    stage, store, steady = script.stage(), dict(script.past), script.stage()
    told: list[OutboxEntry] = []
    counts: Counter[Count] = Counter()
    for one in script.records:
        output = stage.process([one])
        undisturbed = steady.process([one]).snapshots
        if b'"tenor":"30d"' in (one.value or b""):
            assert output.snapshots == undisturbed, (
                "views of the reading's own second do not depend on a restart either"
            )
        told += output.outbox
        counts += output.counts
        store = {name: value for name, value in {**store, **stage.chunks()}.items() if value}
        stage = script.stage(store)
    assert told == script.whole.outbox
    assert counts == script.whole.counts
    assert sum(name.startswith("minute/") for name in store) <= 61, "buckets are dropped"


@BOTH
def test_a_restart_without_its_state_is_noticed_by_this_test(script: Script) -> None:
    stage, fresh = script.stage(), script.stage()
    told = [
        *stage.process(script.records[:100]).outbox,
        *fresh.process(script.records[100:]).outbox,
    ]
    assert told != script.whole.outbox
