"""When a source's seconds close, and what comes too late or too early."""

import numpy as np
import pytest

from streams.records import NS
from streams.valuation.clock import ClockState, SourceClock

MS = 1_000_000


def clock() -> SourceClock:
    return SourceClock(lateness=0.25, future_tolerance=5.0)


def admit(
    source: SourceClock, *ts_ms: int, record_ms: int | None = None
) -> tuple[list[int], list[bool], list[bool]]:
    ts = np.array(ts_ms, np.int64) * MS
    record = ts if record_ms is None else np.full(ts.size, record_ms * MS)
    admission = source.admit(ts, record)
    return admission.second.tolist(), admission.late.tolist(), admission.future.tolist()


def test_second_t_ends_at_t() -> None:
    assert admit(clock(), 10_000, 10_001, 11_000)[0] == [10, 11, 11]


def test_a_second_closes_only_once_the_source_is_past_it_by_more_than_the_lateness() -> None:
    source = clock()
    admit(source, 10_250)
    assert source.closed == 9
    ts = np.array([10_250 * MS + 1])
    source.admit(ts, ts)
    assert source.closed == 10


def test_a_row_is_late_by_what_came_before_it_not_after() -> None:
    source = clock()
    _, late, _ = admit(source, 9_900, 10_300, 9_900, 10_001, 11_300, 10_500)
    assert late == [False, False, True, False, False, True]
    assert admit(source, 11_000)[1] == [True]


def test_closing_is_told_row_by_row() -> None:
    ts = np.array([9_900, 10_300, 10_100, 12_300]) * MS
    assert clock().admit(ts, ts).closed.tolist() == [9, 10, 10, 12]


def test_a_row_too_far_ahead_of_its_record_does_not_move_the_clock() -> None:
    source = clock()
    _, late, future = admit(source, 10_000, 15_001, 15_000, 10_001, record_ms=10_000)
    assert future == [False, True, False, False]
    assert late == [False, False, False, True]
    assert source.seen == 15_000 * MS


@pytest.mark.parametrize("ahead", [0, 9])
def test_rows_that_close_nothing_are_judged_alike_alone_and_beside_rows_that_do(ahead: int) -> None:
    alone, beside = clock(), clock()
    for source in (alone, beside):
        admit(source, 10_100, 11_300)
    calm = [11_400, 11_001, 12_000, 11_999]
    assert admit(alone, *calm) == tuple(part[:4] for part in admit(beside, *calm, 12_251 + ahead))
    assert (alone.closed, alone.seen) == (11, 12_000 * MS)


def test_heartbeats_close_the_whole_seconds_they_cover_and_never_reopen() -> None:
    source = clock()
    assert source.heartbeat(12 * NS + 999_999_999) == 12
    assert source.heartbeat(11 * NS) == 12
    assert admit(source, 12_000, 12_001)[1] == [True, False]


def test_idle_closes_what_was_seen() -> None:
    source = clock()
    admit(source, 10_100)
    assert source.idle() == 11
    assert admit(source, 10_900)[1] == [True]
    assert clock().idle() == -1


def test_a_restored_clock_goes_on_as_the_old_one() -> None:
    old, new = clock(), clock()
    admit(old, 10_100, 12_500)
    new.restore(old.state())
    assert admit(new, 12_000, 12_600) == admit(old, 12_000, 12_600)
    new.restore(None)
    assert new.state() == ClockState(closed=-1, seen=-NS)


@pytest.mark.parametrize("ts", [-(2**63), 2**63 - 1])
def test_times_at_the_ends_of_int64(ts: int) -> None:
    source = clock()
    admission = source.admit(np.array([ts]), np.array([0]))
    assert (admission.late | admission.future).all()
    assert source.closed == -1


def test_no_rows() -> None:
    source = clock()
    assert source.admit(np.empty(0, np.int64), np.empty(0, np.int64)).late.size == 0
    assert source.closed == -1
