import pytest

from streams.reading import Reading
from tests.support.cross_section_run import VOLS, Run
from tests.support.points_frames import SESSION, TICKS, frame, prices, quoted, second


def test_worked_example_of_four_names() -> None:
    (reading,) = Run().feed(quoted(second(60), VOLS))
    assert reading.index_vol == pytest.approx(0.18)
    assert reading.basket_vol == pytest.approx(0.299374, abs=1e-6)
    assert reading.dispersion == pytest.approx(0.239217, abs=1e-6)
    assert reading.variance_ratio == pytest.approx(0.36151, abs=1e-5)
    assert reading.vol_spread == pytest.approx(0.119374, abs=1e-6)
    assert reading.basket_atm_vol == pytest.approx(0.2925)
    assert reading.implied_correlation == pytest.approx(0.1133236, abs=1e-7)
    assert (
        reading.implied_correlation_lower
        == reading.implied_correlation
        == reading.implied_correlation_upper
    )
    assert reading.implied_correlation_basket == reading.implied_correlation
    assert reading.index_vol_bid == pytest.approx(0.17)
    assert reading.quality_width == pytest.approx(0.02)
    assert (reading.coverage, reading.coverage_valid, reading.coverage_names, reading.names) == (
        1.0,
        1.0,
        1.0,
        4,
    )
    assert (reading.basis, reading.tenor, reading.session, reading.mode) == (
        "quotes",
        "30d",
        SESSION,
        "replay",
    )
    assert reading.flags == ()


def test_every_null_field_has_a_reason_and_no_other() -> None:
    cases = [
        Run().feed(quoted(second(60), VOLS)),
        Run({}).feed(quoted(second(60), VOLS)),
        Run().feed(quoted(second(60), {"A": 0.3})),
        Run().feed(quoted(second(60), VOLS, in_vols=True)),
        Run().feed(frame(second(60), accepted=1)),
    ]
    nullable = [
        name
        for name in Reading.__struct_fields__
        if name not in {"constituents", "refresh_seconds"}
    ]
    for readings in cases:
        reading = readings[0]
        values = {
            name
            for name in reading.reasons
            if not name.startswith(("implied_correlation_skew", "book."))
        }
        null = {name for name in nullable if getattr(reading, name) is None}
        assert null | {"sectors"} == values, "none of these baskets has sectors"
        assert all(reading.reasons.values())


def test_no_basket() -> None:
    (reading,) = Run({}).feed(quoted(second(60), VOLS))
    assert reading.index_vol == pytest.approx(0.18)
    assert (
        reading.reasons["basket_vol"]
        == reading.reasons["coverage"]
        == reading.reasons["realized_correlation"]
        == "no_basket"
    )
    assert reading.constituents is None


def test_only_atm_vols() -> None:
    (reading,) = Run().feed(quoted(second(60), dict.fromkeys(VOLS), atm=VOLS, in_vols=True))
    assert reading.basis == "atm"
    assert reading.implied_correlation == pytest.approx(0.1133236, abs=1e-7)
    for name in (
        "index_vol",
        "basket_vol",
        "dispersion",
        "vol_spread",
        "variance_ratio",
        "index_vol_bid",
        "quality_width",
    ):
        assert reading.reasons[name] == "basis_atm"
    assert reading.coverage == 1.0
    assert reading.constituents is not None
    assert reading.constituents.variances == (None,) * 4
    assert reading.constituents.atm_vols == (0.30, 0.25, 0.40, 0.20)


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
    (reading,) = run.feed(
        quoted(second(60), VOLS, flags={"B": "near_term_fallback", "IDX": "rate_stale"})
    )
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
