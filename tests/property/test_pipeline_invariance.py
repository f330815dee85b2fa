"""The flow in one process.

How records are cut, interleaved and partitioned changes no reading and no event.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.cli.selection import select
from agents.replay.inputs import open_feed
from config.market import market_of
from config.rules import load_rules
from config.settings import load
from streams.market import Market
from streams.pipeline import Pipeline
from streams.reading import Reading
from streams.records import InputRecord
from streams.sources.scenario import Scenario
from streams.stage import OutboxEntry
from streams.topics import Topics

ROOT = Path(__file__).parents[2]
CLOSE, VIX = (
    ROOT / "samples" / "option_closes_2026-07-10.parquet",
    ROOT / "samples" / "vix_daily.csv",
)
MOVE = Scenario(
    "test", index_ratio=3.0, constituent_ratio=1.1, spot_move=-0.01, refresh_seconds=300
)
Made = Reading | OutboxEntry


@cache
def market(folder: Path) -> Market:
    basket = folder / "basket.toml"
    basket.write_text(
        "".join(
            f'[[constituents]]\nsymbol = "{name}"\nweight = 1\n'
            for name in ("AAPL", "MSFT", "NVDA", "AMZN", "META")
        )
    )
    return market_of(select(load(overrides={"mode": "scenario"}), index="SPY", basket=basket))


@cache
def records(folder: Path, quotes: int, ticks: int) -> tuple[InputRecord, ...]:
    return tuple(
        open_feed([CLOSE], [VIX], MOVE, market(folder), (quotes, ticks), Topics()).records(
            first=1_783_700_000_000_000_000
        )
    )


def pipeline(folder: Path, quotes: int, ticks: int) -> Pipeline:
    return Pipeline(market(folder), load_rules(cap_unknown=False), quotes, ticks)


@cache
def expected(folder: Path) -> list[Made]:
    return list(pipeline(folder, 1, 1).run(records(folder, 1, 1)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("basket")


def test_the_move_gives_readings_and_an_alert(folder: Path) -> None:
    made = expected(folder)
    readings = [one for one in made if isinstance(one, Reading) and "no_input" not in one.flags]
    assert [one.session.isoformat() for one in readings] == ["2026-07-10"] + ["2026-07-13"] * 7
    assert all(
        one.index_vol is not None and one.implied_correlation is not None for one in readings
    )
    assert any(isinstance(one, OutboxEntry) for one in made)


@pytest.mark.parametrize("partitions", [(2, 1), (3, 2)])
def test_partitions(folder: Path, partitions: tuple[int, int]) -> None:
    assert list(pipeline(folder, *partitions).run(records(folder, *partitions))) == expected(folder)


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_cuts_and_interleaving(folder: Path, data: st.DataObject) -> None:
    flow = pipeline(folder, 3, 2)
    made = [one for batch in shuffled(records(folder, 3, 2), data) for one in flow.process(batch)]
    assert made == expected(folder)


def shuffled(given_records: Sequence[InputRecord], data: st.DataObject) -> list[list[InputRecord]]:
    """Batches in a drawn order that keeps the order of each partition."""
    waiting: dict[tuple[str, int], deque[InputRecord]] = defaultdict(deque)
    for record in given_records:
        waiting[record.topic, record.partition].append(record)
    batches = []
    while waiting:
        place = data.draw(st.sampled_from(sorted(waiting)))
        size = min(data.draw(st.integers(1, 12)), len(waiting[place]))
        batches.append([waiting[place].popleft() for _ in range(size)])
        if not waiting[place]:
            del waiting[place]
    return batches
