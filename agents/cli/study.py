"""`dispersion study rotation`: what the rotation was worth in the user's own history."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agents.cli import options
from agents.cli.shared import Shared, print_line, shared_of
from agents.process.exits import ActionNeededError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config.settings import Settings
    from streams.report.rotation_study import Mean, RotationStudy
    from streams.report.study_sessions import Close


def rotation(
    context: typer.Context,
    prices: Annotated[
        list[Path],
        typer.Option(metavar="FILE …", help="Daily closes, bars or ticks of the watch list."),
    ],
    run: options.RunOrMonitor = None,
    index: options.FirstIndex = None,
) -> None:
    """Strength of the defensive names beside changes of the spread, with counts and intervals.

    Computed from the history alone; it says what was, not what will be.
    """
    import msgspec

    from agents.cli.report import chosen_index, overrides

    shared = shared_of(context)
    settings = shared.settings(overrides(run, None))
    found = study_of(settings, chosen_index(settings, index), run, prices)
    if not found.strength_and_spread.count:
        raise ActionNeededError(
            f"no two neighbouring sessions of {found.index} have a spread and prices of "
            f"{', '.join(found.names)} and {found.benchmark}; look at both with "
            "`dispersion history show` and `dispersion files check`"
        )
    if shared.json:
        print_line(msgspec.json.encode(found))
    else:
        _show(shared, found)


def study_of(
    settings: "Settings", index: str, run: Path | None, prices: list[Path]
) -> "RotationStudy":
    """The study of an index. Raises `ConfigError`, `SourceError`, `ActionNeededError`."""
    from agents.report.price_files import prices_of
    from config.watch_lists import find_watch_list, load_watch_list
    from streams.report.rotation_study import rotation_study

    watched = load_watch_list(find_watch_list(settings.report.watch_list))
    table = prices_of(prices, watched.symbols, date.max)
    return rotation_study(index, _closes(settings, index, run), table, watched)


def _closes(settings: "Settings", index: str, run: Path | None) -> "Mapping[date, Close]":
    from agents.cli.evaluation_files import closing_readings
    from agents.kafka.connectivity import require_servers
    from agents.lookup.point_in_time import from_stack
    from streams.report.study_sessions import known_closes, levels_of

    if run is not None:
        closing = closing_readings(run / "readings.jsonl")
        return levels_of(known_closes({}, [one for one in closing if one.index == index]))
    require_servers(settings.kafka, settings.redis)
    told = from_stack(settings, index, None)
    return levels_of(known_closes(told.days, told.readings))


def _show(shared: Shared, found: "RotationStudy") -> None:
    from rich.table import Table

    from streams.report.rotation_study import sentences

    table = Table(title=f"{' and '.join(found.names)} against {found.benchmark}", box=None)
    for heading in ("after", "sessions", "n", "mean", "95 % interval", "below 0", "any session"):
        table.add_column(heading, justify="left" if heading == "after" else "right")
    for one in found.conditional:
        after, every = one.after, one.any_session
        table.add_row(
            one.condition,
            str(one.horizon),
            str(after.count),
            _percent(after.mean),
            f"{_percent(after.low)} to {_percent(after.high)}",
            _share(after),
            f"{_percent(every.mean)}, below 0 {_share(every)}, n {every.count}",
        )
    told = sentences(found)
    shared.stdout.print(told[0], soft_wrap=True, markup=False)
    shared.stdout.print(table)
    shared.stdout.print(told[-1], soft_wrap=True, markup=False)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.2f} %"


def _share(mean: "Mean") -> str:
    return "–" if mean.negative is None else f"{100 * mean.negative:.0f} %"
