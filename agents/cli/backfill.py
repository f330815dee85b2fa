"""`dispersion backfill`: past sessions from files into the daily history that ranks and changes are taken in."""

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, shared_of
from agents.cli.span import DAY
from agents.exits import Refusal

if TYPE_CHECKING:
    from agents.backfill import Filled
    from agents.cli.span import Span
    from streams.detection.closed_sessions import ClosedSessions
    from streams.pipeline import Pipeline
    from streams.sources.feed import Feed


def backfill(
    context: typer.Context,
    quotes: Annotated[list[Path] | None, typer.Option(metavar="FILE …", help="Option quotes: Parquet or CSV.")] = None,
    ticks: Annotated[list[Path] | None, typer.Option(metavar="FILE …", help="Prices and index levels: Parquet or CSV.")] = None,
    index: Annotated[str | None, typer.Option(metavar="SYMBOL", help="One index of the settings.")] = None,
    basket: Annotated[Path | None, typer.Option(metavar="FILE", help="Basket (TOML) instead of the configured one.")] = None,
    rates: Annotated[Path | None, typer.Option(metavar="FILE", help="Rates as in backtest.")] = None,
    rate: Annotated[float | None, typer.Option(metavar="R", help="Risk-free rate, continuously compounded.")] = None,
    since: Annotated[datetime | None, typer.Option("--from", formats=DAY, metavar="DATE", help="First session.")] = None,
    until: Annotated[datetime | None, typer.Option("--to", formats=DAY, metavar="DATE", help="Last session.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be written; write nothing.")] = False,
) -> None:
    """Fill the daily history in Redis from files. Sessions that are there already stay as they are; safe to repeat."""
    from agents.cli.replay import refuse_missing
    from agents.reach import reach
    from agents.selection import select
    from config.market import market_of

    shared = shared_of(context)
    refuse_missing([*(quotes or []), *(ticks or [])])
    settings = select(shared.settings({"mode": "replay"}), index=index, basket=basket, rates=rates, rate=rate)
    market = market_of(settings)
    reach(settings.kafka, settings.redis)

    from agents.backfill import fill_history  # from here on pandas and scipy are needed, which take a while to import
    from agents.cli.span import Span
    from agents.inputs import open_feed
    from config.rules import load_rules
    from streams.pipeline import Pipeline
    from streams.topics import Topics

    rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
    topics = Topics(settings.kafka.topic_prefix)
    pipeline = Pipeline(market, rules, 1, 1, topics)
    feed = open_feed(quotes or [], ticks or [], None, market, (1, 1), topics)
    closed = _close(shared, pipeline, feed, Span.of(since, until))
    _tell(shared, fill_history(settings, closed, rules.baseline, dry_run=dry_run), dry_run=dry_run)


def _close(shared: Shared, pipeline: "Pipeline", feed: "Feed", span: "Span") -> "ClosedSessions":
    """Run the files through the flow and keep what each session leaves behind."""
    from agents.cli.backtest_output import Progress
    from streams.detection.closed_sessions import ClosedSessions
    from streams.reading import Reading

    closed = ClosedSessions()
    readings = 0
    with interruptible(), ExitStack() as stack:
        progress = stack.enter_context(Progress(shared.stderr))
        for record in feed.records(*span):
            progress.clock(record.timestamp)
            for made in pipeline.process([record]):
                if isinstance(made, Reading):
                    closed.saw(made)
                    readings += 1
                    progress.made(readings, 0)
    closed.take(pipeline.detector_chunks())
    if not readings:
        raise Refusal("no readings: none of the rows is a quote or price of the index or its names in session; check --index and the files")
    return closed


def _tell(shared: Shared, filled: "list[Filled]", *, dry_run: bool) -> None:
    """A line an index, or an object an index."""
    import msgspec

    for one in filled:
        if shared.json:
            print_line(msgspec.json.encode({"dry_run": dry_run, **msgspec.to_builtins(one)}))
            continue
        verb = "would be written" if dry_run else "written"
        print_line(f"{one.index}: {one.written} sessions {verb}, {one.existing} there already, {len(one.skipped)} skipped".encode())
        for session, reason in one.skipped.items():
            shared.stderr.print(f"skipped {one.index} {session}: {reason}")
        since = f" from {one.comparable_from} on" if one.comparable_from else ""
        enough = "" if one.comparable >= one.needed else f", too few for ranks, which need {one.needed}"
        shared.stderr.print(f"{one.index}: the next session is compared with {one.comparable} closes{since}{enough}")
    if any(one.owned and one.written for one in filled) and not dry_run:
        shared.stderr.print("a worker is running and holds its history in memory: restart the workers to use the new sessions")
