"""Vols and correlations of sectors, by hand and on a recorded close."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pytest

from config.baskets import find_basket, load_basket
from streams.calendar.sessions import close_ns
from streams.market import IndexSpec, Market, Rates
from streams.reading import Reading, Sector
from streams.readings.cross_section import CrossSection
from streams.records import NS
from streams.stage import Output
from streams.valuation.quotes_stage import QuotesStage
from tests.support.cross_section_run import Run
from tests.support.input_records import frame_of, frames_in
from tests.support.nbbo_closes import closing_quotes
from tests.support.option_chains import taken
from tests.support.points_frames import frame, surfaces
from tests.support.trading_days import sessions_in

WEIGHTS = {"A": 0.40, "B": 0.25, "C": 0.20, "D": 0.15}
SECTORS = {"A": "Tech", "B": "Tech", "C": "Energy", "D": "Energy"}
VOLS = {"IDX": 0.18, "A": 0.30, "B": 0.25, "C": 0.40, "D": 0.20}
DAYS = sessions_in(date(2026, 6, 8), date(2026, 7, 10))


def closes(run: Run, *vols: Mapping[str, float | None]) -> list[Reading]:
    """Readings of one close after another."""
    days = DAYS[-len(vols) :]
    return [
        reading
        for day, of_day in zip(days, vols, strict=True)
        for reading in run.feed(frame(close_ns(day), surfaces=surfaces(of_day, close_ns(day) - NS)))
    ]


def by_name(reading: Reading) -> dict[str, Sector]:
    return {one.sector: one for one in reading.sectors}


def test_levels_and_changes_by_hand() -> None:
    days = [{name: vol + 0.001 * at for name, vol in VOLS.items()} for at in range(21)]
    found = by_name(closes(Run(WEIGHTS, sectors=SECTORS), *days)[-1])
    assert list(found) == ["Energy", "Tech"]
    for sector, names in (("Tech", "AB"), ("Energy", "CD")):
        w = np.array([WEIGHTS[name] for name in names])
        s = [np.array([day[name] for name in names]) for day in days]
        index = [day["IDX"] for day in days]
        level = [np.sqrt(w @ vols**2 / w.sum()) for vols in s]
        rho = [
            (one**2 - (w / w.sum()) ** 2 @ vols**2)
            / ((w / w.sum() @ vols) ** 2 - (w / w.sum()) ** 2 @ vols**2)
            for one, vols in zip(index, s, strict=True)
        ]
        one = found[sector]
        assert one.basket_vol == pytest.approx(level[-1], abs=1e-12)
        assert one.implied_correlation == pytest.approx(rho[-1], abs=1e-12)
        assert one.basket_vol_change == pytest.approx(level[-1] - level[-2], abs=1e-12)
        assert one.basket_vol_change_20d == pytest.approx(level[-1] - level[0], abs=1e-12)
        assert one.implied_correlation_change == pytest.approx(rho[-1] - rho[-2], abs=1e-12)
        assert one.implied_correlation_change_20d == pytest.approx(rho[-1] - rho[0], abs=1e-12)
        assert (one.names, one.names_atm, one.coverage, one.coverage_atm) == (2, 2, 1.0, 1.0)
    assert sum(one.weight for one in found.values()) == pytest.approx(1.0)


def test_tech_rises_while_the_rest_falls() -> None:
    after = {**VOLS, "A": 0.36, "B": 0.30, "C": 0.37, "D": 0.18}
    found = by_name(closes(Run(WEIGHTS, sectors=SECTORS), VOLS, after)[-1])
    assert (found["Tech"].basket_vol_change or 0.0) > 0.05
    assert (found["Energy"].basket_vol_change or 0.0) < -0.02
    assert found["Tech"].basket_vol_change_20d is None


def test_a_sector_with_too_few_names_has_no_value() -> None:
    found = by_name(closes(Run(WEIGHTS, sectors=SECTORS), {**VOLS, "C": None})[-1])
    assert found["Energy"].basket_vol is None
    assert found["Energy"].coverage == pytest.approx(0.15 / 0.35)
    assert found["Tech"].basket_vol is not None
    alone = Run(WEIGHTS, sectors={**SECTORS, "C": "Utilities"})
    one = by_name(closes(alone, VOLS)[-1])["Utilities"]
    assert one.basket_vol == pytest.approx(0.40, abs=1e-12)
    assert one.implied_correlation is None


def test_a_name_that_comes_is_no_part_of_a_change() -> None:
    weights = {"A": 0.5, "B": 0.4, "C": 0.1}
    sectors = dict.fromkeys(weights, "Tech")
    before: dict[str, float | None] = {"IDX": 0.18, "A": 0.30, "B": 0.25, "C": None}
    after = {"IDX": 0.18, "A": 0.30, "B": 0.25, "C": 0.90}
    found = by_name(closes(Run(weights, sectors=sectors), before, after)[-1])["Tech"]
    assert found.basket_vol_change == pytest.approx(0.0, abs=1e-12)
    assert (found.basket_vol or 0.0) > 0.35


def test_a_basket_without_sectors_has_none() -> None:
    assert closes(Run(WEIGHTS), VOLS)[-1].sectors == ()


@pytest.mark.evaluation
def test_the_close_of_10_july_2026_against_numpy() -> None:
    session = date(2026, 7, 10)
    spec = IndexSpec("SPY", load_basket(find_basket("sample_100")))
    market = Market((spec,), rates=Rates(constant=0.0364), mode="replay")
    quotes, stage = closing_quotes(session), QuotesStage(market, "quotes:0", 1)
    records = [
        frame_of(taken(quotes, np.arange(at, min(at + 5000, quotes.strike.size))))
        for at in range(0, quotes.strike.size, 5000)
    ]
    outputs = [stage.process(records), stage.idle()]
    section = CrossSection(spec, market)
    readings = [
        reading
        for output in outputs
        for one in frames_in(output.messages)
        for reading in section.receive(one, b"", Output().counts)
    ]
    reading = readings[-1]
    names = reading.constituents
    assert names is not None
    assert reading.index_atm_vol is not None
    sector_of = {one.symbol: one.sector for one in spec.basket.constituents}
    sectors = np.array([sector_of[symbol] for symbol in names.symbols])
    w, v, s = (
        np.array(column, np.float64) for column in (names.weights, names.variances, names.atm_vols)
    )
    assert {one.sector for one in reading.sectors} == set(sector_of.values())
    for one in reading.sectors:
        of = (sectors == one.sector) & np.isfinite(v)
        if one.basket_vol is not None:
            assert one.basket_vol == pytest.approx(np.sqrt(np.average(v[of], weights=w[of])))
        of = (sectors == one.sector) & np.isfinite(s)
        share = w[of] / w[of].sum()
        diagonal = share**2 @ s[of] ** 2
        if one.implied_correlation is not None:
            rho = (reading.index_atm_vol**2 - diagonal) / ((share @ s[of]) ** 2 - diagonal)
            assert one.implied_correlation == pytest.approx(rho)
    told = [one for one in reading.sectors if one.basket_vol and one.implied_correlation]
    assert len(told) >= 9
