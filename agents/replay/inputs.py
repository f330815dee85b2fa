"""The input of a backtest or a replay: files, and perhaps a scenario on top of them."""

from collections.abc import Sequence
from pathlib import Path

from config.errors import ConfigError
from streams.framing.partitioner import partition_of
from streams.market import Market
from streams.sources.columns import NO_MAP, ColumnMap
from streams.sources.feed import FileFeed, Routing
from streams.sources.registry import open_quotes, open_ticks
from streams.sources.scenario import SCENARIOS, Scenario
from streams.sources.scenario_source import ScenarioSource
from streams.sources.source import Source, source_universe
from streams.topics import Topics


def scenario_of(name: str | None, refresh_seconds: int) -> Scenario | None:
    """A scenario by name; None for none. Raises `ConfigError`."""
    if name is None:
        return None
    if name not in SCENARIOS:
        raise ConfigError(
            f"no scenario {name!r}", key="--scenario", fix=f"one of {', '.join(SCENARIOS)}"
        )
    return SCENARIOS[name].every(refresh_seconds)


def open_feed(
    quotes: Sequence[Path],
    ticks: Sequence[Path],
    scenario: Scenario | None,
    market: Market,
    partitions: tuple[int, int],
    topics: Topics,
    chosen: ColumnMap = NO_MAP,
) -> FileFeed:
    """The feed of some files, its scenario after their last close.

    Args:
        quotes: files of option quotes.
        ticks: files of prices and index levels.
        scenario: played in the session after the last close, or None.
        market: names the underlyings and symbols worth reading.
        partitions: of the quotes and of the ticks topic.
        topics: names of the two.
        chosen: which columns of the option files hold what; of the prices where there are none.

    Raises:
        SourceError: a file that no adapter can read.
        ConfigError: nothing to read, or a scenario without quotes.
    """
    if not quotes and (scenario or not ticks):
        raise ConfigError(
            "no option quotes",
            key="--quotes",
            fix="name at least one file, for example samples/option_closes_2026-07-10.parquet",
        )
    closes = [open_quotes(path, chosen) for path in quotes]
    of_ticks = NO_MAP if quotes else chosen
    sources: list[Source] = [*closes, *(open_ticks(path, of_ticks) for path in ticks)]
    if scenario is not None:
        sources.append(ScenarioSource(closes, scenario, market))
    return FileFeed(sources, source_universe(market), Routing(*partitions, partition_of, topics))
