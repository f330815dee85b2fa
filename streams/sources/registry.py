"""Which adapter reads a file: decided by its columns."""

from pathlib import Path
from typing import Final

from streams.sources.columns import NO_MAP, ColumnMap, all_missing
from streams.sources.daily_closes import CLOSE_COLUMNS, CLOSES_EXPECTED, DAY, DailyCloses
from streams.sources.dbn_file import DbnFile, is_dbn
from streams.sources.declared_refresh import REFRESH
from streams.sources.option_closes import QUOTE_TIME, SESSION, OptionCloses
from streams.sources.option_columns import EXPECTED, OPTION_COLUMNS, found_columns
from streams.sources.option_snapshots import SNAPSHOT, OptionSnapshots
from streams.sources.source import Source
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.sources.time_slices import TIME_COLUMNS, time_column
from streams.sources.timed_quotes import TimedQuotes
from streams.sources.timed_ticks import TICK_COLUMNS, TICKS_EXPECTED, TimedTicks

QUOTE_FILE_COLUMNS: Final = (
    *(*TIME_COLUMNS, SNAPSHOT, SESSION, QUOTE_TIME, *OPTION_COLUMNS),
    REFRESH,
)
"""What files of option quotes may have."""
TICK_FILE_COLUMNS: Final = (*TICK_COLUMNS, *CLOSE_COLUMNS)
"""What files of prices may have."""
WHEN: Final = (
    f"that says when: {SESSION.told}, {SNAPSHOT.told}, "
    f"{', '.join(one.told for one in TIME_COLUMNS)}; "
    "one day for the whole file is --map session:2026-07-10"
)


def open_quotes(path: Path, chosen: ColumnMap = NO_MAP) -> Source:
    """The source of a file of option quotes.

    Raises `SourceError` naming the file and all columns that are missing.
    """
    if is_dbn(path):
        return DbnFile(path)
    return quotes_in(DataFile(path, QUOTE_FILE_COLUMNS, chosen))


def quotes_in(file: DataFile) -> Source:
    """The same of a file that is open."""
    said = file.value(SESSION) is not None
    dated = said or file.column(SESSION)
    timed, snapshots = time_column(file), file.column(SNAPSHOT)
    if not (timed or snapshots or dated):
        missing = [*found_columns(file)[1], WHEN]
        raise SourceError(file.path, all_missing(missing, file.columns), EXPECTED)
    if timed and not said:
        return TimedQuotes(file)
    if snapshots and not said:
        return OptionSnapshots(file)
    return OptionCloses(file)


def open_ticks(path: Path, chosen: ColumnMap = NO_MAP) -> Source:
    """The source of a file of prices or index levels. Raises `SourceError`."""
    return ticks_in(DataFile(path, TICK_FILE_COLUMNS, chosen))


def ticks_in(file: DataFile) -> Source:
    """The same of a file that is open."""
    if time_column(file):
        return TimedTicks(file)
    if file.column(DAY):
        return DailyCloses(file)
    raise SourceError(
        file.path,
        f"no column says when; it has {', '.join(file.columns)}",
        f"{TICKS_EXPECTED}; or {CLOSES_EXPECTED}",
    )
