"""`dispersion demo`: the main job on the embedded stack, with a live board.

The exit code is 0 when every reading arrived.
"""

import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from agents.cli import options
from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, shared_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from redis import Redis

    from agents.cli.board_screen import BoardScreen
    from agents.embedded.local_monitor import LocalMonitor
    from agents.lookup.monitor_watcher import MonitorWatcher
    from config.settings import Settings
    from streams.records import InputRecord
    from streams.sources.feed import FileFeed
    from streams.sources.scenario import Scenario

SAMPLES: Final = Path(__file__).parents[2] / "samples"
QUOTES: Final = tuple(SAMPLES / f"option_closes_2026-07-{day:02}.parquet" for day in (8, 9, 10))
TICKS: Final = SAMPLES / "vix_daily.csv"
FIRST: Final = 1_783_468_800_000_000_000
"""2026-07-08 00:00 UTC: the file of VIX closes begins before the quotes."""
MS: Final = 1_000_000
AHEAD: Final = 2 * 2**20
"""Bytes a replay may be ahead on a partition: the embedded broker's log keeps about 4.6 MB."""
LOOK_SECONDS: Final = 0.5
SETTLE_SECONDS: Final = 1.0
FOLLOW_SECONDS: Final = 60.0
SERVICES: Final = ("worker", "worker", "exporter")
OWN: "Final[Mapping[str, Any]]" = {
    "mode": "scenario",
    "redis": {"checkpoint_seconds": 0.5},
    "rules": {"cap_unknown": False},
}
"""Everything in the demo is a scenario, and rules judge without a year of history."""


def demo(
    context: typer.Context,
    scenario: options.ScenarioOfDemo = "unwind_2018_02",
    refresh: options.Refresh = 10,
    hold: options.Hold = False,
    picture: options.Picture = None,
) -> None:
    """Three real closes, then a scenario, on embedded Kafka and Redis, two workers and an exporter.

    Exit code 1: the readings did not reach the end.
    """
    from agents.cli.board_screen import shown
    from agents.cli.output_files import refuse_unwritable, write_text
    from agents.embedded.local_monitor import LocalMonitor, MonitorPlan, ServicePlan
    from agents.lookup.board import Progress, picture_of
    from agents.lookup.monitor_watcher import MonitorWatcher
    from agents.replay.inputs import scenario_of
    from agents.store.sync import connect_sync

    shared = shared_of(context)
    played = scenario_of(scenario, refresh)
    if picture is not None:
        refuse_unwritable(picture, "--picture")
    plan = MonitorPlan("demo", OWN, [ServicePlan((name,)) for name in SERVICES])
    title = f"Dispersion monitor: {scenario}"
    with (
        interruptible(once=True),
        shown(shared, title, mode="scenario") as show,
        LocalMonitor(shared.config, plan, show.doing) as running,
    ):
        feed = _feed(running.settings, played)
        show.doing("pricing the scenario", 0.25)
        # While the services start.
        records = list(feed.records(FIRST))
        running.wait_ready()
        index = running.settings.market.indices[0].symbol
        watcher = MonitorWatcher(running.settings, index, title)
        # Closed here: an interrupt that meets a client when it is collected would be lost.
        with connect_sync(running.settings.redis) as redis:
            whole = _play(shared, running, watcher, records, show, redis)
        show.stop()
        if picture is not None:
            text = picture_of(watcher.state(Progress("replayed", 1.0)))
            write_text(picture, text, "--picture")
        # Once all is told, a signal is the expected end.
        with suppress(*([KeyboardInterrupt] if hold else [])):
            page = _reported(shared, running.settings, index)
            _tell(shared, running, watcher, scenario, page, hold=hold)
            while hold:
                signal.pause()
    raise typer.Exit(0 if whole else 1)


def _feed(settings: "Settings", played: "Scenario | None") -> "FileFeed":
    """The samples, then the scenario."""
    from agents.replay.inputs import open_feed
    from config.market import market_of
    from streams.topics import Topics

    counts = settings.kafka.partitions
    return open_feed(
        QUOTES,
        [TICKS],
        played,
        market_of(settings),
        (counts.quotes, counts.ticks),
        Topics(settings.kafka.topic_prefix),
    )


def _play(
    shared: Shared,
    running: "LocalMonitor",
    watcher: "MonitorWatcher",
    records: "list[InputRecord]",
    show: "BoardScreen",
    redis: "Redis",
) -> bool:
    """Publish in the background, show the board meanwhile; whether the readings reached the end."""
    from time import monotonic, sleep

    from agents.lookup.board import Progress
    from agents.replay.byte_budget import ByteBudget
    from agents.replay.pacing import FinalWatermark, ReplayClock
    from agents.replay.replay import BackgroundReplay, Pace
    from config.market import market_of

    settings = running.settings
    final = FinalWatermark(redis, settings.kafka.topic_prefix, market_of(settings).indices)
    replay = BackgroundReplay(
        settings, records, Pace(ReplayClock(float("inf")), ByteBudget(final, AHEAD))
    )
    end = records[-1].timestamp * MS

    def look() -> None:
        share = replay.sent / replay.total if replay.total else 0.0
        show.board(watcher.state(Progress("replayed", share)))

    watcher.start()
    replay.start()
    seen, since = -1, monotonic()
    while (reached := final()) < end or replay.running:
        running.check()
        look()
        if reached > seen:
            seen, since = reached, monotonic()
        elif monotonic() - since > FOLLOW_SECONDS:
            shared.stderr.print(f"the readings have not moved for {FOLLOW_SECONDS:.0f} s")
            return False
        sleep(LOOK_SECONDS)
    # The last alert events are on their way from the outbox.
    sleep(SETTLE_SECONDS)
    look()
    return True


def _reported(shared: Shared, settings: "Settings", index: str) -> str:
    """The path of the report of the scenario's session; empty where it cannot be made."""
    from agents.report.reports_topic import ReportsTopic
    from agents.report.session_report import report_session

    try:
        with ReportsTopic(settings) as topic:
            return str(report_session(settings, topic, index, None))
    except (ImportError, OSError) as error:
        shared.stderr.print(f"no report: {error}", soft_wrap=True, markup=False)
        return ""


def _tell(
    shared: Shared,
    running: "LocalMonitor",
    watcher: "MonitorWatcher",
    scenario: str,
    page: str,
    *,
    hold: bool,
) -> None:
    """The summary: ours beside the published VIX, every alert, and where to look."""
    import msgspec

    from agents.embedded.summary import summarise

    summary = summarise(watcher, scenario, page, running.addresses if hold else None)
    if shared.json:
        told = msgspec.to_builtins(summary)
        where = told.pop("addresses") or {}
        if summary.addresses is not None:
            where["commands"] = summary.addresses.commands
            where["subscribe"] = summary.addresses.subscribe
        print_line(msgspec.json.encode({**told, **where}))
    else:
        for text in summary.lines():
            shared.stdout.print(text, markup=False)
    sys.stdout.flush()
