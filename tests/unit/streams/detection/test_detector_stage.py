"""The detector stage: bad bytes, repeats, views, snapshots, chunks."""

from datetime import timedelta
from itertools import pairwise

import msgspec
import pytest

from config.rules import load_rules
from streams.detection.detector_stage import DetectorStage
from streams.detection.state_codec import pack
from streams.detection.views.snapshot import decode_snapshot
from streams.reading import decode_reading
from tests.support.readings import (
    FRIDAY,
    INDEX,
    MARKET,
    MONDAY,
    NAMES,
    TUESDAY,
    Run,
    closing,
    eastern,
    path,
    record,
    told,
    toy,
)

CALM, SHOCK = (0.148, 0.44, 0.10), (0.31, 0.53, 0.34)


def test_foreign_bytes_are_counted_and_kept_for_people() -> None:
    run = Run()
    good = toy(eastern(MONDAY, "10:00:00"), *CALM)
    naive = msgspec.json.encode(msgspec.to_builtins(good) | {"ts_event": "2026-07-13T14:00:01"})
    other = msgspec.json.encode(msgspec.to_builtins(good) | {"index": "DAX"})
    run.play([b"", b"{", b"\xff\xfe", b'{"index": 1}', b"[" * 100_000, naive, other, good])
    output = run.outputs[-1]
    assert run.count("dead_letter_messages", "readings", "schema") == 6
    assert run.count("dead_letter_messages", "readings", "unknown_index") == 1
    assert [message.role for message in output.messages] == ["dead_letters"] * 7
    assert dict(output.messages[4].headers)["x-original-size"] == b"100000"
    assert len(output.messages[4].value or b"") == 64 * 1024
    assert len(output.views) == 1


def test_repeats_are_dropped_by_index_tenor_and_second() -> None:
    run = Run(cap_unknown=False)
    shock = path(MONDAY, "10:00:00", 300, [SHOCK, SHOCK], step=5)
    once = run.play([closing(FRIDAY, *CALM), *shock])
    assert [kind for _, _, kind in told(once, rule="vix_spike_unwind")] == ["pending", "firing"]
    again = run.play([*shock, closing(FRIDAY, *CALM)])
    assert again == []
    assert run.outputs[-1].views == []
    assert run.outputs[-1].snapshots == {}
    other = run.play([toy(shock[0].ts_event, *SHOCK, tenor="91d", tenor_days=91)])
    assert other == []
    assert [view.tenor for view in run.outputs[-1].views] == ["91d"]


@pytest.mark.parametrize(
    "ahead",
    [timedelta(seconds=6), timedelta(hours=1), timedelta(days=1300)],
    ids=["seconds", "an hour", "in 2030"],
)
@pytest.mark.parametrize("tenor", ["30d", "91d"])
def test_a_reading_dated_ahead_is_refused_and_the_next_ones_are_judged(
    ahead: timedelta, tenor: str
) -> None:
    run = Run(cap_unknown=False)
    shock = path(MONDAY, "10:00:00", 900, [SHOCK, SHOCK], step=5)
    half = len(shock) // 2
    begun = run.play([closing(FRIDAY, *CALM), *shock[:half]])
    assert [kind for _, _, kind in told(begun, rule="vix_spike_unwind")] == ["pending", "firing"]
    now = shock[half].ts_event
    false = toy(now + ahead, *CALM, tenor=tenor, tenor_days=int(tenor[:-1]))
    output = run.stage.process([record(false)._replace(timestamp=round(now.timestamp() * 1000))])
    (letter,) = output.messages
    assert (dict(letter.headers)["reason"], output.outbox, output.snapshots) == (b"future", [], {})
    assert output.counts["dead_letter_messages", "readings", "future"] == 1
    assert run.stage.evaluated_until == {INDEX: shock[half - 1].ts_event}
    run.play(shock[half:])
    assert len(run.outputs[-1].views) == len(shock) - half
    assert run.snapshot()["alerts"][0]["status"] == "firing"


def test_a_session_after_the_event_time_is_refused() -> None:
    run = Run()
    run.play(
        [
            toy(eastern(MONDAY, "10:00:00"), *CALM, session=TUESDAY),
            msgspec.json.encode(_at("9999-12-31T23:59:59-12:00")),
        ]
    )
    assert run.count("dead_letter_messages", "readings", "future") == 1
    assert run.count("dead_letter_messages", "readings", "schema") == 1
    assert run.outputs[-1].views == []


def _at(when: str) -> dict[str, object]:
    reading: dict[str, object] = msgspec.to_builtins(
        toy(eastern(MONDAY, "10:00:00"), *CALM, tenor="91d", tenor_days=91)
    )
    return reading | {"ts_event": when}


def test_views_leave_the_names_out() -> None:
    run = Run()
    reading = toy(eastern(MONDAY, "10:00:00"), *CALM)
    run.play([reading])
    view = run.outputs[0].views[0]
    assert (view.index, view.tenor, view.second) == (
        INDEX,
        "30d",
        int(reading.ts_event.timestamp()),
    )
    assert decode_reading(view.value) == msgspec.structs.replace(reading, constituents=None)


def test_the_snapshot_shows_the_latest_picture() -> None:
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM), *path(MONDAY, "10:00:02", 900, [CALM, SHOCK], step=5)])
    run.play([toy(eastern(MONDAY, "10:15:03"), *SHOCK, tenor="91d", tenor_days=91)])
    snapshot = decode_snapshot(run.outputs[-1].snapshots[INDEX])
    assert sorted(snapshot.readings) == ["30d", "91d"]
    assert all(reading.constituents is None for reading in snapshot.readings.values())
    assert tuple(snapshot.names) == NAMES
    assert snapshot.regime == "unwinding"
    assert [(alert.rule, alert.severity, alert.status) for alert in snapshot.alerts] == [
        ("vix_spike_unwind", "critical", "firing")
    ]
    assert snapshot.alerts[0].summary.startswith("Update: SPX index vol 14.8 to 21.5 (+6.7)")
    assert snapshot.changes["index_vol"]["1d"] == pytest.approx(0.162)
    assert snapshot.changes["index_vol"]["5m"] == pytest.approx(0.054, abs=0.002)
    assert set(snapshot.distances) == {
        "data_quality",
        "vix_spike_unwind",
        "broad_repricing",
        "vol_convergence",
        "dispersion_widening",
    }
    assert all(0.0 <= distance <= 1.0 for distance in snapshot.distances.values())
    assert snapshot.percentiles == {}


def test_ranks_and_bands_appear_with_history() -> None:
    run = Run()
    closes = [
        closing(FRIDAY - timedelta(days=back), 0.15 + 0.001 * back, 0.44, 0.10)
        for back in range(60)
    ]
    run.play([*reversed(closes), toy(eastern(MONDAY, "10:00:00"), 0.1795, 0.47, 0.10)])
    snapshot = decode_snapshot(run.outputs[-1].snapshots[INDEX])
    assert snapshot.percentiles["index_vol"]["252d"] == pytest.approx(31 / 61)
    bands = list(snapshot.bands["index_vol"].values())
    assert list(snapshot.bands["index_vol"]) == ["p05", "p10", "p90", "p95"]
    assert all(low < high for low, high in pairwise(bands))
    assert snapshot.regime == "building", "the spread has widened for twenty sessions and is high"


def test_chunks_hold_what_has_changed() -> None:
    run = Run(cap_unknown=False)
    run.play([closing(FRIDAY, *CALM)])
    assert sorted(run.stage.chunks()) == [
        "day/SPX/2026-07-10",
        "last/SPX",
        "latest/SPX",
        "session/SPX",
    ]
    assert run.stage.chunks() == {}
    run.play(path(MONDAY, "10:00:00", 1, [SHOCK, SHOCK]))
    names = sorted(run.stage.chunks())
    facts = ["alert/SPX", "alert/SPX", "event/SPX", "event/SPX"]
    assert [name.rpartition("/")[0] for name in names] == [
        *facts,
        "last",
        "latest",
        "minute/SPX",
        "session",
    ]
    run.play([toy(eastern(MONDAY, "10:00:02"), *SHOCK, tenor="91d", tenor_days=91)])
    assert sorted(run.stage.chunks()) == ["latest/SPX"]


@pytest.mark.parametrize(
    "chunks",
    [
        {"nonsense": b""},
        {"cross/SPX/1": b""},
        {"day/SPX": b""},
        {"latest/SPX/1": b""},
        {"latest/SPX": b"bytes"},
        {"commands/SPX": b"bytes"},
        {"commands/SPX": pack("text")},
        {"minute/SPX/ten": pack(None)},
        {"day/SPX/2026-07-10": pack({"ts": 1})},
    ],
)
def test_a_foreign_checkpoint_is_refused(chunks: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        DetectorStage(MARKET, load_rules()).restore(chunks)


def test_chunks_of_an_index_no_longer_configured_are_left_alone() -> None:
    stage = DetectorStage(MARKET, load_rules())
    stage.restore({"latest/DAX": b"whatever"})
    assert stage.process([record(toy(eastern(MONDAY, "10:00:00"), *CALM))]).snapshots.keys() == {
        INDEX
    }


def test_it_owns_no_source() -> None:
    output = Run().stage.idle()
    assert (output.messages, output.outbox, output.snapshots) == ([], [], {})
