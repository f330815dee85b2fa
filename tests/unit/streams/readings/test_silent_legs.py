"""Legs that go silent while the rest of the feed goes on: the index, or a sector as a whole."""

import msgspec
import pytest

from streams.reading import Reading, SilentLeg
from streams.readings.cross_section_state import CrossSectionCheckpoint
from streams.records import NS
from tests.support.cross_section_run import VOLS, WEIGHTS, Run
from tests.support.points_frames import frame, quoted, second

SECTORS = {"A": "Tech", "B": "Tech", "C": "Energy", "D": "Energy"}
START = 1000
NAMES = {name: vol for name, vol in VOLS.items() if name != "IDX"}
TECH = ("A", "B")


def run() -> Run:
    return Run(sectors=SECTORS)


def quote(
    on: Run, first: int, last: int, *without: str, step: int = 1, refresh: float | None = None
) -> list[Reading]:
    """Everybody is quoted anew every `step` seconds, but those that are silent."""
    vols = {name: vol for name, vol in VOLS.items() if name not in without}
    return [
        reading
        for at in range(first, last + 1, step)
        for reading in on.feed(quoted(second(at), dict(vols), refresh_seconds=refresh))
    ]


def silent(readings: list[Reading]) -> dict[float, list[tuple[str, str, float]]]:
    """Second after the open → legs that a reading calls silent, with age."""
    return {
        reading.ts_event.timestamp() - second(0) / NS: [
            (one.leg, one.name, one.age_seconds) for one in reading.legs_silent
        ]
        for reading in readings
        if reading.legs_silent
    }


def test_an_index_that_stops_is_silent_after_thirty_seconds_until_it_is_back() -> None:
    on = run()
    quote(on, START, START + 10)
    found = silent(quote(on, START + 11, START + 50, "IDX"))
    assert min(found) == START + 41
    assert found[START + 41] == [("index", "IDX", 31.0)]
    assert found[START + 50] == [("index", "IDX", 40.0)]
    assert silent(quote(on, START + 51, START + 60)) == {}


def test_a_sector_that_freezes_is_silent_after_a_minute_until_it_is_back() -> None:
    on = run()
    quote(on, START, START + 10)
    readings = quote(on, START + 11, START + 80, *TECH)
    assert min(silent(readings)) == START + 71
    (leg,) = readings[-1].legs_silent
    assert leg == SilentLeg(
        leg="sector", name="Tech", names=2, age_seconds=70.0, limit_seconds=60.0, reason="stale"
    )
    assert silent(quote(on, START + 81, START + 90)) == {}


@pytest.mark.parametrize("without", [("A",), ("A", "C")])
def test_one_name_of_a_sector_is_no_leg(without: tuple[str, ...]) -> None:
    on = run()
    quote(on, START, START + 10)
    assert silent(quote(on, START + 11, START + 200, *without)) == {}


@pytest.mark.parametrize(
    "sectors",
    [{}, {"A": "Tech", "B": "Energy", "C": "Health", "D": "Utilities"}, {**SECTORS, "E": "Tech"}],
    ids=["no sectors", "a sector of one name may be halted", "names of it that never quoted"],
)
def test_which_names_make_a_leg(sectors: dict[str, str]) -> None:
    on = Run({**WEIGHTS, "E": 0.01}, sectors=sectors)
    quote(on, START, START + 10)
    found = silent(quote(on, START + 11, START + 100, *TECH))
    assert bool(found) is ("E" in sectors)


def test_total_silence_is_no_leg_and_neither_is_the_end_of_the_names_at_the_equity_close() -> None:
    on = run()
    quote(on, START, START + 10)
    quiet = on.feed(*(frame(second(at)) for at in range(START + 11, START + 400)))
    assert len(quiet) > 5
    assert silent(quiet) == {}
    late = run()
    end = 390 * 60
    quote(late, end - 5, end)
    assert silent(quote(late, end + 1, end + 600, *NAMES)) == {}


def test_a_total_silence_after_the_index_has_died_is_told_by_coverage() -> None:
    on = run()
    quote(on, START, START + 10)
    quote(on, START + 11, START + 60, "IDX")
    found = silent(on.feed(*(frame(second(at)) for at in range(START + 61, START + 400))))
    assert max(found) <= START + 120


def test_limits_follow_the_declared_refresh() -> None:
    on = run()
    quote(on, START, START + 120, step=60, refresh=60.0)
    without = quote(on, START + 180, START + 360, "IDX", *TECH, step=60, refresh=60.0)
    assert silent(without) == {
        START + 360: [("index", "IDX", 240.0), ("sector", "Tech", 240.0)],
    }
    assert {one.limit_seconds for one in without[-1].legs_silent} == {180.0}


def test_an_index_whose_quotes_give_no_vol_is_lost_and_says_why() -> None:
    on = run()
    quote(on, START, START + 10)
    readings = [
        reading
        for at in range(START + 11, START + 50)
        for reading in on.feed(quoted(second(at), {**VOLS, "IDX": None}))
    ]
    assert min(silent(readings)) == START + 41
    assert readings[-1].legs_silent[0].reason == "too_few"


def test_an_index_that_never_quotes_is_silent_from_the_first_names_on() -> None:
    on = run()
    found = silent(quote(on, START, START + 60, "IDX"))
    assert found[START + 31] == [("index", "IDX", 31.0)]
    assert min(found) == START + 31


def test_an_index_of_two_sources_counts_for_nothing_and_says_so() -> None:
    on = run()
    quote(on, START, START + 10)
    other = [
        reading
        for at in range(START + 11, START + 50)
        for reading in on.feed(
            quoted(second(at), dict(VOLS), sources=2),
            quoted(second(at), {"IDX": 0.18}, "quotes:1", sources=2),
        )
    ]
    assert all(reading.index_vol is None for reading in other[2:])
    assert other[-1].legs_silent[0].reason == "split_name"


def test_vols_alone_are_a_value_where_there_is_nothing_else() -> None:
    on = run()
    readings = [
        reading
        for at in range(START, START + 100)
        for reading in on.feed(quoted(second(at), dict(VOLS), in_vols=True))
    ]
    assert readings[-1].basis == "atm"
    assert silent(readings) == {}


def test_a_restart_in_the_middle_of_a_silence_changes_nothing() -> None:
    on = run()
    quote(on, START, START + 40, "IDX")
    quote(on, START + 41, START + 50)
    quote(on, START + 51, START + 70, "IDX", *TECH)
    again = run()
    checkpoint = CrossSectionCheckpoint(again.section)
    checkpoint.restore(CrossSectionCheckpoint(on.section).chunks())
    went_on = quote(on, START + 71, START + 140, "IDX", *TECH)
    assert silent(went_on)
    assert quote(again, START + 71, START + 140, "IDX", *TECH) == went_on


def test_a_checkpoint_of_an_earlier_release_raises_no_alarm() -> None:
    on = run()
    quote(on, START, START + 10)
    chunks = CrossSectionCheckpoint(on.section).chunks()
    head = msgspec.msgpack.decode(chunks["head"])
    assert head.pop("began") == second(START)
    for point in head["index"].values():
        del point["valued_ts"]
    again = run()
    CrossSectionCheckpoint(again.section).restore(chunks | {"head": msgspec.msgpack.encode(head)})
    assert silent(quote(again, START + 11, START + 41, "IDX")) == {
        START + 41: [("index", "IDX", 31.0)]
    }
