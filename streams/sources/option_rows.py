"""Rows of an option table: names normalised, unwanted names left out.

A file has bid and ask, or else only vols and deltas: those make `Vols`, which are valued at the
money and nowhere else.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.decoding.osi import underlying_of
from streams.decoding.spellings import NO_DAY
from streams.records import Quotes, Series, Vols
from streams.sources.option_columns import VOL_PERCENT, OptionColumns
from streams.sources.option_contracts import RowContracts, contracts_of
from streams.sources.source import SourceUniverse
from streams.sources.table import DataFile
from streams.symbols import normalise
from streams.valuation.listings import is_adjusted


def option_rows(
    file: DataFile,
    table: pa.Table,
    columns: OptionColumns,
    ts_event: NDArray[np.int64],
    universe: SourceUniverse,
    refresh: float | None,
) -> Quotes | Vols:
    """The wanted rows of a table, in the order of the file."""
    contracts = contracts_of(file, table, columns)
    spelled = [normalise(name) for name in contracts.names]
    wanted = np.array([name in universe.underlyings for name in spelled], dtype=np.bool_)
    part = int(ts_event[0]) if ts_event.size else 0
    keep = np.flatnonzero(wanted[contracts.name_code])
    unread = _leave_unread_out(file, part, contracts)
    known = np.concatenate([keep, unread])
    leave_unwanted_out(
        file, part, contracts.names, contracts.name_code, known, universe.underlyings
    )
    keep = _with_expiry(file, table, columns, contracts, keep, part)
    series, series_code = _series(contracts, spelled, keep, in_vols=bool(columns.vols))
    first = file.numbers(table, columns.first)[keep]
    second = file.numbers(table, columns.second)[keep]
    contract = (series, series_code, contracts.expiry[keep], contracts.strike[keep])
    call, stamps = contracts.call[keep], ts_event[keep]
    if columns.vols:
        vol = first / 100.0 if columns.vols == VOL_PERCENT.field else first
        return Vols(*contract, call, vol, second, stamps, stamps, refresh)
    return Quotes(*contract, call, first, second, stamps, stamps, refresh)


def _leave_unread_out(file: DataFile, part: int, contracts: RowContracts) -> NDArray[np.int64]:
    """The rows of symbols that cannot be read, where nothing else names the underlying; noted."""
    if not contracts.unread:
        return np.empty(0, np.int64)
    unread = np.array([not name for name in contracts.names], np.bool_)
    rows = np.flatnonzero(unread[contracts.name_code])
    file.refusals.add("symbol", part, rows.size, f"{contracts.unread!r} is no option symbol")
    return np.asarray(rows, np.int64)


def _with_expiry(
    file: DataFile,
    table: pa.Table,
    columns: OptionColumns,
    contracts: RowContracts,
    keep: NDArray[np.int64],
    part: int,
) -> NDArray[np.int64]:
    """The rows that have one; the others are noted."""
    missing = keep[contracts.expiry[keep] == NO_DAY]
    if not missing.size:
        return keep
    row = int(missing[0])
    name = contracts.names[int(contracts.name_code[row])]
    column = columns.expiry
    why = file.why_no_day(table, column, row) if column else "no option symbol"
    file.refusals.add("expiry", part, missing.size, why, name)
    return np.asarray(keep[contracts.expiry[keep] != NO_DAY], np.int64)


def _series(
    contracts: RowContracts, spelled: list[str], keep: NDArray[np.int64], *, in_vols: bool
) -> tuple[tuple[Series, ...], NDArray[np.int32]]:
    """Vocabulary and codes of the kept rows; a root that is absent or empty is the underlying."""
    roots = contracts.roots
    pairs, code = np.unique(
        contracts.name_code[keep].astype(np.int64) * len(roots) + contracts.root_code[keep],
        return_inverse=True,
    )
    names = [
        (spelled[pair // len(roots)], normalise(roots[pair % len(roots)]))
        for pair in pairs.tolist()
    ]
    series = [Series(name, root or name, in_vols) for name, root in names]
    # Thousands of symbols are of few series.
    distinct = {one: at for at, one in enumerate(dict.fromkeys(series))}
    place = np.array([distinct[one] for one in series], np.int32)
    return tuple(distinct), place[code] if code.size else code.astype(np.int32)


def leave_unwanted_out(
    file: DataFile,
    part: int,
    names: Sequence[str],
    code: NDArray[np.int32],
    keep: NDArray[np.int64],
    underlyings: frozenset[str] = frozenset(),
) -> None:
    """Note the rows of names that nobody watches; the most frequent one is the example.

    Of options: an option class of one of the underlyings is told as that, an adjusted series too.
    """
    rows = np.bincount(code, minlength=len(names))
    rows[np.unique(code[keep])] = 0
    if rows.any():
        name = names[int(rows.argmax())]
        others = len({names[at] for at in np.flatnonzero(rows).tolist()}) - 1
        more = f" and {others:,} more" if others else ""
        told = _whose(normalise(name), underlyings)
        file.refusals.add("unknown", part, int(rows.sum()), f"{name!r}{more}: {told}")


def _whose(name: str, underlyings: frozenset[str]) -> str:
    """What a name in the place of an underlying is, in words.

    >>> watched = frozenset({"SPX", "BRK.B"})
    >>> _whose("SPXW", watched)
    'an option class of SPX; write SPX as underlying, it as root'
    >>> _whose("BRKB1", watched), _whose("TSLA1", watched)
    ('an adjusted series of BRK.B, of which no value is made', 'not watched')
    """
    owner = underlying_of(name)
    if owner not in underlyings:
        return "not watched"
    if is_adjusted(name, owner):
        return f"an adjusted series of {owner}, of which no value is made"
    return f"an option class of {owner}; write {owner} as underlying, it as root"
