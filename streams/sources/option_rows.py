"""Rows of an option table as quotes: names normalised, unwanted names left out."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.records import Quotes, Series
from streams.sources.source import SourceError, Wanted
from streams.sources.table import DataFile
from streams.symbols import normalise

_RIGHTS = {"C": True, "CALL": True, "P": False, "PUT": False}
_FIELDS = {
    "underlying": ("underlying",),
    "expiry": ("expiration", "expiry"),
    "strike": ("strike",),
    "right": ("cp", "right"),
    "bid": ("bid",),
    "ask": ("ask",),
}
OPTION_COLUMNS = "underlying, expiration, strike, cp (C or P), bid, ask and, where a name has several series, root"


class OptionColumns(NamedTuple):
    """The names that the fields of a quote have in one file."""

    underlying: str
    expiry: str
    strike: str
    right: str
    bid: str
    ask: str
    root: str | None


def option_columns(file: DataFile) -> OptionColumns:
    """The columns of an option file; raises `SourceError` for the first that is missing."""
    found = {field: file.one_of(names) for field, names in _FIELDS.items()}
    for field, names in _FIELDS.items():
        if found[field] is None:
            problem = f"column {' or '.join(names)} is missing; it has {', '.join(file.columns)}"
            raise SourceError(file.path, problem, OPTION_COLUMNS)
    return OptionColumns(**{field: str(name) for field, name in found.items()}, root=file.one_of(("root",)))


def option_rows(
    file: DataFile, table: pa.Table, columns: OptionColumns, ts_event: NDArray[np.int64], wanted: Wanted, refresh: float | None
) -> Quotes:
    """The wanted rows of a table as quotes, in the order of the file."""
    names, name_code = file.codes(table, columns.underlying)
    roots, root_code = file.codes(table, columns.root) if columns.root else (names, name_code)
    spelled = [normalise(name) for name in names]
    keep = np.flatnonzero(np.array([name in wanted.underlyings for name in spelled], dtype=np.bool_)[name_code])
    pairs, series_code = np.unique(name_code[keep].astype(np.int64) * len(roots) + root_code[keep], return_inverse=True)
    series = tuple(
        Series(spelled[pair // len(roots)], normalise(roots[pair % len(roots)]) or spelled[pair // len(roots)]) for pair in pairs.tolist()
    )
    rights, right_code = file.codes(table, columns.right)
    for right in rights:
        if right.upper() not in _RIGHTS:
            raise SourceError(file.path, f"column {columns.right} holds {right!r}", "C or P")
    stamps = ts_event[keep]
    return Quotes(
        series=series,
        series_code=series_code.astype(np.int32),
        expiry=file.days(table, columns.expiry)[keep],
        strike=file.numbers(table, columns.strike)[keep],
        call=np.array([_RIGHTS[right.upper()] for right in rights], dtype=np.bool_)[right_code[keep]],
        bid=file.numbers(table, columns.bid)[keep],
        ask=file.numbers(table, columns.ask)[keep],
        ts_event=stamps,
        record_ts=stamps,
        refresh_seconds=refresh,
    )


def take_quotes(quotes: Quotes, rows: NDArray[np.int64]) -> Quotes:
    """Some rows of a batch; the vocabulary stays whole."""
    return quotes._replace(
        series_code=quotes.series_code[rows],
        expiry=quotes.expiry[rows],
        strike=quotes.strike[rows],
        call=quotes.call[rows],
        bid=quotes.bid[rows],
        ask=quotes.ask[rows],
        ts_event=quotes.ts_event[rows],
        record_ts=quotes.record_ts[rows],
    )
