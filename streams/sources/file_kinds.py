"""What a file holds, told by its name and the names of its columns."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal

from streams.sources.columns import NO_MAP, ColumnMap, FileColumn
from streams.sources.dbn_file import is_dbn
from streams.sources.layouts import LAYOUTS
from streams.sources.option_columns import CONTRACT, EXPIRY, RIGHT, STRIKE
from streams.sources.published_closes import index_of
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile

FileKind = Literal["quotes", "ticks", "levels", "rates", "dividends", "readings"]
READINGS: Final = "readings.jsonl"
"""In the folder of a run."""
_OPTIONS: Final = (CONTRACT, EXPIRY, STRIKE, RIGHT)
_RATES: Final = frozenset({"dff", "effr", "sofr", "1_mo", "1m", "3_mo", "3m", "dgs3mo"})
_DIVIDENDS: Final = "ex_date"


def kind_of(path: Path, chosen: ColumnMap = NO_MAP) -> FileKind:
    """What a file, or the folder of a run, holds. Raises `SourceError` for one that is no table."""
    if path.is_dir() and not (path / READINGS).is_file():
        raise SourceError(path, "is a folder", f"a file, or a run with {READINGS}")
    if path.is_dir() or path.suffix == ".jsonl":
        return "readings"
    if is_dbn(path):
        return "quotes"
    found = frozenset(DataFile(path).columns)
    if index_of(path) is not None:
        return "levels"
    return _by_columns(found, frozenset({*chosen.columns, *chosen.values}))


def _by_columns(found: frozenset[str], mapped: frozenset[str]) -> FileKind:
    if _DIVIDENDS in found:
        return "dividends"
    if found & _RATES:
        return "rates"
    if (mapped | found) & _names(_OPTIONS) or any(one.marks <= found for one in LAYOUTS):
        return "quotes"
    return "ticks"


def _names(columns: Iterable[FileColumn]) -> set[str]:
    return {name for one in columns for name in one.names} - {"type"}
