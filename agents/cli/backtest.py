"""`dispersion backtest`: files through the whole flow in this process, without Kafka and Redis."""

from contextlib import ExitStack
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from agents.cli import options
from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, shared_of
from agents.cli.time_range import in_order
from agents.process.exits import ActionNeededError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agents.cli.backtest_output import BacktestProgress
    from agents.cli.time_range import TimeRange
    from streams.left_out import LeftOut
    from streams.pipeline import Pipeline
    from streams.records import InputRecord
    from streams.sources.feed import FileFeed
    from streams.stage import Count


def backtest(
    context: typer.Context,
    quotes: options.Quotes = None,
    ticks: options.Ticks = None,
    columns: options.Map = None,
    daily: options.Daily = None,
    index: options.Index = None,
    basket: options.Basket = None,
    rates: options.Rates = None,
    rate: options.Rate = None,
    partitions: options.Partitions = 4,
    scenario: options.Scenario = None,
    refresh: options.Refresh = 10,
    since: options.Since = None,
    until: options.Until = None,
    out: options.OutDirectory = None,
) -> None:
    """Compute readings and alert events from files.

    With --json one reading a line, else a table.
    """
    if daily is not None:
        inputs = {
            "--quotes": quotes,
            "--ticks": ticks,
            "--map": columns,
            "--scenario": scenario,
        }
        daily_alone({**inputs, "--basket": basket, "--rates": rates, "--rate": rate}, index)
        _daily(shared_of(context), daily, (since, until), out)
        return
    from agents.cli.output_files import folder_for
    from agents.cli.run_folder import keep_settings
    from agents.cli.selection import select
    from agents.cli.time_range import TimeRange
    from agents.replay.inputs import open_feed, scenario_of
    from config.column_maps import column_map
    from config.market import market_of
    from config.rules import load_rules
    from streams.pipeline import Pipeline
    from streams.topics import Topics

    shared = shared_of(context)
    played = scenario_of(scenario, refresh)
    base = shared.settings(_overrides(simulated=played is not None))
    settings = select(base, index=index, basket=basket, rates=rates, rate=rate)
    market = market_of(settings)
    rules = load_rules(settings.rules.file, settings.rules.cap_unknown)
    topics = Topics(settings.kafka.topic_prefix)
    pipeline = Pipeline(market, rules, partitions, partitions, topics)
    chosen = column_map(columns or [])
    widths = (partitions, partitions)
    feed = open_feed(quotes or [], ticks or [], played, market, widths, topics, chosen)
    if out is not None:
        folder_for(out, "--out")
        keep_settings(out, settings)
    made = _run(shared, pipeline, feed, TimeRange.of(since, until), out)
    _conclude(shared, pipeline, feed, made)


def _overrides(*, simulated: bool) -> dict[str, Any]:
    """Settings of a backtest: of files, or of a scenario, which has a regime to be known."""
    if simulated:
        return {"mode": "scenario", "rules": {"cap_unknown": False}}
    return {"mode": "replay"}


def daily_alone(others: "Mapping[str, object]", index: str | None = None) -> None:
    """Published closes stand for themselves.

    Raises `ConfigError` for an option that would say otherwise.
    """
    from config.errors import ConfigError

    given = [name for name, value in others.items() if value is not None and value != []]
    if given:
        raise ConfigError(
            f"excludes {', '.join(given)}", key="--daily", fix="leave one of them away"
        )
    if index not in {None, "SPX"}:
        raise ConfigError("published closes are those of SPX", key="--index", fix="leave it away")


def _daily(
    shared: Shared, folder: Path, span: "tuple[datetime | None, datetime | None]", out: Path | None
) -> None:
    from agents.cli.backtest_daily import Sessions, backtest_daily

    first, last = span
    in_order(first, last)
    backtest_daily(
        shared,
        folder,
        Sessions(first.date() if first else date.min, last.date() if last else date.max),
        out,
    )


class _Made(NamedTuple):
    readings: int
    events: int


def _run(
    shared: Shared, pipeline: "Pipeline", feed: "FileFeed", span: "TimeRange", out: Path | None
) -> _Made:
    from agents.cli.backtest_output import BacktestProgress, JsonLines, Sink, Table, files_in
    from agents.cli.names_without_value import NamesWithoutValue
    from streams.reading import Reading

    table, names = Table(), NamesWithoutValue()
    readings = events = 0
    with interruptible(), ExitStack() as stack:
        sinks: list[Sink] = [JsonLines() if shared.json else table]
        if out is not None:
            sinks.append(stack.enter_context(files_in(out)))
        progress = stack.enter_context(BacktestProgress(shared.stderr))
        for made in pipeline.run(_watched(feed.records(*span), progress)):
            for sink in sinks:
                if isinstance(made, Reading):
                    sink.reading(made)
                else:
                    sink.event(made)
            if isinstance(made, Reading):
                names.saw(made)
            readings += isinstance(made, Reading)
            events += not isinstance(made, Reading)
            progress.made(readings, events)
    if not shared.json:
        table.print(shared.stdout)
    for line in names.lines():
        shared.stderr.print(line, soft_wrap=True, markup=False)
    return _Made(readings, events)


def _watched(
    records: "Iterator[InputRecord]", progress: "BacktestProgress"
) -> "Iterator[InputRecord]":
    for record in records:
        progress.clock(record.timestamp)
        yield record


def _conclude(shared: Shared, pipeline: "Pipeline", feed: "FileFeed", made: _Made) -> None:
    """What was made and what was left out, on stderr.

    The exit code is 1 when there is no reading at all.
    """
    counts = pipeline.counts + feed.counts
    rows = {
        count: number
        for count, number in sorted(counts.items())
        if count[0] in {"quotes", "ticks"} and number
    }
    told = ", ".join(f"{role} {reason} {number}" for (role, reason), number in rows.items())
    head = f"{made.readings} readings, {made.events} alert events"
    shared.stderr.print(head + (f"; rows: {told}" if rows else ""), soft_wrap=True)
    _tell_left_out(shared, rows, {**pipeline.examples, **feed.examples})
    _tell_no_market(shared, counts, pipeline.examples)
    if not made.readings:
        raise ActionNeededError(_nothing(rows))


def _tell_left_out(
    shared: Shared, rows: "Mapping[Count, int]", examples: "Mapping[Any, LeftOut]"
) -> None:
    """A line for each reason, with an example.

    Its place among the frames of the run would say nothing.
    """
    import msgspec

    for (role, reason), number in rows.items():
        if example := examples.get((role, reason)):
            text = msgspec.structs.replace(example, topic="").text
            line = f"left out {number:,} {role} rows, {reason}: {text}"
            shared.stderr.print(line, soft_wrap=True)


def _tell_no_market(
    shared: Shared, counts: "Mapping[Count, int]", examples: "Mapping[Any, LeftOut]"
) -> None:
    """How many quotes are no market, by reason and with an example of each, in one line."""
    from streams.catalogue.counters import STRIP_QUOTES

    found = {count[1]: number for count, number in counts.items() if count[0] == STRIP_QUOTES.name}
    if not found:
        return
    told = (
        f"{reason} {number:,}"
        + (f" ({example.text})" if (example := examples.get(("quotes", reason))) else "")
        for reason, number in sorted(found.items())
    )
    line = f"no market: {sum(found.values()):,} quotes left out of their strips: {'; '.join(told)}"
    shared.stderr.print(line, soft_wrap=True, markup=False)


def _nothing(rows: "Mapping[Count, int]") -> str:
    """Why there is no reading, as far as the rows tell."""
    chief = max(rows, key=lambda count: rows[count], default=None)
    if chief is not None and chief[1] == "outside_session":
        outside = f"{rows[chief]:,} {chief[0]} rows are outside their session's hours"
        return f"no readings: {outside}; give rows of the session's day up to its close"
    nothing = "none of the rows is a quote or price of the index or its names in session"
    return f"no readings: {nothing}; check --index and the files"
