"""The latest reading of each tenor of an index, up to a second."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from agents.lookup.readings_log import ReadingsLog
from agents.lookup.run_readings import readings_in
from config.settings import Settings
from streams.market import IndexSpec
from streams.reading import Reading


def latest_by_tenor(
    settings: Settings, spec: IndexSpec, until: datetime, run: Path | None
) -> dict[int, Reading]:
    """By days, ascending; nothing where one tenor alone is monitored.

    Raises `SourceError`, `ActionNeededError`, `UnavailableError`.
    """
    if len(spec.tenors) < 2:
        return {}
    found = _of_topic(settings, spec, until) if run is None else _of_run(spec, until, run)
    latest = {one.tenor_days: one for one in found}
    return {days: latest[days] for days in sorted(latest)}


def _of_run(spec: IndexSpec, until: datetime, run: Path) -> Iterator[Reading]:
    for one in readings_in(run):
        if one.index == spec.symbol and one.ts_event <= until:
            yield one


def _of_topic(settings: Settings, spec: IndexSpec, until: datetime) -> Iterator[Reading]:
    for days in spec.tenors:
        with ReadingsLog(settings, spec.symbol, f"{days}d") as log:
            found = log.latest(until)
        if found is not None:
            yield found
