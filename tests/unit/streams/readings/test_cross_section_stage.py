from datetime import date

import numpy as np
import pytest

from streams.points import PointsFrame
from streams.points_codec import encode_points
from streams.reading import Reading, decode_reading
from streams.readings.cross_section_stage import CrossSectionStage
from streams.readings.points_guard import MoreSourcesError
from streams.records import NS, InputRecord
from tests.support.points_frames import TICKS, frame, market, prices, quoted, second, spec, surfaces

WEIGHTS = {"A": 3.0, "B": 2.0, "C": 1.0}
VOLS = {"IDX": 0.2, "A": 0.3, "B": 0.35, "C": 0.4}


def record(value: bytes | None, offset: int = 0, at: int = 0) -> InputRecord:
    return InputRecord("dispersion.points.v1", 0, offset, at // 1_000_000, b"IDX", value)


def records(*frames: PointsFrame) -> list[InputRecord]:
    return [record(encode_points(each), offset) for offset, each in enumerate(frames)]


def readings(stage: CrossSectionStage, *frames: PointsFrame) -> list[Reading]:
    messages = stage.process(records(*frames)).messages
    return [decode_reading(message.value or b"") for message in messages]


def test_readings_are_keyed_by_index_and_indices_are_independent() -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS), spec({}, "OTHER")))
    output = stage.process(
        records(
            quoted(second(60), VOLS),
            quoted(second(70), {"OTHER": 0.3}, index="OTHER"),
            quoted(second(61), VOLS),
        )
    )
    assert [message.key for message in output.messages] == [b"IDX", b"OTHER", b"IDX"]
    assert {message.role for message in output.messages} == {"readings"}
    assert output.counts["points_frames", "new"] == 3


def test_an_index_that_is_not_configured_is_counted() -> None:
    output = CrossSectionStage(market(spec(WEIGHTS))).process(
        records(quoted(second(60), VOLS, index="ELSE"))
    )
    assert output.messages == []
    assert output.counts["points_frames", "unknown_index"] == 1


@pytest.mark.parametrize("value", [None, b"", b"nonsense"])
def test_what_is_not_a_frame_becomes_a_dead_letter(value: bytes | None) -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS)))
    output = stage.process([record(value, 17), *records(quoted(second(60), VOLS))])
    letter, reading = output.messages
    assert (letter.role, reading.role) == ("dead_letters", "readings")
    headers = dict(letter.headers)
    assert headers["x-error-class"] == b"malformed"
    assert headers["x-error-offset"] == b"17"
    assert output.counts["dead_letter_messages", "points", "malformed"] == 1


YEAR_2030 = second(60) + 4 * 365 * 86_400 * NS


@pytest.mark.parametrize(
    "false",
    [
        quoted(YEAR_2030, VOLS, sources=2),
        frame(YEAR_2030, sources=2, idle=True),
        frame(second(66), TICKS, sources=2),
        quoted(2**63 - 1, VOLS, sources=2),
        frame(second(60), sources=2, surfaces=surfaces(VOLS, YEAR_2030)),
        frame(second(60), TICKS, sources=2, prices=prices({"A": 1.0}, second(61))),
        frame(second(60), TICKS, sources=2, references=prices({"VIX": 0.1}, YEAR_2030)),
    ],
)
def test_what_is_dated_ahead_is_refused_and_deafens_nobody(false: PointsFrame) -> None:
    stage, clean = (CrossSectionStage(market(spec(WEIGHTS))) for _ in range(2))
    now = second(60)
    output = stage.process([record(encode_points(false), 3, now)])
    (letter,) = output.messages
    assert dict(letter.headers)["reason"] == b"future"
    assert output.counts["dead_letter_messages", "points", "future"] == 1
    for at in (60, 61, 65):
        honest = [quoted(second(at), VOLS, sources=2), frame(second(at), TICKS, sources=2)]
        got = stage.process([record(encode_points(each), 4 + at, now) for each in honest])
        assert got.messages == clean.process(records(*honest)).messages
        assert len(got.messages) == 1


def test_event_time_far_behind_its_record_is_a_replay() -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS)))
    assert (
        len(stage.process([record(encode_points(quoted(second(60), VOLS)), 0, YEAR_2030)]).messages)
        == 1
    )


@pytest.mark.parametrize(
    ("source", "sources"),
    [
        ("quotes:0", 4),
        ("quotes:0", 10**9),
        ("quotes:2", 3),
        ("ticks:1", 3),
        ("quotes:-1", 3),
        ("other:0", 3),
        ("", 3),
    ],
)
def test_sources_that_cannot_be_are_refused_after_a_second_look(source: str, sources: int) -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS)), lambda: {"quotes": 2, "ticks": 1})
    honest = [quoted(second(60), VOLS, each, sources=3) for each in ("quotes:0", "quotes:1")]
    false = frame(second(60), source, sources=sources)
    batch = records(*honest, false, frame(second(60), TICKS, sources=3))
    if source in {"quotes:0", "quotes:2", "ticks:1"}:
        with pytest.raises(MoreSourcesError) as more:
            stage.process(batch)
        assert (more.value.at, more.value.done.counts["points_frames", "new"]) == (2, 2)
        batch = batch[2:]
    letter, reading = stage.process(batch).messages
    assert dict(letter.headers)["reason"] == b"sources"
    assert reading.role == "readings"


def test_a_topic_that_has_grown_is_believed() -> None:
    known = {"quotes": 1, "ticks": 1}
    stage = CrossSectionStage(market(spec(WEIGHTS)), lambda: known)
    batch = records(
        quoted(second(60), VOLS, sources=3),
        frame(second(60), TICKS, sources=3),
        frame(second(60), "quotes:1", sources=3),
    )
    with pytest.raises(MoreSourcesError) as more:
        stage.process(batch)
    assert more.value.at == 0
    known["quotes"] = 2
    assert [message.role for message in stage.process(batch).messages] == ["readings"]


def test_it_owns_no_source() -> None:
    output = CrossSectionStage(market(spec(WEIGHTS))).idle()
    assert output.messages == []
    assert not output.counts


def test_only_what_changed_is_written() -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS, tenors=(30, 91))))
    stage.process(records(quoted(second(60), VOLS, sources=2)))
    held = f"cross/IDX/held/quotes:0/{second(60)}"
    first = stage.chunks()
    assert set(first) == {
        "cross/IDX/head",
        "cross/IDX/names",
        "cross/IDX/origins",
        "cross/IDX/points/30",
        "cross/IDX/points/91",
        held,
    }
    assert first[held]
    stage.process(records(frame(second(60), TICKS, sources=2)))
    then = stage.chunks()
    assert set(then) == {
        "cross/IDX/head",
        "cross/IDX/origins",
        "cross/IDX/points/30",
        "cross/IDX/points/91",
        held,
    }
    assert then[held] == b""
    stage.process(
        records(quoted(second(61), {"A": 0.31}, sources=2), frame(second(61), TICKS, sources=2))
    )
    assert set(stage.chunks()) == {"cross/IDX/head", "cross/IDX/points/30"}
    assert stage.chunks() == {}


def test_a_checkpoint_survives_a_change_of_the_basket() -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS)))
    readings(stage, quoted(second(60), VOLS))
    other = CrossSectionStage(market(spec({"C": 1.0, "N": 1.0, "A": 2.0})))
    other.restore(stage.chunks())
    (reading,) = readings(other, quoted(second(61), {"IDX": 0.2}))
    assert reading.constituents is not None
    assert reading.constituents.symbols == ("C", "A")
    assert reading.constituents.atm_vols == (0.4, 0.3)
    assert {"cross/IDX/names", "cross/IDX/points/30", "cross/IDX/origins"} <= set(other.chunks())


def test_chunks_of_what_is_no_longer_configured_are_deleted() -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS, tenors=(30, 91)), spec({}, "OTHER")))
    readings(stage, quoted(second(60), VOLS), quoted(second(60), {"OTHER": 0.3}, index="OTHER"))
    other = CrossSectionStage(market(spec(WEIGHTS)))
    other.restore(stage.chunks())
    changed = other.chunks()
    assert changed["cross/IDX/points/91"] == b""
    assert changed["cross/OTHER/head"] == b""
    assert all(not value for name, value in changed.items() if name.startswith("cross/OTHER/"))


@pytest.mark.parametrize(
    "name",
    [
        "cross/IDX/head",
        "cross/IDX/names",
        "cross/IDX/origins",
        "cross/IDX/points/30",
        "cross/IDX/bar",
    ],
)
@pytest.mark.parametrize("value", [b"", b"nonsense", b"\x81\xa4kind\xa3odd"])
def test_foreign_bytes_are_refused(name: str, value: bytes) -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS)))
    readings(stage, quoted(second(60), VOLS))
    chunks = {**stage.chunks(), name: value}
    with pytest.raises(ValueError, match=r"."):
        CrossSectionStage(market(spec(WEIGHTS))).restore(chunks)


@pytest.mark.parametrize(
    "name", ["day/IDX/2026-07-10", "IDX", "cross/IDX", "other/IDX/head", "cross/IDX/unknown"]
)
def test_chunks_of_another_stage_are_refused(name: str) -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS)))
    readings(stage, quoted(second(60), VOLS))
    with pytest.raises(ValueError, match=name):
        CrossSectionStage(market(spec(WEIGHTS))).restore({**stage.chunks(), name: b"x"})


def test_columns_of_another_length_are_refused() -> None:
    stage, larger = (
        CrossSectionStage(market(spec(WEIGHTS))),
        CrossSectionStage(market(spec({**WEIGHTS, "D": 1.0}))),
    )
    for each in (stage, larger):
        readings(each, quoted(second(60), VOLS))
    chunks = {**stage.chunks(), "cross/IDX/points/30": larger.chunks()["cross/IDX/points/30"]}
    with pytest.raises(ValueError, match="does not fit"):
        CrossSectionStage(market(spec(WEIGHTS))).restore(chunks)


def test_an_empty_checkpoint_is_a_fresh_start() -> None:
    stage = CrossSectionStage(market(spec(WEIGHTS)))
    readings(stage, quoted(second(60), VOLS))
    stage.restore({})
    assert len(readings(stage, quoted(second(60), VOLS))) == 1


def test_realized_fields_and_premium_over_22_sessions() -> None:
    from streams.readings.realized_grid import BAR_NS
    from streams.readings.session_hours import hours_on
    from tests.support.trading_days import sessions_in

    days = sessions_in(date(2026, 5, 1), date(2026, 7, 10))[-22:]
    rng = np.random.default_rng(1)
    stage, stored = CrossSectionStage(market(spec(WEIGHTS))), {}
    levels = np.full(3, 100.0)
    for day in days:
        hours = hours_on(day)
        for bar in range(hours.bars(BAR_NS)):
            at = hours.open + (bar + 1) * BAR_NS
            levels *= np.exp(rng.normal(0, 0.001) + rng.normal(0, 0.001, 3))
            ticks = prices(dict(zip(WEIGHTS, levels.tolist(), strict=True)), at)
            stage.process(records(frame(at, TICKS, accepted=0, prices=ticks)))
        stored.update(stage.chunks())
    last = hours_on(days[-1]).close - 1_000_000_000
    again = CrossSectionStage(market(spec(WEIGHTS)))
    again.restore({name: value for name, value in stored.items() if value})
    results = [readings(each, quoted(last, VOLS, TICKS))[-1] for each in (stage, again)]
    assert results[0] == results[1]
    reading = results[0]
    assert reading.realized_correlation == pytest.approx(0.5, abs=0.1)
    assert reading.realized_dispersion is not None
    assert reading.realized_dispersion > 0
    assert reading.implied_correlation is not None
    assert reading.realized_correlation is not None
    assert reading.correlation_premium == reading.implied_correlation - reading.realized_correlation


def test_a_restart_after_every_frame_changes_nothing() -> None:
    frames = [
        quoted(
            second(60), VOLS, sources=2, flags={"A": "near_term_fallback"}, refresh_seconds=20.0
        ),
        frame(second(60), TICKS, sources=2, references=prices({"VIX": 0.19}, second(60))),
        quoted(second(61), {"A": None, "B": 0.3}, sources=2),
        quoted(second(62), {"C": 0.45}, sources=2),
        frame(second(61), TICKS, sources=2, idle=True),
        frame(second(130), sources=2),
        quoted(second(131), {"IDX": None}, sources=2, reason="no_parity"),
        quoted(second(131), {"C": 0.5}, "quotes:1", sources=3),
        frame(second(170), sources=3),
        quoted(second(171), {"IDX": 0.2}, "quotes:1", sources=3),
        quoted(second(172), VOLS, sources=3),
        frame(second(173), "quotes:1", sources=3),
        quoted(second(173), VOLS, sources=3, in_vols=True),
        frame(second(174), "quotes:1", sources=3),
        frame(second(174), sources=3, accepted=1),
    ]
    whole, broken = (CrossSectionStage(market(spec(WEIGHTS))) for _ in range(2))
    stored: dict[str, bytes] = {}
    for each in frames:
        expected, got = whole.process(records(each)), broken.process(records(each))
        assert got.messages == expected.messages
        assert got.counts == expected.counts
        stored = {name: value for name, value in {**stored, **broken.chunks()}.items() if value}
        broken = CrossSectionStage(market(spec(WEIGHTS)))
        broken.restore(stored)
    last = decode_reading(expected.messages[-1].value or b"")
    assert last.basis == "atm"
    assert {"carried", "near_term_fallback", "split_name"} & set(last.flags)
