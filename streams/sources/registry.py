"""Which adapter reads a file: decided by its columns."""

from pathlib import Path

from streams.sources.daily_closes import CLOSE_COLUMNS, DailyCloses
from streams.sources.option_closes import SESSION_COLUMNS, OptionCloses
from streams.sources.option_rows import OPTION_COLUMNS, option_columns
from streams.sources.option_snapshots import SNAPSHOT_COLUMNS, OptionSnapshots
from streams.sources.source import Source
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.sources.time_slices import TIME_COLUMNS
from streams.sources.timed_quotes import TimedQuotes
from streams.sources.timed_ticks import TICK_COLUMNS, TimedTicks

_TIMES = (*SESSION_COLUMNS, *TIME_COLUMNS, *SNAPSHOT_COLUMNS)


def open_quotes(path: Path) -> Source:
    """The source of a file of option quotes.

    Raises `SourceError` naming file, column and what is expected.
    """
    file = DataFile(path)
    option_columns(file)
    if file.one_of(TIME_COLUMNS):
        return TimedQuotes(file)
    if file.one_of(SNAPSHOT_COLUMNS):
        return OptionSnapshots(file)
    if file.one_of(SESSION_COLUMNS):
        return OptionCloses(file)
    raise SourceError(
        path,
        f"no column says when; it has {', '.join(file.columns)}",
        f"one of {', '.join(_TIMES)}, with {OPTION_COLUMNS}",
    )


def open_ticks(path: Path) -> Source:
    """The source of a file of prices or index levels. Raises `SourceError`."""
    file = DataFile(path)
    if file.one_of(TIME_COLUMNS):
        return TimedTicks(file)
    if "date" in file.columns:
        return DailyCloses(file)
    raise SourceError(
        path,
        f"no column says when; it has {', '.join(file.columns)}",
        f"{TICK_COLUMNS}; or {CLOSE_COLUMNS}",
    )
