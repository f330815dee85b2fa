from datetime import date

import pytest

from streams.records import NS
from tests.support.cross_section_run import CLOSE, VOLS, Run, at
from tests.support.points_frames import QUOTES, SESSION, TICKS, frame, prices, quoted, second


def test_a_second_gives_a_reading_only_with_input_and_once_all_sources_are_there() -> None:
    run = Run()
    assert run.feed(quoted(second(60), VOLS, sources=2)) == []
    assert at(run.feed(frame(second(61), TICKS, sources=2))) == [60]
    assert run.feed(frame(second(62), QUOTES, sources=2)) == []
    assert (
        at(run.feed(frame(second(70), TICKS, sources=2, prices=prices({"A": 10.0}, second(70)))))
        == []
    )
    assert at(run.feed(frame(second(75), QUOTES, sources=2))) == [70]


def test_frames_ahead_wait_and_points_after_the_second_do_not_touch_it() -> None:
    run = Run()
    later = {**VOLS, "IDX": 0.36}
    run.feed(quoted(second(60), VOLS, sources=2), quoted(second(61), later, sources=2))
    readings = run.feed(frame(second(61), TICKS, sources=2))
    assert [reading.index_vol for reading in readings] == pytest.approx([0.18, 0.36])


def test_quiet_seconds_and_the_close() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS))
    quiet = run.feed(frame(second(125)))
    assert at(quiet) == [90, 120]
    assert all("no_input" in reading.flags for reading in quiet)
    assert at(run.feed(quoted(second(131), VOLS))) == [131]
    assert at(run.feed(frame(second(160)))) == []
    assert at(run.feed(frame(second(161)))) == [161]


def test_a_jump_of_days_ends_with_the_close_of_the_session() -> None:
    run = Run()
    run.feed(quoted(CLOSE - 45 * NS, VOLS))
    monday = date(2026, 7, 13)
    readings = run.feed(quoted(second(7, monday), VOLS))
    assert [(reading.session, reading.flags) for reading in readings] == [
        (SESSION, ("no_input",)),
        (SESSION, ("session_close",)),
        (monday, ()),
    ]
    assert readings[1].ts_event.timestamp() == CLOSE / NS


def test_close_with_input_is_flagged_and_given_once() -> None:
    run = Run()
    (reading,) = run.feed(quoted(CLOSE, VOLS))
    assert reading.flags == ("session_close",)
    assert run.feed(frame(CLOSE + 3600 * NS)) == []


def test_a_session_without_input_has_no_close() -> None:
    run = Run()
    assert run.feed(frame(second(60)), frame(CLOSE + NS)) == []


def test_half_day_closes_at_a_quarter_past_one() -> None:
    half = date(2025, 11, 28)
    run = Run()
    run.feed(quoted(second(60, half), VOLS))
    readings = run.feed(frame(second(30000, half)))
    assert readings[-1].ts_event.timestamp() == second(3.75 * 3600, half) / NS
    assert readings[-1].flags == ("carried", "session_close")


def test_points_before_the_open_count_later_but_give_no_reading() -> None:
    run = Run()
    assert run.feed(quoted(second(-10), VOLS), quoted(second(0), VOLS)) == []
    (reading,) = run.feed(quoted(second(1), {"IDX": 0.2}))
    assert reading.names == 4
    assert reading.coverage == 1.0


def test_duplicates_are_dropped_and_counted() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS))
    assert run.feed(quoted(second(60), {**VOLS, "IDX": 0.5}), quoted(second(59), VOLS)) == []
    assert run.counts["points_frames", "duplicate"] == 2
    (reading,) = run.feed(quoted(second(61), {"A": 0.3}))
    assert reading.index_vol == pytest.approx(0.18)


def test_an_idle_source_is_not_waited_for_until_it_speaks_again() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS, sources=2), frame(second(60), TICKS, sources=2))
    assert run.feed(quoted(second(61), VOLS, sources=2)) == []
    assert at(run.feed(frame(second(60), TICKS, sources=2, idle=True))) == [61]
    assert at(run.feed(quoted(second(65), VOLS, sources=2))) == [65]
    late = frame(second(63), TICKS, sources=2, references=prices({"VIX": 0.19}, second(63)))
    assert run.feed(late) == []
    assert run.counts["points_frames", "late"] == 1
    assert run.feed(quoted(second(66), VOLS, sources=2)) == []
    (reading,) = run.feed(frame(second(66), TICKS, sources=2))
    assert reading.references == {"VIX": 0.19}
    assert reading.tracking_error == {"VIX": pytest.approx(-0.01)}


def test_when_all_are_idle_nobody_is_waited_for() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS, sources=2, idle=True))
    assert at(run.feed(frame(second(58), TICKS, sources=2, idle=True))) == [60]


def test_more_sources_are_waited_for_from_the_second_that_declares_them() -> None:
    run = Run()
    assert at(run.feed(quoted(second(60), VOLS, sources=1))) == [60]
    assert run.feed(quoted(second(61), VOLS, sources=2)) == []
    assert at(run.feed(frame(second(61), "quotes:1", sources=2))) == [61]
    assert run.feed(quoted(second(62), VOLS, sources=1)) == []


def test_a_source_that_never_spoke_can_be_idle() -> None:
    run = Run()
    assert run.feed(quoted(second(60), VOLS, sources=2)) == []
    assert at(run.feed(frame(0, TICKS, sources=2, idle=True))) == [60]


def test_a_new_session_forgets_points_and_references() -> None:
    run = Run()
    run.feed(quoted(CLOSE, VOLS), frame(CLOSE + NS, references=prices({"VIX": 0.2}, CLOSE + NS)))
    monday = date(2026, 7, 13)
    (reading,) = run.feed(quoted(second(1, monday), {"A": 0.3}))
    assert reading.names == 1
    assert reading.references == {}
    assert reading.reasons["index_vol"] == "no_quotes"
