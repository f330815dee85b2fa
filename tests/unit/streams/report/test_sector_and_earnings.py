"""Vols of sectors against the rest, and the pair without names that report soon, by hand."""

import math
from datetime import date

import pytest

from streams.reading import Earnings, Reading, ReportingName, Rotation, Sector
from streams.report.calendar_section import Event
from streams.report.earnings_section import earnings_section
from streams.report.sector_section import TECHNOLOGY, sector_section, spillover
from tests.support.readings import FRIDAY, NAMES, WEIGHTS, closing

CALM = (0.148, 0.44, 0.10)
SOON, LATE = date(2026, 7, 20), date(2026, 7, 27)


def sector(name: str, weight: float, vol: float | None, change: float | None) -> Sector:
    return Sector(
        sector=name,
        weight=weight,
        names=3,
        names_atm=3,
        coverage=0.5,
        coverage_atm=1.0,
        basket_vol=vol,
        basket_vol_change=change,
    )


def reading(*sectors: Sector) -> Reading:
    rotation = Rotation(sector_returns={TECHNOLOGY: -0.02})
    return closing(FRIDAY, *CALM, sectors=sectors, rotation=rotation)


def test_the_change_of_a_sector_is_told_against_that_of_the_others_together() -> None:
    found = sector_section(
        reading(
            sector("Energy", 0.2, 0.30, -0.02),
            sector("Utilities", 0.3, 0.20, 0.05),
            sector(TECHNOLOGY, 0.5, 0.60, 0.10),
        )
    )
    assert [row.sector for row in found.rows] == [TECHNOLOGY, "Utilities", "Energy"]
    row = found.rows[0]
    now = math.sqrt((0.2 * 0.30**2 + 0.3 * 0.20**2) / 0.5)
    before = math.sqrt((0.2 * 0.32**2 + 0.3 * 0.15**2) / 0.5)
    assert row.against_rest.value == pytest.approx(0.10 - (now - before), abs=1e-15)
    assert row.move.value == -0.02
    told = spillover(found)
    assert f"is {row.vol.text}, with {row.weight.text} of the basket's weight" in told
    assert f"{row.against_rest.signed} against the other sectors together" in told


def test_a_rest_that_is_mostly_unknown_is_no_measure() -> None:
    found = sector_section(
        reading(
            sector("Energy", 0.2, None, None),
            sector("Utilities", 0.3, 0.20, 0.05),
            sector(TECHNOLOGY, 0.5, 0.60, 0.10),
        )
    )
    by_name = {row.sector: row for row in found.rows}
    assert by_name[TECHNOLOGY].against_rest.value is None
    assert by_name["Energy"].vol.reason == "3 of its names have a vol, 50 % of its weight"
    assert by_name["Utilities"].against_rest.value is not None, "5 of 7 parts are known"


def test_without_sectors_the_sentence_says_why() -> None:
    found = sector_section(closing(FRIDAY, *CALM, reasons={"sectors": "no_sectors"}))
    assert (found.rows, found.reason) == ((), "no_sectors")
    assert spillover(found).endswith("is unknown (the basket names no sectors).")


def test_names_that_report_within_ten_sessions_are_left_out() -> None:
    events = [
        Event(SOON, "earnings", NAMES[11]),
        Event(SOON, "fomc"),
        Event(LATE, "earnings", NAMES[10]),
        Event(SOON, "earnings", "ELSEWHERE"),
    ]
    whole = reading()
    found = earnings_section(whole, events)
    assert found.names == (NAMES[11],)
    assert found.weight.value == pytest.approx(WEIGHTS[11] / sum(WEIGHTS))
    assert whole.constituents is not None
    variances = [value for value in whole.constituents.variances if value is not None][:11]
    mean = sum(w * v for w, v in zip(WEIGHTS, variances, strict=False)) / sum(WEIGHTS[:11])
    assert found.basket_vol.value == pytest.approx(math.sqrt(mean))
    assert whole.vol_spread is not None
    assert found.vol_spread.value == pytest.approx(math.sqrt(mean) - CALM[0])
    assert found.spread_of_reports.value == pytest.approx(
        whole.vol_spread - (math.sqrt(mean) - CALM[0])
    )
    assert (found.spread_of_reports.value or 0) > 0, "the heaviest vol reports"


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (None, "no calendar: name one as report.calendar_file"),
        ([Event(LATE, "earnings", NAMES[0])], "no name of the basket reports within 10 sessions"),
    ],
)
def test_without_reports_it_says_so(events: list[Event] | None, why: str) -> None:
    found = earnings_section(reading(), events)
    assert (found.names, found.basket_vol.value, found.basket_vol.reason) == ((), None, why)


def test_a_reading_that_knows_the_vols_without_reports_is_taken_at_its_word() -> None:
    names = tuple(
        ReportingName(symbol=name, day=SOON, weight=0.02 * at) for at, name in enumerate("ABC", 1)
    )
    known = Earnings(
        names=names,
        weight=0.12,
        coverage=1.0,
        coverage_atm=1.0,
        basket_vol=0.41,
        vol_spread=0.41 - CALM[0],
        implied_correlation=0.13,
    )
    whole = closing(FRIDAY, *CALM, earnings=known)
    found = earnings_section(whole, [Event(SOON, "earnings", NAMES[11])])
    assert (found.method, found.names) == ("taken out", ("A", "B", "C"))
    assert (found.weight.value, found.basket_vol.value) == (0.12, 0.41)
    assert whole.vol_spread is not None
    assert found.spread_of_reports.value == pytest.approx(whole.vol_spread - (0.41 - CALM[0]))
    assert found.implied_correlation.value == 0.13
    assert found.correlation_of_all.value == whole.implied_correlation
    none = Earnings(names=(), weight=0.0, coverage=1.0, coverage_atm=1.0)
    assert earnings_section(closing(FRIDAY, *CALM, earnings=none), None).method == ""
