"""`dispersion demo`: the main job on the embedded stack, with a live board.

The exit code is 0 when every reading arrived.
"""

import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from agents.cli import options
from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, shared_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agents.embedded.demo import Demo
    from agents.lookup.board import BoardState
    from agents.lookup.monitor_watcher import MonitorWatcher
    from config.settings import Settings
    from streams.records import InputRecord

SAMPLES: Final = Path(__file__).parents[2] / "samples"
QUOTES: Final = tuple(SAMPLES / f"option_closes_2026-07-{day:02}.parquet" for day in (8, 9, 10))
TICKS: Final = SAMPLES / "vix_daily.csv"
FIRST: Final = 1_783_468_800_000_000_000
"""2026-07-08 00:00 UTC: the file of VIX closes begins before the quotes."""
MS: Final = 1_000_000
AHEAD: Final = 2 * 2**20
"""Bytes a replay may be ahead on a partition: the embedded broker's log keeps about 4.6 MB."""
LOOK_SECONDS: Final = 0.5
PLAIN_SECONDS: Final = 5.0
SETTLE_SECONDS: Final = 1.0
FOLLOW_SECONDS: Final = 60.0


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
    from agents.cli.output_files import refuse_unwritable, write_text
    from agents.embedded.demo import Demo
    from agents.lookup.board import picture_of
    from agents.lookup.monitor_watcher import MonitorWatcher
    from agents.replay.inputs import open_feed, scenario_of
    from config.market import market_of
    from streams.topics import Topics

    shared = shared_of(context)
    played = scenario_of(scenario, refresh)
    if picture is not None:
        refuse_unwritable(picture, "--picture")
    shared.stderr.print("starting Kafka, Redis, two workers and an exporter")
    with interruptible(once=True), Demo(shared.config) as running:
        settings = running.settings
        market, counts = market_of(settings), settings.kafka.partitions
        feed = open_feed(
            QUOTES,
            [TICKS],
            played,
            market,
            (counts.quotes, counts.ticks),
            Topics(settings.kafka.topic_prefix),
        )
        shared.stderr.print("pricing the scenario")
        # While the services start.
        records = list(feed.records(FIRST))
        running.wait_ready()
        watcher = MonitorWatcher(
            settings, market.indices[0].symbol, f"Dispersion monitor: {scenario}"
        )
        whole = _play(shared, running, watcher, records)
        if picture is not None:
            write_text(picture, picture_of(watcher.state(len(records), len(records))), "--picture")
        # Once all is told, a signal is the expected end.
        with suppress(*([KeyboardInterrupt] if hold else [])):
            page = _reported(shared, settings, market.indices[0].symbol)
            _tell(shared, running, watcher, scenario, page, hold=hold)
            while hold:
                signal.pause()
    raise typer.Exit(0 if whole else 1)


def _play(
    shared: Shared, running: "Demo", watcher: "MonitorWatcher", records: "list[InputRecord]"
) -> bool:
    """Publish in the background, show the board meanwhile; whether the readings reached the end."""
    from time import monotonic, sleep

    from agents.replay.pacing import ByteBudget, FinalWatermark, ReplayClock
    from agents.replay.replay import BackgroundReplay, Pace
    from agents.store.sync import connect_sync
    from config.market import market_of

    settings = running.settings
    final = FinalWatermark(
        connect_sync(settings.redis), settings.kafka.topic_prefix, market_of(settings).indices
    )
    replay = BackgroundReplay(
        settings, records, Pace(ReplayClock(float("inf")), ByteBudget(final, AHEAD))
    )
    end = records[-1].timestamp * MS
    watcher.start()
    replay.start()
    with shown(shared) as show:
        seen, since = -1, monotonic()
        while (reached := final()) < end or replay.running:
            running.check()
            show(watcher.state(replay.sent, replay.total))
            if reached > seen:
                seen, since = reached, monotonic()
            elif monotonic() - since > FOLLOW_SECONDS:
                shared.stderr.print(f"the readings have not moved for {FOLLOW_SECONDS:.0f} s")
                return False
            sleep(LOOK_SECONDS)
        # The last alert events are on their way from the outbox.
        sleep(SETTLE_SECONDS)
        show(watcher.state(replay.sent, replay.total))
    return True


@contextmanager
def shown(shared: Shared) -> "Iterator[Callable[[BoardState], None]]":
    """The live board on a terminal; elsewhere a plain line every few seconds."""
    from time import monotonic

    from rich.live import Live

    from agents.lookup.board import plain_line, render

    console = shared.stderr
    if console.is_terminal and not shared.quiet:
        with Live(console=console, auto_refresh=False) as live:
            yield lambda state: live.update(render(state), refresh=True)
        return
    last = 0.0

    def line(state: "BoardState") -> None:
        nonlocal last
        if monotonic() - last >= PLAIN_SECONDS:
            last = monotonic()
            console.print(plain_line(state), soft_wrap=True)

    yield line


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
    running: "Demo",
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
        print_line(msgspec.json.encode({**told, **where}))
    else:
        for text in summary.lines():
            shared.stdout.print(text, markup=False)
    sys.stdout.flush()
