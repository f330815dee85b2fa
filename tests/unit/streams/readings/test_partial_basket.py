"""A few names against an index, by declaration: everything but implied correlation."""

from dataclasses import replace

import pytest

from streams.catalogue.vocabulary import PARTIAL_BASKET
from streams.detection.gates import data_gate
from streams.market import Gates, IndexSpec
from streams.reading import Reading
from streams.readings.cross_section import CrossSection
from streams.stage import Output
from tests.support.cross_section_run import VOLS, WEIGHTS
from tests.support.points_frames import market, quoted, second, spec


def reading(vols: dict[str, float], *, partial: bool) -> Reading:
    whole = spec(WEIGHTS)
    index = IndexSpec("IDX", replace(whole.basket, partial=partial))
    section = CrossSection(index, market(index))
    (found,) = section.receive(quoted(second(60), vols), b"", Output().counts)
    return found


# Ten names at 12 % against an index at 18 %: a correlation of 2.5, which says nothing.
LOW = {"IDX": 0.18, **dict.fromkeys(WEIGHTS, 0.12)}


@pytest.mark.parametrize("vols", [VOLS, LOW])
def test_correlation_is_not_taken_and_all_else_is(vols: dict[str, float]) -> None:
    whole, part = reading(vols, partial=False), reading(vols, partial=True)
    for field in (
        "implied_correlation",
        "implied_correlation_lower",
        "implied_correlation_upper",
        "implied_correlation_basket",
        "implied_correlation_skew",
        "correlation_premium",
        "realized_correlation_index",
    ):
        assert part.reasons[field] == PARTIAL_BASKET
        assert not getattr(part, field)
    for field in ("index_vol", "basket_vol", "dispersion", "vol_spread", "basket_atm_vol"):
        assert getattr(part, field) == getattr(whole, field) is not None
    assert part.coverage == part.coverage_atm == 1.0
    assert "rho_out_of_range" not in part.flags
    assert data_gate(part, Gates()) == ""


def test_undeclared_it_is_out_of_range() -> None:
    assert data_gate(reading(LOW, partial=False), Gates()) == "range"


def test_what_is_missing_still_has_its_own_reason() -> None:
    half = {name: vol for name, vol in VOLS.items() if name not in {"A", "B"}}
    part = reading(half, partial=True)
    assert part.reasons["basket_atm_vol"] == part.reasons["basket_vol"] == "coverage"
    assert part.reasons["implied_correlation"] == PARTIAL_BASKET
