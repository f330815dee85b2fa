"""The strips that a scenario has to quote again: those its values are made of, and no others."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from streams.calendar.sessions import date_of, day_number
from streams.market import Basket, Constituent, IndexSpec, Market
from streams.records import NS
from streams.sources.needed_terms import needed_rows
from streams.sources.registry import open_quotes
from streams.sources.scenario_source import last_close
from streams.sources.source import source_universe

SAMPLE = Path(__file__).parents[4] / "samples/option_closes_2026-07-10.parquet"
MONDAY = date(2026, 7, 13)
TEN = int(datetime(2026, 7, 13, 14, tzinfo=UTC).timestamp()) * NS
MARKET = Market(
    (IndexSpec("SPY", Basket("two", (Constituent("AAPL", 1.0), Constituent("AVB", 1.0)))),)
)


def test_terms_of_an_index_a_weekly_name_and_a_monthly_name() -> None:
    close = last_close([open_quotes(SAMPLE)], source_universe(MARKET))
    assert close is not None
    needed = needed_rows(close, MARKET, day_number(MONDAY), (TEN, TEN + 1800 * NS))
    names = np.array([one.underlying for one in close.series])[close.series_code]
    chosen = {
        name: {date_of(int(day)) for day in np.unique(close.expiry[needed & (names == name)])}
        for name in ("SPY", "AAPL", "AVB")
    }
    assert chosen["SPY"] == {date(2026, 8, 7), date(2026, 8, 14)}, (
        "Friday weeklies on either side of 30 days"
    )
    assert chosen["AAPL"] == {date(2026, 8, 7), date(2026, 8, 21)}, (
        "no monthly 10 to 30 days out: the Friday weekly closest to 30"
    )
    assert chosen["AVB"] == {date(2026, 7, 17), date(2026, 8, 21)}, (
        "no weekly either: the nearest monthly"
    )
    assert 0 < needed.sum() < len(needed) / 3
