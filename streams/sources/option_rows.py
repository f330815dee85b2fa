"""Rows of an option table: names normalised, unwanted names left out.

A file has bid and ask, or else only vols and deltas: those make `Vols`, which are valued at the
money and nowhere else.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.decoding.osi import underlying_of
from streams.decoding.spellings import NO_DAY, rights
from streams.records import Quotes, Series, Vols
from streams.sources.source import SourceUniverse
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile
from streams.symbols import normalise

_SHOWN = 32
_CONTRACT = {
    "underlying": ("underlying",),
    "expiry": ("expiration", "expiry"),
    "strike": ("strike",),
    "right": ("cp", "right"),
}
_QUOTED = {"first": ("bid",), "second": ("ask",)}
_STATED = {"first": ("iv_pct", "iv"), "second": ("delta",)}
OPTION_COLUMNS = (
    "underlying, expiration, strike, cp (C or P), bid and ask "
    "(or, where there are none, iv_pct in percent or iv, and delta) and, "
    "where a name has several series, root"
)


class OptionColumns(NamedTuple):
    """The names that the fields of an option have in one file."""

    underlying: str
    expiry: str
    strike: str
    right: str
    first: str
    """Bid, or implied vol."""
    second: str
    """Ask, or delta."""
    root: str | None

    @property
    def in_vols(self) -> bool:
        """Whether the file has vols in place of bid and ask."""
        return self.first in _STATED["first"]


def option_columns(file: DataFile) -> OptionColumns:
    """The columns of an option file; raises `SourceError` for the first that is missing."""
    vols = not {"bid", "ask"} & set(file.columns) and bool(file.one_of(_STATED["first"]))
    fields = _CONTRACT | (_STATED if vols else _QUOTED)
    found = {field: file.one_of(names) for field, names in fields.items()}
    for field, names in fields.items():
        if found[field] is None:
            problem = f"column {' or '.join(names)} is missing; it has {', '.join(file.columns)}"
            raise SourceError(file.path, problem, OPTION_COLUMNS)
    return OptionColumns(
        **{field: str(name) for field, name in found.items()}, root=file.one_of(("root",))
    )


def option_rows(
    file: DataFile,
    table: pa.Table,
    columns: OptionColumns,
    ts_event: NDArray[np.int64],
    universe: SourceUniverse,
    refresh: float | None,
) -> Quotes | Vols:
    """The wanted rows of a table, in the order of the file."""
    names, name_code = file.codes(table, columns.underlying)
    spelled = [normalise(name) for name in names]
    keep = np.flatnonzero(
        np.array([name in universe.underlyings for name in spelled], dtype=np.bool_)[name_code]
    )
    part = int(ts_event[0]) if ts_event.size else 0
    leave_unwanted_out(file, part, names, name_code, keep, universe.underlyings)
    expiry = file.days(table, columns.expiry)
    missing = keep[expiry[keep] == NO_DAY]
    if missing.size:
        name = str(table[columns.underlying][int(missing[0])].as_py())
        why = file.why_no_day(table, columns.expiry, int(missing[0]))
        file.refusals.add("expiry", part, missing.size, why, name)
        keep = keep[expiry[keep] != NO_DAY]
    series, series_code = _series(file, table, columns, spelled, name_code, keep)
    first, second = (
        file.numbers(table, columns.first)[keep],
        file.numbers(table, columns.second)[keep],
    )
    contract = (series, series_code, expiry[keep], file.numbers(table, columns.strike)[keep])
    call, stamps = _calls(file, table, columns.right)[keep], ts_event[keep]
    if columns.in_vols:
        vol = first / 100.0 if columns.first == "iv_pct" else first
        return Vols(*contract, call, vol, second, stamps, stamps, refresh)
    return Quotes(*contract, call, first, second, stamps, stamps, refresh)


def _series(
    file: DataFile,
    table: pa.Table,
    columns: OptionColumns,
    spelled: list[str],
    name_code: NDArray[np.int32],
    keep: NDArray[np.int64],
) -> tuple[tuple[Series, ...], NDArray[np.int32]]:
    """Vocabulary and codes of the kept rows; a root that is absent or empty is the underlying."""
    roots, root_code = (
        file.codes(table, columns.root)
        if columns.root
        else (("",), np.zeros(table.num_rows, np.int32))
    )
    pairs, code = np.unique(
        name_code[keep].astype(np.int64) * len(roots) + root_code[keep], return_inverse=True
    )
    names = [
        (spelled[pair // len(roots)], normalise(roots[pair % len(roots)]))
        for pair in pairs.tolist()
    ]
    return tuple(Series(name, root or name, columns.in_vols) for name, root in names), code.astype(
        np.int32
    )


def leave_unwanted_out(
    file: DataFile,
    part: int,
    names: Sequence[str],
    code: NDArray[np.int32],
    keep: NDArray[np.int64],
    underlyings: frozenset[str] = frozenset(),
) -> None:
    """Note the rows of names that nobody watches; the most frequent one is the example.

    Of options: an option class of one of the underlyings is told as that.
    """
    rows = np.bincount(code, minlength=len(names))
    rows[np.unique(code[keep])] = 0
    if rows.any():
        name = names[int(rows.argmax())]
        others = np.count_nonzero(rows) - 1
        more = f" and {others:,} more" if others else ""
        owner = underlying_of(normalise(name))
        why = f"an option class of {owner}; write {owner} as underlying, it as root"
        told = why if owner in underlyings else "not watched"
        file.refusals.add("unknown", part, int(rows.sum()), f"{name!r}{more}: {told}")


def _calls(file: DataFile, table: pa.Table, right: str) -> NDArray[np.bool_]:
    words, code = file.codes(table, right)
    calls, refused = rights(words)
    if refused:
        word = words[min(refused)]
        raise SourceError(file.path, f"column {right} holds {word[:_SHOWN]!r}", "C or P")
    return np.asarray(calls[code])
