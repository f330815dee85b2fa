from datetime import date

import pytest

from streams.records import NS
from tests.support.cross_section_run import CLOSE, VOLS, Run
from tests.support.points_frames import frame, quoted, second


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
    for name in (
        "index_vol",
        "dispersion",
        "vol_spread",
        "variance_ratio",
        "index_atm_vol",
        "implied_correlation",
        "quality_width",
    ):
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
    for name in (
        "basket_vol",
        "dispersion",
        "implied_correlation",
        "implied_correlation_lower",
        "vol_spread",
        "basket_atm_vol",
    ):
        assert reading.reasons[name] == "coverage"
    assert reading.index_vol == pytest.approx(0.18)
    assert reading.names == 2


def test_missing_names_widen_the_bounds() -> None:
    (reading,) = Run().feed(
        quoted(second(60), {name: vol for name, vol in VOLS.items() if name != "D"})
    )
    assert reading.implied_correlation == pytest.approx(-0.0293495, abs=1e-6)
    assert reading.implied_correlation_lower == reading.implied_correlation
    assert reading.implied_correlation_upper == pytest.approx(0.0984152, abs=1e-6)
    assert reading.basket_vol == pytest.approx(
        ((0.4 * 0.09 + 0.25 * 0.0625 + 0.2 * 0.16) / 0.85) ** 0.5
    )
    assert reading.constituents is not None
    assert reading.constituents.symbols == ("A", "B", "C")
    assert reading.constituents.weights == (0.40, 0.25, 0.20)


def test_strips_without_smiles_leave_the_correlation_alone() -> None:
    (reading,) = Run().feed(quoted(second(60), VOLS, atm={"A": None, "B": None}))
    assert reading.basket_vol == pytest.approx(0.299374, abs=1e-6)
    for name in (
        "implied_correlation",
        "implied_correlation_upper",
        "implied_correlation_basket",
        "basket_atm_vol",
    ):
        assert reading.reasons[name] == "coverage"
    assert reading.constituents is not None
    assert reading.constituents.atm_vols == (None, None, 0.40, 0.20)


def test_a_name_without_a_strip_counts_for_correlation() -> None:
    strips = {**VOLS, "A": None, "B": None}
    (reading,) = Run().feed(
        quoted(second(60), strips, atm={"A": 0.30, "B": 0.25}, reason="near:gap")
    )
    assert reading.implied_correlation == pytest.approx(0.1133236, abs=1e-7)
    assert reading.implied_correlation_lower == reading.implied_correlation
    assert reading.implied_correlation_basket == reading.implied_correlation
    assert reading.basket_atm_vol == pytest.approx(0.2925)
    assert reading.reasons["basket_vol"] == reading.reasons["dispersion"] == "coverage"
    assert reading.coverage == pytest.approx(0.35)
    assert reading.names == 2
    assert (reading.coverage_atm, reading.coverage_atm_names, reading.names_atm) == (1.0, 1.0, 4)
    assert reading.names_missing == {"A": "near:gap", "B": "near:gap"}
    assert reading.names_missing_atm == {}
    assert reading.constituents is not None
    assert reading.constituents.symbols == ("A", "B", "C", "D")
    assert reading.constituents.variances[:2] == (None, None)
    assert reading.constituents.variances[2] == pytest.approx(0.16)
    assert reading.constituents.atm_vols == (0.30, 0.25, 0.40, 0.20)


def test_a_name_without_an_atm_vol_counts_for_the_model_free_pair() -> None:
    (reading,) = Run().feed(quoted(second(60), VOLS, atm={"D": None}))
    assert reading.basket_vol == pytest.approx(0.299374, abs=1e-6)
    assert reading.coverage == 1.0
    assert reading.coverage_atm == pytest.approx(0.85)
    assert reading.names_missing_atm == {"D": "too_few"}
    assert reading.implied_correlation is not None
    assert reading.implied_correlation_lower is not None
    assert reading.implied_correlation_upper is not None
    assert (
        reading.implied_correlation_lower
        <= reading.implied_correlation
        <= reading.implied_correlation_upper
    )
    assert reading.implied_correlation_lower < reading.implied_correlation_upper


def test_a_carried_vol_widens_the_band_and_leaves_the_value() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS))
    (reading,) = run.feed(quoted(second(61), VOLS, atm={"B": None}, reason="near:no smile"))
    assert reading.names_carried_atm == {"B": "near:no smile"}
    assert (reading.names_carried, reading.flags) == ({}, ("carried",))
    assert reading.implied_correlation == pytest.approx(0.1133236, abs=1e-7)
    lower, upper = reading.implied_correlation_lower, reading.implied_correlation_upper
    assert lower is not None
    assert upper is not None
    assert lower < 0.1133236 < upper
    (reading,) = run.feed(quoted(second(62), VOLS))
    assert reading.implied_correlation_lower == reading.implied_correlation


def test_names_that_lack_something_are_told_with_weight_reason_and_age() -> None:
    run = Run()
    run.feed(quoted(second(60), {name: vol for name, vol in VOLS.items() if name != "D"}))
    late = {"IDX": 0.18, "A": None, "B": None}
    (reading,) = run.feed(quoted(second(70), late, atm={"B": 0.25}, reason="near:gap"))
    told = [
        (one.symbol, one.strip, one.strip_reason, one.atm, one.atm_reason, one.age_seconds)
        for one in reading.names_lacking
    ]
    assert told == [
        ("A", "carried", "near:gap", "carried", "near:gap", 10.0),
        ("B", "carried", "near:gap", "valid", "", 10.0),
        ("D", "missing", "no_quotes", "missing", "no_quotes", None),
    ]
    assert [one.weight for one in reading.names_lacking] == pytest.approx([0.40, 0.25, 0.15])
    assert reading.names_age == {"A": 10.0, "B": 10.0}
    reading = run.feed(quoted(second(131), {"IDX": 0.18, "C": 0.4}))[-1]
    assert reading.names_carried == {"A": "near:gap", "B": "near:gap"}
    assert reading.names_carried_atm == {"A": "near:gap", "B": "stale"}
    assert reading.names_age == {"A": 71.0, "B": 71.0}


def test_twenty_of_the_names_that_lack_something_are_told_in_full_heaviest_first() -> None:
    weights = {f"N{n:02d}": 1.0 + n for n in range(60)}
    vols = {name: 0.3 if n < 31 else None for n, name in enumerate(weights)}
    (reading,) = Run(weights).feed(quoted(second(60), {"IDX": 0.2, **vols}, reason="next:gap"))
    assert len(reading.names_missing) == 29
    assert [one.symbol for one in reading.names_lacking] == [f"N{n}" for n in range(59, 39, -1)]
    assert {one.strip for one in reading.names_lacking} == {"refused"}
    assert reading.names_age == dict.fromkeys(reading.names_missing, 0.0)


def test_the_two_bases_are_never_mixed() -> None:
    run = Run()
    run.feed(quoted(second(60), VOLS, sources=2))
    (reading,) = run.feed(quoted(second(60), {"D": 0.2}, "quotes:1", sources=2, in_vols=True))
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
