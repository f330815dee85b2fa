"""What the rows of an option table are quotes of: by columns, or by OSI symbols."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from streams.calendar.sessions import day_number
from streams.decoding.osi import Contract, parse, underlying_of
from streams.decoding.spellings import NO_DAY, rights
from streams.sources.option_columns import UNDERLYING, OptionColumns
from streams.sources.source_error import SourceError
from streams.sources.table import DataFile

_SHOWN = 32
_Words = tuple[Sequence[str], NDArray[np.int32]]
"""A vocabulary and one code a row."""


class RowContracts(NamedTuple):
    """The contracts of n rows."""

    names: Sequence[str]
    """Underlyings as they are written; the empty one of a symbol that cannot be read."""
    name_code: NDArray[np.int32]
    roots: Sequence[str]
    """Classes as they are written; the empty one where there is none."""
    root_code: NDArray[np.int32]
    expiry: NDArray[np.int32]
    strike: NDArray[np.float64]
    call: NDArray[np.bool_]
    unread: str = ""
    """The first symbol that cannot be read."""


def contracts_of(file: DataFile, table: pa.Table, columns: OptionColumns) -> RowContracts:
    """The contracts of a table's rows. Raises `SourceError`."""
    if columns.contract is None:
        return _by_columns(file, table, columns)
    words, code = file.codes(table, columns.contract)
    read = [_parsed(word) for word in words]
    made = _by_symbols(read, words, code)
    return _completed(made, file, table, columns)


def _by_columns(file: DataFile, table: pa.Table, columns: OptionColumns) -> RowContracts:
    names, name_code = _underlyings(file, table, columns)
    roots, root_code = _roots(file, table, columns)
    return RowContracts(
        names,
        name_code,
        roots,
        root_code,
        file.days(table, str(columns.expiry)),
        file.numbers(table, str(columns.strike)),
        _calls(file, table, str(columns.right)),
    )


def _by_symbols(
    read: Sequence[Contract | None], words: Sequence[str], code: NDArray[np.int32]
) -> RowContracts:
    """What symbols alone say."""
    expiry = np.array([NO_DAY if one is None else day_number(one.expiry) for one in read], np.int32)
    strike = np.array([np.nan if one is None else one.strike for one in read], np.float64)
    call = np.array([one is not None and one.call for one in read], np.bool_)
    unread = next((word for word, one in zip(words, read, strict=True) if one is None), "")
    return RowContracts(
        ["" if one is None else underlying_of(one.root) for one in read],
        code,
        ["" if one is None else one.root for one in read],
        code,
        expiry[code],
        strike[code],
        call[code],
        unread,
    )


def _completed(
    made: RowContracts, file: DataFile, table: pa.Table, columns: OptionColumns
) -> RowContracts:
    """What columns of their own say goes before the symbol."""
    if columns.underlying or file.value(UNDERLYING):
        names, name_code = _underlyings(file, table, columns)
        made = made._replace(names=names, name_code=name_code)
    if columns.root:
        roots, root_code = _roots(file, table, columns)
        made = made._replace(roots=roots, root_code=root_code)
    if columns.expiry:
        made = made._replace(expiry=file.days(table, columns.expiry))
    if columns.strike:
        made = made._replace(strike=file.numbers(table, columns.strike))
    if columns.right:
        made = made._replace(call=_calls(file, table, columns.right))
    return made


def _parsed(word: str) -> Contract | None:
    try:
        return parse(word)
    except ValueError:
        return None


def _underlyings(file: DataFile, table: pa.Table, columns: OptionColumns) -> _Words:
    said = file.value(UNDERLYING)
    if said is not None:
        return _same(said, table)
    return file.codes(table, str(columns.underlying))


def _roots(file: DataFile, table: pa.Table, columns: OptionColumns) -> _Words:
    return file.codes(table, columns.root) if columns.root else _same("", table)


def _same(word: str, table: pa.Table) -> _Words:
    return (word,), np.zeros(table.num_rows, np.int32)


def _calls(file: DataFile, table: pa.Table, right: str) -> NDArray[np.bool_]:
    words, code = file.codes(table, right)
    calls, refused = rights(words)
    if refused:
        word = words[min(refused)]
        raise SourceError(file.path, f"column {right} holds {word[:_SHOWN]!r}", "C or P")
    return np.asarray(calls[code])
