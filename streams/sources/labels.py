"""Labelled days: a file with a column `date`; whatever else it holds is left alone."""

from datetime import date
from pathlib import Path
from typing import Final

from streams.calendar.sessions import date_of
from streams.sources.columns import FileColumn
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile

LABEL_COLUMNS: Final = (FileColumn("date", "date", "date of the session"),)


def read_labels(path: Path) -> tuple[date, ...]:
    """The days, each once, oldest first. Raises `SourceError`."""
    file = DataFile(path, LABEL_COLUMNS)
    if "date" not in file.columns:
        raise SourceError(
            path,
            f"no column date among {', '.join(file.columns)}",
            "a table with a column date, one labelled day a row",
        )
    days = file.all_days(file.read(["date"]), "date")
    if not len(days):
        raise SourceError(path, "no rows", "at least one labelled day")
    return tuple(date_of(day) for day in sorted(set(days.tolist())))
