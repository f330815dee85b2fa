"""`dispersion replay`: files as a feed on Kafka, the very records that a backtest reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from agents.cli import options
from agents.cli.interrupts import INTERRUPTED, interruptible
from agents.cli.shared import Shared, print_line, print_text, shared_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from agents.replay.byte_budget import ByteBudget
    from agents.replay.replay import ReplayProgress
    from config.settings import Settings
    from streams.market import Market
    from streams.sources.feed import FileFeed
    from streams.topics import Topics

LOG_SECONDS = 10.0


def replay(
    context: typer.Context,
    quotes: options.Quotes = None,
    ticks: options.Ticks = None,
    columns: options.Map = None,
    index: options.Index = None,
    basket: options.Basket = None,
    rates: options.Rates = None,
    rate: options.Rate = None,
    scenario: options.Scenario = None,
    refresh: options.Refresh = 10,
    since: options.Since = None,
    until: options.Until = None,
    speed: options.Speed = "max",
    ahead: options.Ahead = 0,
    allow_live: options.AllowLive = False,
) -> None:
    """Publish quotes and ticks in event time, with heartbeats to every partition.

    One line of totals at the end.
    """
    from agents.cli.selection import select
    from agents.kafka.connectivity import require_kafka, require_redis
    from config.market import market_of

    shared = shared_of(context)
    pace = speed_of(speed)
    refuse_missing([*(quotes or []), *(ticks or [])])
    settings = select(shared.settings(), index=index, basket=basket, rates=rates, rate=rate)
    market = market_of(settings)
    require_kafka(settings.kafka)
    if ahead:
        require_redis(settings.redis)

    # From here on pandas and scipy are needed, which take a while to import.
    from agents.cli.time_range import TimeRange
    from agents.replay.inputs import open_feed, scenario_of
    from agents.replay.pacing import ReplayClock
    from agents.replay.replay import Pace, refuse_live
    from agents.replay.replay import replay as publish
    from agents.topics.admin import check_topics
    from config.column_maps import column_map
    from streams.topics import Topics

    chosen = column_map(columns or [])
    played = scenario_of(scenario, refresh)
    refuse_live(settings, allow_live=allow_live)
    report = check_topics(settings)
    report.refuse()
    partitions = {topic.role: topic.partitions for topic in report.topics}
    topics = Topics(settings.kafka.topic_prefix)
    widths = (partitions["quotes"], partitions["ticks"])
    feed = open_feed(quotes or [], ticks or [], played, market, widths, topics, chosen)
    budget = _budget(settings, topics, market, ahead) if ahead else None
    records = feed.records(*TimeRange.of(since, until))
    with shown(shared) as seen, interruptible():
        done = publish(settings, records, Pace(ReplayClock(pace), budget), seen)
    _tell(shared, done, _left_out(feed))
    raise typer.Exit(0 if done.complete else INTERRUPTED)


def _budget(settings: "Settings", topics: "Topics", market: "Market", ahead: int) -> "ByteBudget":
    """At most `ahead` bytes of each partition before the readings, which Redis tells."""
    from agents.replay.byte_budget import ByteBudget
    from agents.replay.pacing import FinalWatermark
    from agents.store.sync import connect_sync

    watermark = FinalWatermark(connect_sync(settings.redis), topics.prefix, market.indices)
    return ByteBudget(watermark, ahead)


def refuse_missing(files: "Sequence[Path]") -> None:
    """Raise `SourceError` for a file that is not there, before anything slow is begun."""
    from streams.sources.source_error import SourceError

    for path in files:
        if not path.exists():
            raise SourceError(path, "no such file", "a Parquet or CSV file")


def _left_out(feed: "FileFeed") -> dict[str, tuple[int, str]]:
    """By outcome: how many rows, and one of them in words."""
    examples = feed.examples
    return {
        " ".join(key): (count, examples[key].text) for key, count in feed.counts.items() if count
    }


def _tell(shared: Shared, done: "ReplayProgress", left_out: dict[str, tuple[int, str]]) -> None:
    """The totals."""
    import msgspec

    when = _utc(done) if done.records else None
    if shared.json:
        rejected = {reason: count for reason, (count, _) in left_out.items()}
        sent = {"records": done.records, "bytes": done.bytes}
        totals = {**sent, "event_time": when, "complete": done.complete, "rejected": rejected}
        print_line(msgspec.json.encode(totals))
        return
    stopped = f"; stopped at {when:%Y-%m-%d %H:%M:%S} UTC" if when and not done.complete else ""
    print_text(f"published {done.records:,} records, {done.bytes / 1e6:.1f} MB{stopped}")
    for reason, (count, example) in left_out.items():
        shared.stderr.print(f"left out {count:,} rows, {reason}: {example}", soft_wrap=True)


def _utc(progress: "ReplayProgress") -> datetime:
    return datetime.fromtimestamp(progress.event_ns / 1e9, UTC)


def speed_of(text: str) -> float:
    """A speed as typed: `max`, `60x` or `60`."""
    if text == "max":
        return float("inf")
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(
            f"{text!r} is no speed: write max, or a number above 0 such as 60x",
            param_hint="--speed",
        )
    return speed


@contextmanager
def shown(shared: Shared) -> Iterator["Callable[[ReplayProgress], None]"]:
    """Progress on stderr: a live line on a terminal, else a line every ten seconds."""
    from time import monotonic

    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn

    console = shared.stderr
    last = monotonic()

    def text(progress: "ReplayProgress") -> str:
        return (
            f"{_utc(progress):%Y-%m-%d %H:%M:%S} UTC  {progress.records:,} records  "
            f"{progress.bytes / 1e6:.1f} MB"
        )

    if console.is_terminal and not shared.quiet:
        with Bar(
            SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True
        ) as bar:
            task = bar.add_task("waiting for Kafka")
            yield lambda progress: bar.update(task, description=text(progress))
        return

    def line(progress: "ReplayProgress") -> None:
        nonlocal last
        if monotonic() - last >= LOG_SECONDS:
            last = monotonic()
            console.print(text(progress))

    yield line
