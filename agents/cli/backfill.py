"""`dispersion backfill`: past sessions from files into the daily history.

Ranks and changes are taken in this history.
"""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from agents.cli import options
from agents.cli.backtest import daily_alone
from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, print_text, shared_of
from agents.cli.time_range import in_order
from agents.process.exits import ActionNeededError

if TYPE_CHECKING:
    from agents.store.daily_facts import Filled
    from config.settings import Settings
    from streams.detection.closed_sessions import ClosedSessions
    from streams.detection.rules.catalogue import RuleSet
    from streams.market import Market
    from streams.sources.columns import ColumnMap
    from streams.sources.published_closes import PublishedCloses

Typed = tuple[datetime | None, datetime | None]
"""First and last session."""
PUBLISHED = "SPX"
"""What the published closes are of.

`--index` may say that another index may be compared with them.
"""


def backfill(
    context: typer.Context,
    quotes: options.Quotes = None,
    ticks: options.Ticks = None,
    columns: options.Map = None,
    daily: options.Daily = None,
    index: options.PublishedIndex = None,
    basket: options.Basket = None,
    rates: options.Rates = None,
    rate: options.Rate = None,
    since: options.Since = None,
    until: options.Until = None,
    dry_run: options.DryRun = False,
) -> None:
    """Fill the daily history in Redis from files.

    Sessions that are there already stay as they are; safe to repeat.
    """
    from agents.cli.replay import refuse_missing
    from agents.cli.selection import select
    from agents.kafka.connectivity import require_servers

    shared = shared_of(context)
    in_order(since, until)
    if daily is not None:
        daily_alone(
            {
                "--quotes": quotes,
                "--ticks": ticks,
                "--map": columns,
                "--basket": basket,
                "--rates": rates,
                "--rate": rate,
            }
        )
    refuse_missing([*(quotes or []), *(ticks or [])])
    settings = shared.settings({"mode": "replay"})
    chosen = index or (PUBLISHED if daily else None)
    refuse_unknown(settings, chosen)
    inputs = Inputs.of(quotes, ticks, columns)
    settings = select(settings, index=chosen, basket=basket, rates=rates, rate=rate)
    require_servers(settings.kafka, settings.redis)

    # From here on pandas and scipy are needed, which take a while to import.
    from agents.store.daily_facts import fill_history
    from config.market import market_of
    from config.rules import load_rules
    from streams.sources.published_closes import PublishedCloses

    market, rules = market_of(settings), load_rules(settings.rules.file, settings.rules.cap_unknown)
    span = (since, until)
    closed = (
        published(shared, PublishedCloses(daily), market, rules, span)
        if daily
        else quoted(shared, inputs, market, rules, span)
    )
    tell(shared, fill_history(settings, closed, rules.baseline, dry_run=dry_run), dry_run=dry_run)


def refuse_unknown(settings: "Settings", index: str | None) -> None:
    """Raise `ConfigError` for an index whose history no worker would read."""
    from config.errors import ConfigError
    from streams.symbols import normalise

    known = [one.symbol for one in settings.market.indices]
    if index is not None and normalise(index) not in map(normalise, known):
        raise ConfigError(
            f"the settings have no index {index}",
            key="--index",
            fix=f"one of {', '.join(known)}, or add it to market.indices",
        )


class Inputs(NamedTuple):
    """Files of quotes and prices, and what was said of their columns."""

    quotes: list[Path]
    ticks: list[Path]
    columns: "ColumnMap"

    @classmethod
    def of(
        cls, quotes: list[Path] | None, ticks: list[Path] | None, columns: list[str] | None
    ) -> "Inputs":
        """As the options give them. Raises `ConfigError`."""
        from config.column_maps import column_map

        return cls(quotes or [], ticks or [], column_map(columns or []))


def quoted(
    shared: Shared,
    inputs: Inputs,
    market: "Market",
    rules: "RuleSet",
    typed: "Typed",
) -> "ClosedSessions":
    """Run option quotes and ticks through the flow and keep what each session leaves behind."""
    from agents.cli.backtest_output import BacktestProgress
    from agents.cli.time_range import TimeRange
    from agents.replay.inputs import open_feed
    from streams.detection.closed_sessions import ClosedSessions
    from streams.pipeline import Pipeline
    from streams.reading import Reading
    from streams.topics import Topics

    feed = open_feed(inputs.quotes, inputs.ticks, None, market, (1, 1), Topics(), inputs.columns)
    pipeline, closed, readings = Pipeline(market, rules, 1, 1), ClosedSessions(), 0
    with interruptible(), BacktestProgress(shared.stderr) as progress:
        for record in feed.records(*TimeRange.of(*typed)):
            progress.clock(record.timestamp)
            for made in pipeline.process([record]):
                if isinstance(made, Reading):
                    closed.saw(made)
                    readings += 1
                    progress.made(readings, 0)
    closed.take(pipeline.detector_chunks())
    if not readings:
        raise ActionNeededError(
            "no readings: none of the rows is a quote or price of the index or its names in "
            "session; check --index and the files"
        )
    return closed


def published(
    shared: Shared, closes: "PublishedCloses", market: "Market", rules: "RuleSet", typed: "Typed"
) -> "ClosedSessions":
    """The same for published closes, as closes of the one index that was chosen."""
    import msgspec

    from agents.cli.backtest_output import BacktestProgress
    from streams.detection.closed_sessions import closed_by

    first, last = (one.date() if one else None for one in typed)
    (spec,) = market.indices
    with interruptible(), BacktestProgress(shared.stderr):
        readings = [
            msgspec.structs.replace(reading, index=spec.symbol)
            for reading in closes.readings()
            if (first is None or first <= reading.session)
            and (last is None or reading.session <= last)
        ]
        closed = closed_by(readings, market, rules)
    if closes.missing:
        shared.stderr.print(
            f"no file {', '.join(closes.missing)}: what it would say stays unknown", soft_wrap=True
        )
    if not readings:
        raise ActionNeededError(
            "no sessions: none of the files has a row between --from and --to on a trading day; "
            "check the dates"
        )
    return closed


def tell(shared: Shared, filled: "list[Filled]", *, dry_run: bool) -> None:
    """A line an index, or an object an index."""
    import msgspec

    for one in filled:
        if shared.json:
            print_line(msgspec.json.encode({"dry_run": dry_run, **msgspec.to_builtins(one)}))
            continue
        verb = "would be written" if dry_run else "written"
        print_text(
            f"{one.index}: {one.written} sessions {verb}, {one.existing} there already, "
            f"{len(one.skipped)} skipped"
        )
        for session, reason in one.skipped.items():
            shared.stderr.print(f"skipped {one.index} {session}: {reason}")
        since = f" from {one.comparable_from} on" if one.comparable_from else ""
        enough = (
            "" if one.comparable >= one.needed else f", too few for ranks, which need {one.needed}"
        )
        shared.stderr.print(
            f"{one.index}: the next session is compared with {one.comparable} closes{since}{enough}"
        )
    if any(one.owned and one.written for one in filled) and not dry_run:
        shared.stderr.print(
            "a worker is running and holds its history in memory: "
            "restart the workers to use the new sessions"
        )
