"""`dispersion live`: today's market on this machine, with everything that it needs."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from agents.cli.interrupts import interruptible
from agents.cli.shared import Shared, print_line, shared_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.cli.board_screen import BoardScreen
    from agents.embedded.local_monitor import LocalMonitor
    from agents.feeds.contract import Feed
    from agents.store.daily_facts import Filled
    from config.settings import Settings

DATA: Final = Path("build/live")
LOOK_SECONDS: Final = 1.0
SERVICES: Final = ("worker", "worker", "exporter")


def live(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="FEED", help="A feed of `feed list`; feed.name otherwise."),
    ] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE …",
            help="Past closes, as `history import` takes them; may be repeated each day.",
        ),
    ] = None,
    data: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Keeps Redis and the history between days."),
    ] = DATA,
) -> None:
    """A feed, embedded Kafka and Redis, two workers, an exporter and the board, until Ctrl-C.

    Other commands work beside it with the settings file that it names.
    """
    from agents.cli.board_screen import shown
    from agents.embedded.data_directory import held
    from agents.embedded.local_monitor import LocalMonitor, MonitorPlan, ServicePlan
    from agents.feeds.registry import find_feed, refuse_denied

    shared = shared_of(context)
    settings = shared.settings()
    chosen, feed = find_feed(settings, name)
    refuse_denied(settings, chosen, feed)
    index = settings.market.indices[0].symbol
    title = f"Dispersion monitor: {index}, {chosen}"
    filled: list[Filled] = []
    with (
        interruptible(once=True),
        held(data) as folder,
        shown(shared, title, index, feed.mode) as screen,
    ):
        plan = MonitorPlan(
            name="live",
            overrides=_overrides(chosen, feed, folder),
            services=[
                *(ServicePlan((one,)) for one in SERVICES),
                ServicePlan(("feed", "run", chosen), feed=True),
            ],
            folder=folder,
            prepare=_preparation(shared, screen, history or [], filled),
        )
        with LocalMonitor(shared.config, plan, screen.doing) as running:
            _tell(shared, screen, running, filled)
            # Once all is told, a signal is the expected end.
            with suppress(KeyboardInterrupt):
                _watch(screen, running, title, chosen)
    if not shared.json:
        shared.stderr.print(f"stopped; the history stays in {folder}", markup=False)


def _overrides(name: str, feed: "Feed", folder: Path) -> dict[str, Any]:
    """The feed's mode stands in every reading, for all that runs is of this command."""
    return {
        "mode": feed.mode,
        "feed": {"name": name},
        "worker": {"data_dir": str(folder / "worker")},
    }


def _preparation(
    shared: Shared, screen: "BoardScreen", files: list[Path], filled: "list[Filled]"
) -> "Callable[[Settings], None]":
    """What is done before the workers start; what became of the files goes to `filled`."""

    def prepare(settings: "Settings") -> None:
        from agents.cli.history import fill_from
        from agents.store.fresh_log import forget_log
        from agents.store.sync import connect_sync
        from config.settings import changed

        with connect_sync(settings.redis) as redis:
            forget_log(redis)
        if files:
            screen.doing("reading past closes", 0.1)
            past = changed(settings, {"mode": "replay"})
            filled.extend(fill_from(shared, past, files, settings.market.indices[0].symbol))

    return prepare


def _tell(
    shared: Shared, screen: "BoardScreen", running: "LocalMonitor", filled: "list[Filled]"
) -> None:
    """Where everything is, and what to type next."""
    import msgspec

    addresses = running.addresses
    if shared.json:
        told = msgspec.to_builtins(addresses)
        told |= {"commands": addresses.commands, "subscribe": addresses.subscribe}
        told["history"] = msgspec.to_builtins(filled)
        print_line(msgspec.json.encode(told))
        sys.stdout.flush()
        return
    history = [
        f"history of {one.index}: {one.written} sessions written, {one.existing} there already"
        for one in filled
    ]
    screen.say([*history, *addresses.lines()])


def _watch(screen: "BoardScreen", running: "LocalMonitor", title: str, name: str) -> None:
    """The board, until a signal comes or a service ends."""
    from time import sleep

    from agents.feeds.registry import feed_config, find_feed
    from agents.lookup.feed_view import feed_view
    from agents.lookup.monitor_watcher import MonitorWatcher

    settings = running.settings
    _, feed = find_feed(settings, name)
    delay = getattr(feed_config(settings, name, feed), "delay", None)
    index = settings.market.indices[0].symbol
    watcher = MonitorWatcher(settings, index, title, delay)
    watcher.start()
    while True:
        running.check()
        view = feed_view(name, running.feed_url)
        screen.board(watcher.state(view.progress, view.notes))
        sleep(LOOK_SECONDS)
