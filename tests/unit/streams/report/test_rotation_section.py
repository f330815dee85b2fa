"""The published examples of the rotation, to the printed digit (methodology 9)."""

from datetime import date
from functools import cache

import pytest

from agents.report.price_files import prices_of
from config.watch_lists import find_watch_list, load_watch_list
from streams.report.rotation_section import RotationSection, rotation_section
from tests.support.evaluation import evaluation_data

pytestmark = pytest.mark.evaluation
WATCHED = load_watch_list(find_watch_list("rotation.toml"))


@cache
def section(session: date) -> RotationSection:
    bars = evaluation_data() / "intraday" / "bars_5min.parquet"
    return rotation_section(prices_of([bars], WATCHED.symbols, session), WATCHED)


def test_walmart_and_costco_over_twenty_sessions() -> None:
    rows = {row.symbol: row for row in section(date(2025, 10, 31)).rows}
    assert [rows[one].returns["20"].text for one in ("WMT", "COST", "SPY")] == [
        "−0.86 %",
        "−0.41 %",
        "1.91 %",
    ]
    assert [rows[one].strength["20"].text for one in ("WMT", "COST")] == ["−2.72 %", "−2.28 %"]


def test_the_seven_with_goog_for_googl() -> None:
    found = section(date(2025, 10, 31))
    moves = {row.symbol: row.returns["20"].text for row in found.rows if "leader" in row.groups}
    assert moves == {
        "GOOGL": "14.36 %",
        "AMZN": "11.24 %",
        "NVDA": "7.89 %",
        "TSLA": "6.20 %",
        "AAPL": "4.74 %",
        "MSFT": "0.09 %",
        "META": "−8.74 %",
    }
    assert found.leaders.range["20"].text == "23.09 %"
    assert found.leaders.deviation["20"].text == "7.06 %"
    assert {row.priced_as for row in found.rows if row.symbol == "GOOGL"} == {"GOOG"}


def test_the_sectors_on_the_day_of_an_unwind() -> None:
    found = section(date(2025, 10, 10))
    moves = {row.symbol: row.returns["1"].text for row in found.rows if "sector" in row.groups}
    assert moves == {
        "XLB": "−2.05 %",
        "XLC": "−1.84 %",
        "XLE": "−2.89 %",
        "XLF": "−2.14 %",
        "XLI": "−2.19 %",
        "XLK": "−4.07 %",
        "XLP": "0.10 %",
        "XLRE": "−1.09 %",
        "XLU": "−0.42 %",
        "XLV": "−1.47 %",
        "XLY": "−2.76 %",
    }
    assert (found.sectors.deviation["1"].text, found.sectors.range["1"].text) == (
        "1.113 %",
        "4.17 %",
    )


def test_what_is_missing_has_its_reason() -> None:
    found = section(date(2025, 10, 10))
    (fund,) = (row for row in found.rows if row.symbol == "IWM")
    assert fund.returns["20"].value is None
    assert "no price" in fund.returns["20"].reason
    assert "252 are needed" in found.leaders.range["252"].reason
    assert all(one.reason for one in found.concentration.values())
