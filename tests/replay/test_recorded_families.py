"""Recorded files of every other family give readings that a person would believe.

They are evaluation data.
"""

from datetime import date, time
from pathlib import Path

import numpy as np
import pytest

from agents.replay.inputs import open_feed
from config.rules import load_rules
from streams.calendar.sessions import wall_ns
from streams.market import IndexSpec, Market, Rates
from streams.pipeline import Pipeline
from streams.reading import Reading
from streams.records import NS, Ticks
from streams.sources.registry import open_ticks
from streams.sources.source import SourceUniverse
from streams.topics import Topics
from tests.support.evaluation import evaluation_data

pytestmark = pytest.mark.evaluation


def index_vols(path: Path, symbol: str, first: int, last: int) -> list[tuple[str, float]]:
    """Wall time and index vol of each reading with input.

    The close that rows up to four o'clock bring a quarter of an hour later is left out.
    """
    market, topics = (
        Market((IndexSpec(symbol),), rates=Rates(constant=0.002), mode="replay"),
        Topics(""),
    )
    feed = open_feed([path], [], None, market, (1, 1), topics)
    made = Pipeline(market, load_rules(), 1, 1, topics).run(feed.records(first, last))
    readings = [one for one in made if isinstance(one, Reading) and "no_input" not in one.flags]
    return [
        (f"{one.ts_event:%H:%M}", np.nan if one.index_vol is None else one.index_vol)
        for one in readings
        if "session_close" not in one.flags
    ]


@pytest.mark.parametrize(
    ("name", "symbol", "day", "until", "expected", "readings"),
    [
        (
            "option_ticks/lean_option_minute_quotes",
            "GOOG",
            date(2015, 12, 24),
            time(10),
            (0.23, 0.25),
            30,
        ),
        (
            "option_ticks/lean_option_minute_quotes",
            "TWX",
            date(2014, 6, 5),
            time(10),
            (0.20, 0.21),
            30,
        ),
        (
            "option_ticks/lean_option_hourly_quotes",
            "AAPL",
            date(2014, 6, 6),
            time(16, 15),
            (0.235, 0.245),
            7,
        ),
        (
            "chains_multi/yahoo_chains_2025_11",
            "AAPL",
            date(2025, 11, 25),
            time(16),
            (0.23, 0.26),
            3,
        ),
    ],
)
def test_option_files_give_steady_vols(
    name: str, symbol: str, day: date, until: time, expected: tuple[float, float], readings: int
) -> None:
    found = index_vols(
        evaluation_data() / f"{name}.parquet", symbol, wall_ns(day, time(0)), wall_ns(day, until)
    )
    vols = np.array([vol for _, vol in found])
    assert len(found) == readings
    assert np.isfinite(vols).all()
    assert expected[0] <= vols.min() <= vols.max() <= expected[1]
    assert np.abs(np.diff(vols)).max() < 0.02, "a jump would be an artefact of the file"


@pytest.mark.parametrize(
    ("name", "session", "first"),
    [
        ("intraday/bars_5min", "2025-11-26", time(9, 35)),
        ("intraday/bars_1min", "2025-11-26", time(9, 31)),
        ("intraday/bars_1min_2019_02", "2019-02-15", time(9, 31)),
    ],
)
def test_bars_count_from_their_first_end_to_the_close(name: str, session: str, first: time) -> None:
    day = date.fromisoformat(session)
    symbols = frozenset({"SPY", "NFLX", "NVDA", "TSLA", "AAPL"})
    batches = open_ticks(evaluation_data() / f"{name}.parquet").batches(
        SourceUniverse(frozenset(), symbols)
    )
    mine = [
        one.boundary
        for one in batches
        if wall_ns(day, time(0)) < one.boundary <= wall_ns(day, time(23))
    ]
    assert (mine[0], mine[-1]) == (wall_ns(day, first), wall_ns(day, time(16)))


@pytest.mark.parametrize(
    "name", ["equity_ticks/lean_trades_2013_10", "equity_ticks/lean_quotes_1s_2013_10"]
)
def test_stock_ticks_agree(name: str) -> None:
    """Trades and mids of the same second differ by a few cents at most."""
    noon = wall_ns(date(2013, 10, 8), time(12))
    wanted = SourceUniverse(frozenset(), frozenset({"SPY"}))
    for batch in open_ticks(evaluation_data() / f"{name}.parquet").batches(wanted):
        if noon <= batch.boundary <= noon + 60 * NS:
            assert isinstance(batch.rows, Ticks)
            assert batch.rows.price == pytest.approx(166.3, abs=1.0)
            break
    else:
        pytest.fail("no tick at noon")
