from datetime import date
from typing import Any

import pytest

from streams.cross_section import CrossSection
from streams.points import PointsFrame
from streams.reading import Reading
from streams.records import NS
from streams.sessions import close_ns
from streams.stage import Output
from tests.support.points_frames import QUOTES, SESSION, TICKS, frame, market, prices, quoted, second, spec

VOLS = {"IDX": 0.18, "A": 0.30, "B": 0.25, "C": 0.40, "D": 0.20}
WEIGHTS = {"A": 0.40, "B": 0.25, "C": 0.20, "D": 0.15}
CLOSE = close_ns(SESSION)


class Run:
    """A cross-section that is fed frames one by one."""

    def __init__(self, weights: dict[str, float] | None = None, **more: Any) -> None:
        index = spec(WEIGHTS if weights is None else weights, **more)
        self.section = CrossSection(index, market(index))
        self.counts = Output().counts

    def feed(self, *frames: PointsFrame) -> list[Reading]:
        return [reading for each in frames for reading in self.section.receive(each, b"", self.counts)]


def at(readings: list[Reading]) -> list[float]:
    """Seconds after the open of readings."""
    return [reading.ts_event.timestamp() - second(0) / NS for reading in readings]


def test_worked_example_of_four_names() -> None:
    (reading,) = Run().feed(quoted(second(60), VOLS))
    assert reading.index_vol == pytest.approx(0.18)
    assert reading.basket_vol == pytest.approx(0.299374, abs=1e-6)
    assert reading.dispersion == pytest.approx(0.239217, abs=1e-6)
    assert reading.variance_ratio == pytest.approx(0.36151, abs=1e-5)
    assert reading.vol_spread == pytest.approx(0.119374, abs=1e-6)
    assert reading.basket_atm_vol == pytest.approx(0.2925)
    assert reading.implied_correlation == pytest.approx(0.1133236, abs=1e-7)
    assert reading.implied_correlation_lower == reading.implied_correlation == reading.implied_correlation_upper
    assert reading.implied_correlation_basket == reading.implied_correlation
    assert reading.index_vol_bid == pytest.approx(0.17)
    assert reading.quality_width == pytest.approx(0.02)
    assert (reading.coverage, reading.coverage_valid, reading.coverage_names, reading.names) == (1.0, 1.0, 1.0, 4)
    assert (reading.basis, reading.tenor, reading.session, reading.mode) == ("quotes", "30d", SESSION, "replay")
    assert reading.flags == ()


def test_every_null_field_has_a_reason_and_no_other() -> None:
    cases = [
        Run().feed(quoted(second(60), VOLS)),
        Run({}).feed(quoted(second(60), VOLS)),
        Run().feed(quoted(second(60), {"A": 0.3})),
        Run().feed(quoted(second(60), VOLS, basis="atm")),
        Run().feed(frame(second(60), accepted=1)),
    ]
    nullable = [name for name in Reading.__struct_fields__ if name not in {"constituents", "refresh_seconds"}]
    for readings in cases:
        reading = readings[0]
        assert {name for name in nullable if getattr(reading, name) is None} == set(reading.reasons)
        assert all(reading.reasons.values())


def test_a_second_gives_a_reading_only_with_input_and_once_all_sources_are_there() -> None:
    run = Run()
    assert run.feed(quoted(second(60), VOLS, sources=2)) == []
    assert at(run.feed(frame(second(61), TICKS, sources=2))) == [60]
    assert run.feed(frame(second(62), QUOTES, sources=2)) == []
    assert at(run.feed(frame(second(70), TICKS, sources=2, prices=prices({"A": 10.0}, second(70))))) == []
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


def test_a_valid_point_is_carried_over_an_invalid_one_and_ages() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS))
    (reading,) = run.feed(quoted(second(61), {"A": None}))
    assert reading.names == 4
    assert reading.coverage == 1.0
    assert reading.flags == ("carried",)
    reading = run.feed(quoted(second(121), {**VOLS, "A": None}))[-1]
    assert reading.coverage == pytest.approx(0.60)
    assert reading.coverage_valid == 1.0
    assert reading.coverage_names == pytest.approx(0.75)
    (reading,) = run.feed(quoted(second(122), VOLS))
    assert reading.flags == ()


def test_a_declared_refresh_lengthens_freshness() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS, refresh_seconds=300.0))
    (reading,) = run.feed(frame(second(960), accepted=1))[-1:]
    assert reading.coverage == 1.0
    assert reading.index_vol == pytest.approx(0.18)
    assert reading.refresh_seconds == 300.0
    (reading,) = run.feed(frame(second(961), accepted=1))
    assert reading.coverage == 0.0
    assert reading.reasons["index_vol"] == "stale"


def test_names_fresh_at_the_equity_close_stay_fresh_to_the_session_close() -> None:
    run = Run()
    run.feed(quoted(CLOSE - 900 * NS, VOLS))
    reading = run.feed(quoted(CLOSE, {"IDX": 0.18}))[-1]
    assert reading.coverage == 1.0
    assert reading.dispersion is not None
    other = Run()
    other.feed(quoted(CLOSE - 961 * NS, VOLS))
    (reading,) = other.feed(quoted(CLOSE, {"IDX": 0.18}))[-1:]
    assert reading.coverage == 0.0


def test_the_index_is_never_carried() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS))
    (reading,) = run.feed(quoted(second(61), {"IDX": None}, reason="no_parity"))
    for name in ("index_vol", "dispersion", "vol_spread", "variance_ratio", "index_atm_vol", "implied_correlation", "quality_width"):
        assert reading.reasons[name] == "no_parity"
    assert reading.basket_vol == pytest.approx(0.299374, abs=1e-6)
    (reading,) = run.feed(quoted(second(62), VOLS))
    assert reading.index_vol == pytest.approx(0.18)


def test_a_stale_index_says_so() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS))
    (_, reading) = run.feed(quoted(second(91), {"A": 0.3}))
    assert reading.reasons["index_vol"] == reading.reasons["implied_correlation"] == "stale"


def test_too_little_of_the_basket() -> None:
    run = Run()
    (reading,) = run.feed(quoted(second(60), {"IDX": 0.18, "A": 0.3, "B": 0.25}))
    assert reading.coverage_valid == pytest.approx(0.65)
    for name in ("basket_vol", "dispersion", "implied_correlation", "implied_correlation_lower", "vol_spread", "basket_atm_vol"):
        assert reading.reasons[name] == "coverage"
    assert reading.index_vol == pytest.approx(0.18)
    assert reading.names == 2


def test_missing_names_widen_the_bounds() -> None:
    (reading,) = Run().feed(quoted(second(60), {name: vol for name, vol in VOLS.items() if name != "D"}))
    assert reading.implied_correlation_lower == pytest.approx(0.054079, abs=1e-6)
    assert reading.implied_correlation_upper == pytest.approx(0.0984152, abs=1e-6)
    assert reading.basket_vol == pytest.approx(((0.4 * 0.09 + 0.25 * 0.0625 + 0.2 * 0.16) / 0.85) ** 0.5)
    assert reading.constituents is not None
    assert reading.constituents.symbols == ("A", "B", "C")
    assert reading.constituents.weights == (0.40, 0.25, 0.20)


def test_strips_without_smiles_leave_the_correlation_alone() -> None:
    (reading,) = Run().feed(quoted(second(60), VOLS, atm={"A": None, "B": None}))
    assert reading.basket_vol == pytest.approx(0.299374, abs=1e-6)
    for name in ("implied_correlation", "implied_correlation_upper", "implied_correlation_basket", "basket_atm_vol"):
        assert reading.reasons[name] == "coverage"
    assert reading.constituents is not None
    assert reading.constituents.atm_vols == (None, None, 0.40, 0.20)


def test_a_source_that_never_spoke_can_be_idle() -> None:
    run = Run()
    assert run.feed(quoted(second(60), VOLS, sources=2)) == []
    assert at(run.feed(frame(0, TICKS, sources=2, idle=True))) == [60]


def test_no_basket() -> None:
    (reading,) = Run({}).feed(quoted(second(60), VOLS))
    assert reading.index_vol == pytest.approx(0.18)
    assert reading.reasons["basket_vol"] == reading.reasons["coverage"] == reading.reasons["realized_correlation"] == "no_basket"
    assert reading.constituents is None


def test_only_atm_vols() -> None:
    (reading,) = Run().feed(quoted(second(60), dict.fromkeys(VOLS), atm=VOLS, basis="atm"))
    assert reading.basis == "atm"
    assert reading.implied_correlation == pytest.approx(0.1133236, abs=1e-7)
    for name in ("index_vol", "basket_vol", "dispersion", "vol_spread", "variance_ratio", "index_vol_bid", "quality_width"):
        assert reading.reasons[name] == "basis_atm"
    assert reading.coverage == 1.0
    assert reading.constituents is not None
    assert reading.constituents.variances == (None,) * 4
    assert reading.constituents.atm_vols == (0.30, 0.25, 0.40, 0.20)


def test_the_two_bases_are_never_mixed() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS, sources=2))
    (reading,) = run.feed(quoted(second(60), {"D": 0.2}, "quotes:1", sources=2, basis="atm"))
    assert reading.basis == "quotes"
    assert reading.names == 3


def test_a_name_from_two_sources_is_left_out() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS, sources=2))
    (reading,) = run.feed(quoted(second(60), {"D": 0.2}, "quotes:1", sources=2))
    assert reading.names == 3
    assert "split_name" in reading.flags
    assert reading.reasons["constituents.D"] == "split_name"
    monday = date(2026, 7, 13)
    run.feed(frame(second(1, monday), "quotes:1", sources=2))
    reading = run.feed(quoted(second(1, monday), VOLS, sources=2))[-1]
    assert reading.session == monday
    assert reading.flags == ()


def test_a_new_session_forgets_points_and_references() -> None:
    run = Run()
    run.feed(quoted(CLOSE, VOLS), frame(CLOSE + NS, references=prices({"VIX": 0.2}, CLOSE + NS)))
    monday = date(2026, 7, 13)
    (reading,) = run.feed(quoted(second(1, monday), {"A": 0.3}))
    assert reading.names == 1
    assert reading.references == {}
    assert reading.reasons["index_vol"] == "no_quotes"


def test_one_name_has_no_correlation() -> None:
    (reading,) = Run({"A": 1.0}).feed(quoted(second(60), {"IDX": 0.2, "A": 0.3}))
    assert reading.reasons["implied_correlation"] == "one_name"
    assert reading.basket_vol == pytest.approx(0.3)


def test_out_of_range_is_raw_and_flagged() -> None:
    run = Run()
    (reading,) = run.feed(quoted(second(60), {**VOLS, "IDX": 0.32}))
    assert reading.implied_correlation is not None
    assert reading.implied_correlation > 1
    assert reading.dispersion == 0.0
    assert reading.flags == ("dispersion_floor", "rho_out_of_range")
    assert run.counts["implied_correlation_out_of_range", "IDX", "high"] == 1


def test_flags_of_points_and_of_the_basket_are_passed_on() -> None:
    run = Run()
    (reading,) = run.feed(quoted(second(60), VOLS, flags={"B": "near_term_fallback", "IDX": "rate_stale"}))
    assert reading.flags == ("near_term_fallback", "rate_stale")


def test_only_the_fifty_largest_imply_the_correlation() -> None:
    weights = {f"N{n:02d}": 60.0 - n for n in range(60)}
    vols: dict[str, float | None] = dict.fromkeys(weights, 0.3)
    run = Run(weights)
    (reading,) = run.feed(quoted(second(60), {"IDX": 0.2, **vols}))
    vols.update({f"N{n:02d}": 0.9 for n in range(50, 60)})
    (changed,) = run.feed(quoted(second(61), {"IDX": 0.2, **vols}))
    assert changed.implied_correlation == reading.implied_correlation
    assert reading.implied_correlation_basket != changed.implied_correlation_basket
    assert changed.basket_atm_vol == pytest.approx(0.3)
    assert changed.basket_vol is not None
    assert changed.basket_vol > 0.3


def test_each_tenor_has_its_reading_and_its_references() -> None:
    run = Run(tenors=(30, 91), references=("VIX", "VIX3M"))
    first = quoted(second(60), VOLS, sources=2)
    run.feed(first)
    levels = prices({"VIX": 0.17, "VIX3M": 0.2, "MOVE": 1.0}, second(60))
    readings = run.feed(frame(second(60), TICKS, sources=2, references=levels))
    assert [reading.tenor for reading in readings] == ["30d", "91d"]
    assert [reading.references for reading in readings] == [{"VIX": 0.17}, {"VIX3M": 0.2}]
    assert [reading.index_vol for reading in readings] == [pytest.approx(0.18), None]
