"""`dispersion feed`: quotes from a vendor's source."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agents.cli import options
from agents.cli.replay import speed_of
from agents.cli.service_logs import log_as
from agents.cli.shared import Shared, print_line, print_text, shared_of

if TYPE_CHECKING:
    from agents.feeds.feed_service import FeedPlan, FeedService
    from config.settings import Settings

Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="A feed of `feed list`; feed.name otherwise.")
]


def feed_list(context: typer.Context) -> None:
    """Which feeds are installed, by which package, and what they need."""
    from agents.feeds.registry import installed_feeds
    from config.errors import ConfigError

    rows: list[dict[str, str]] = []
    for one in installed_feeds():
        row = {"name": one.name, "package": one.package}
        try:
            feed = one.load()
        except ConfigError as error:
            rows.append({**row, "mode": "", "needs": "", "about": str(error)})
        else:
            rows.append({**row, "mode": feed.mode, "needs": feed.needs, "about": feed.about})
    _print_rows(shared_of(context), rows)


def feed_run(
    context: typer.Context,
    name: Name = None,
    once: Annotated[bool, typer.Option("--once", help="One sweep, whatever the hour.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be published; publish nothing.")
    ] = False,
    record: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write what is published as Parquet that backtest reads."),
    ] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Quotes of files in place of the source: feed replay."),
    ] = None,
    speed: options.Speed = "max",
) -> None:
    """Publish quotes, index levels and heartbeats until SIGTERM.

    While the market is closed nothing is asked for.
    """
    from agents.feeds.registry import check_mode
    from agents.kafka.connectivity import require_kafka
    from agents.process.logs import log_to_stderr
    from config.redis_connection import check_redis

    shared = shared_of(context)
    settings = shared.settings()
    plan = _plan(settings, "replay", tuple(file), speed) if file else _plan(settings, name)
    plan = plan._replace(once=once, dry_run=dry_run, record=record or settings.feed.record_dir)
    if not dry_run:
        check_mode(settings, plan.name, plan.feed)
        check_redis(settings.redis)
        require_kafka(settings.kafka)
    from agents.feeds.feed_service import run_feed
    from agents.kafka.client import until_reached
    from agents.topics.admin import check_topics

    if not dry_run:
        until_reached(lambda: check_topics(settings), settings.worker.start_seconds).refuse()
    log_as(shared)
    log_to_stderr()
    _tell(shared, run_feed(settings, plan))


def feed_check(
    context: typer.Context,
    name: Name = None,
    topics: Annotated[
        bool,
        typer.Option(
            "--topics",
            help="Look at the input topics, whoever fills them; the default "
            "where no feed is named.",
        ),
    ] = False,
) -> None:
    """Ask a feed for the first index alone, whatever the hour, and publish nothing.

    Or look at what somebody else's feed has sent: newest records, what a worker takes of them and
    why not the others, names, heartbeats, clock. Nothing is committed.

    Exit code 1: it gave no quotes, or something is wrong on the topics.
    """
    shared = shared_of(context)
    settings = shared.settings()
    if topics and name is not None:
        raise typer.BadParameter("name a feed, or look at the topics", param_hint="'--topics'")
    if topics or not (name or settings.feed.name):
        from agents.cli.feed_topics import tell_topics

        tell_topics(shared, settings)
        return
    _check_source(shared, settings, name)


def _check_source(shared: Shared, settings: "Settings", name: str | None) -> None:
    from agents.feeds.feed_service import run_feed
    from agents.process.exits import ActionNeededError
    from agents.process.logs import log_to_stderr

    plan = _plan(settings, name)
    one = plan.wanted._replace(indices=plan.wanted.indices[:1], names=())
    log_as(shared)
    log_to_stderr()
    service = run_feed(settings, plan._replace(wanted=one, once=True, dry_run=True))
    _tell(shared, service)
    rows = service.metrics.rows
    if not rows["published"] + rows["after_close"]:
        troubles = "; ".join(service.host.troubles.values()) or "nothing came"
        raise ActionNeededError(f"{plan.name} gives no quotes of {one.indices[0]}: {troubles}")


def _plan(
    settings: "Settings", name: str | None, files: tuple[Path, ...] = (), speed: str = "max"
) -> "FeedPlan":
    from agents.feeds.feed_service import FeedPlan
    from agents.feeds.registry import feed_config, find_feed, wanted_of
    from config.market import market_of

    chosen, feed = find_feed(settings, name)
    config = feed_config(settings, chosen, feed)
    if files:
        pace = speed_of(speed)
        config = config.model_copy(update={"quotes": files, "speed": pace})
    return FeedPlan(chosen, feed, config, wanted_of(market_of(settings)))


def _tell(shared: Shared, service: "FeedService") -> None:
    """The totals."""
    import msgspec

    metrics = service.metrics
    counts = service.runner.names.counts
    left_out = {reason: rows for reason, rows in metrics.rows.items() if reason != "published"}
    published = metrics.rows["published"]
    if shared.json:
        totals: dict[str, Any] = {"published": published, "names": dict(counts)}
        totals |= {"left_out": left_out, "requests": dict(metrics.requests)}
        print_line(msgspec.json.encode(totals))
        return
    names = f"{counts['fresh']} names fresh, {counts['stale']} stale, {counts['missing']} missing"
    print_text(f"{published:,} rows; {names}")
    for reason, rows in sorted(left_out.items()):
        example = metrics.examples.get(reason, "")
        shared.stderr.print(
            f"left out {rows:,}, {reason}{': ' if example else ''}{example}", soft_wrap=True
        )


def _print_rows(shared: Shared, rows: list[dict[str, str]]) -> None:
    import msgspec

    if shared.json:
        for row in rows:
            print_line(msgspec.json.encode(row))
        return
    titles = dict(zip(rows[0], rows[0], strict=True))
    widths = {key: max(len(row[key]) for row in [titles, *rows]) for key in rows[0]}
    for row in [titles, *rows]:
        print_text("  ".join(row[key].ljust(widths[key]) for key in row).rstrip())
