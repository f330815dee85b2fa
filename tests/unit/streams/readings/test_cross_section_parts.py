from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from streams.basket_columns import LARGEST, basket_columns
from streams.catalogue.vocabulary import FrameKind
from streams.column_chunk import pack_columns, unpack_columns
from streams.market import Basket, Constituent
from streams.readings.flag_bits import WIDTH, FlagBits
from streams.readings.held_frames import HeldFrames
from streams.readings.name_points import NamePoints, NewPoints
from streams.readings.references import References, tracking_error
from streams.readings.sources_seen import SourcesSeen
from streams.records import NS
from tests.support.cross_section_run import VOLS, Run, at
from tests.support.points_frames import SESSION, frame, prices, quoted, second


def test_the_largest_names_are_the_heaviest_with_ties_by_symbol() -> None:
    names = tuple(Constituent(f"N{n:03d}", 1.0 if n % 2 else 2.0) for n in reversed(range(120)))
    columns = basket_columns(Basket(constituents=names))
    assert columns.largest_symbols == tuple(f"N{n:03d}" for n in range(0, 2 * LARGEST, 2))
    assert columns.positions_of(("N119", "other", "N000")).tolist() == [0, -1, 119]


@pytest.mark.parametrize(
    "weights", [(1.0, 0.0), (1.0, -1.0), (1.0, float("nan")), (1.0, float("inf"))]
)
def test_a_weight_must_be_a_positive_number(weights: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="not a positive number"):
        basket_columns(Basket("b", (Constituent("A", weights[0]), Constituent("B", weights[1]))))


def test_a_name_may_stand_once() -> None:
    with pytest.raises(ValueError, match="A more than once"):
        basket_columns(
            Basket("b", (Constituent("A", 1.0), Constituent("B", 1.0), Constituent("A", 2.0)))
        )


@pytest.mark.parametrize(
    ("refresh", "repeats"),
    [(None, [30, 60, 90]), (10.0, [30, 60, 90]), (45.0, [45, 90]), (60.0, [60])],
)
def test_readings_without_input_follow_the_refresh(
    refresh: float | None, repeats: list[float]
) -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS, refresh_seconds=refresh))
    readings = run.feed(frame(second(159), accepted=0))
    assert [seconds - 60 for seconds in at(readings)] == repeats
    marked = {"asynchronous" in one.flags for one in readings}
    assert marked == {refresh is not None and refresh >= 30.0}


def test_sources_are_waited_for_unless_idle() -> None:
    seen = SourcesSeen(expected=2)
    assert seen.admit("a", 10, idle=False) is FrameKind.NEW
    assert seen.reached() == 0
    assert seen.admit("b", 7, idle=False) is FrameKind.NEW
    assert seen.reached() == 7
    assert seen.admit("b", 7, idle=False) is FrameKind.DUPLICATE
    assert seen.admit("b", 7, idle=True) is FrameKind.IDLE_MARK
    assert seen.admit("b", 7, idle=True) is FrameKind.DUPLICATE
    assert seen.reached() == 10
    assert seen.admit("b", 9, idle=False) is FrameKind.NEW
    assert seen.reached() == 9
    assert seen.admit("b", 8, idle=True) is FrameKind.DUPLICATE
    assert seen.reached() == 9


def a_lull() -> SourcesSeen:
    """Two sources; b is idle and its owner says so again and again, a is about to speak."""
    seen = SourcesSeen(expected=2)
    seen.admit("a", second(10), idle=False)
    seen.admit("b", second(7), idle=True)
    for _ in range(3):
        assert seen.renew("b", second(7), SESSION)
    assert seen.reached() == second(10)
    seen.admit("a", second(20), idle=False)
    return seen


def test_an_idle_source_is_waited_for_until_its_owner_has_looked_again() -> None:
    seen = a_lull()
    reached = []
    for _ in range(3):
        reached.append(seen.reached())
        assert seen.renew("b", second(7), SESSION)
    assert reached == [second(10)] * 3
    assert seen.reached() == second(20)
    seen.admit("a", second(21), idle=False)
    assert seen.admit("b", second(18), idle=False) is FrameKind.NEW
    assert seen.silent == {}
    assert seen.reached() == second(18), "it speaks: its own word counts, not what was vouched for"


@pytest.mark.parametrize("session", [None, SESSION - timedelta(days=1)])
def test_an_owner_that_may_not_renew_holds_nobody_up(session: date | None) -> None:
    seen = a_lull()
    if session is None:
        assert seen.renew("b", second(7), None)
        assert not seen.renew("b", second(7), None)
    else:
        seen.silent["b"].session = session
    assert seen.reached() == second(20)


def test_a_mark_of_long_ago_is_no_look() -> None:
    seen = a_lull()
    assert not any(seen.renew("b", second(6), SESSION) for _ in range(5))
    assert seen.reached() == second(10)


def test_held_frames_come_in_order_and_are_written_and_deleted_once() -> None:
    held = HeldFrames()
    for boundary, source in ((3, "a"), (1, "b"), (1, "a")):
        held.put(frame(boundary, source), f"{source}{boundary}".encode())
    assert dict(held.changed()) == {"held/a/1": b"a1", "held/a/3": b"a3", "held/b/1": b"b1"}
    assert [(held.pop().source, held.pop().source)] == [("a", "b")]
    held.put(frame(4, "a"), b"a4")
    assert dict(held.changed()) == {"held/a/1": b"", "held/b/1": b"", "held/a/4": b"a4"}
    assert dict(held.changed()) == {}
    held.put(frame(2, "b"), b"b2")
    assert held.pop().boundary == 2
    assert dict(held.changed()) == {}
    assert len(held) == 2


def test_flags_beyond_the_width_are_left_out() -> None:
    bits = FlagBits()
    codes = bits.encode(tuple(f"flag{n:02d}" for n in range(WIDTH + 3)))
    assert bits.union(codes) == {f"flag{n:02d}" for n in range(WIDTH)}
    assert bits.union(codes[-1:]) == set()
    assert bits.union(codes[:0]) == set()


def test_flags_survive_a_restart_and_do_not_depend_on_their_order() -> None:
    bits = FlagBits()
    codes = bits.encode(("b,a", "", "c, b"))
    again = FlagBits(tuple(bits.flags))
    assert again.union(codes[2:]) == {"b", "c"}
    assert again.encode(("a,b",)).tolist() == codes[:1].tolist()


def test_columns_come_back_as_they_were() -> None:
    like: dict[str, Any] = {
        "x": np.array([1.5, np.nan]),
        "n": np.array([1, 2], np.int64),
        "ok": np.array([True, False]),
    }
    columns, meta = unpack_columns("things", pack_columns("things", like, {"a": [1, "b"]}), like)
    assert meta == {"a": [1, "b"]}
    for name, array in like.items():
        np.testing.assert_array_equal(columns[name], array)
        assert columns[name].dtype == array.dtype
        assert columns[name].flags.writeable


@pytest.mark.parametrize(
    ("what", "like"),
    [
        ("other", {"x": np.zeros(2)}),
        ("things", {"y": np.zeros(2)}),
        ("things", {"x": np.zeros(2, np.int64)}),
        ("things", {"x": np.zeros(2), "y": np.zeros(2)}),
    ],
)
def test_columns_of_something_else_are_refused(what: str, like: dict[str, Any]) -> None:
    value = pack_columns("things", {"x": np.zeros(2)})
    with pytest.raises(ValueError, match=r"things|other"):
        unpack_columns(what, value, like)


def test_columns_of_unequal_length_are_refused() -> None:
    like = {"x": np.zeros(2), "y": np.zeros(3)}
    with pytest.raises(ValueError, match="unequal"):
        unpack_columns("things", pack_columns("things", like), like)


def test_references_of_no_known_counterpart_belong_with_30_days() -> None:
    references = References(("VIX", "MINE"))
    references.apply(prices({"VIX": 0.2, "MINE": 0.3, "DSPX": 0.4}, 0))
    assert references.at_tenor(30) == {"MINE": 0.3, "VIX": 0.2}
    assert references.at_tenor(91) == {}
    assert tracking_error(references.at_tenor(30), {"index_vol": 0.25}) == {
        "VIX": pytest.approx(0.05)
    }


def test_points_of_an_earlier_release_are_read() -> None:
    points, three = NamePoints(3), np.arange(3)
    points.apply(
        NewPoints(
            at=three,
            variance=np.array([0.04, np.nan, np.nan]),
            width=np.full(3, 0.01),
            atm_vol=np.array([0.2, 0.3, np.nan]),
            quote_ts=np.full(3, NS),
            flags=np.zeros(3, np.int64),
            refresh_seconds=0.0,
            atm_only=np.array([False, False, True]),
            reason=np.array([0, 1, 2]),
            atm_reason=np.array([0, 0, 2]),
            forward=np.array([100.0, np.nan, 50.0]),
        )
    )
    columns, _ = unpack_columns("points", points.chunk(), points._columns())
    added = {"atm_superseded", "atm_reason", "seen_ts", "forward"}
    old = pack_columns(
        "points", {name: column for name, column in columns.items() if name not in added}
    )
    restored = NamePoints(3)
    restored.restore(old, three)
    for name in ("variance", "superseded", "reason", "atm_vol", "atm_superseded", "atm_reason"):
        assert np.array_equal(getattr(restored, name), getattr(points, name), equal_nan=True), name
    assert restored.seen_ts.tolist() == [NS, NS, 0], "of the third no value has come"
