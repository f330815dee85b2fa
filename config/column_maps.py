"""What a person says of the columns of their files: `--map`, or a TOML file of it.

`right=option_type` names the column of a field, `strike=strike_price/1000` with its unit, and
`session:2026-07-10` what holds for every row. A TOML file says the same in two tables, `columns`
and `values`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from config.errors import ConfigError
from config.tables import as_toml, read_toml
from streams.sources.columns import ColumnMap, FileColumn, Mapped
from streams.sources.registry import QUOTE_FILE_COLUMNS, TICK_FILE_COLUMNS

_ENTRY: Final = re.compile(r"([A-Za-z]\w*)([=:])(.+)", re.ASCII)
_SCALED: Final = re.compile(r"(.+?) *([*/]) *(\d+(?:\.\d+)?(?:e-?\d+)?)", re.ASCII)
_TABLES: Final = ("columns", "values")
_EXAMPLES: Final = "write right=COLUMN, strike=COLUMN/1000, session:2026-07-10, or a TOML file"


def column_map(entries: Sequence[str]) -> ColumnMap:
    """The map of some entries and files; later ones win. Raises `ConfigError`."""
    columns: dict[str, Mapped] = {}
    values: dict[str, str] = {}
    for entry in entries:
        found = _ENTRY.fullmatch(entry.strip())
        if found is None:
            told = _read(Path(entry))
            columns |= told.columns
            values |= told.values
            continue
        field = _known(found[1], "--map")
        _forget(field, columns, values)
        if found[2] == "=":
            columns[field] = mapped(found[3], "--map")
        else:
            values[field] = found[3].strip()
    return ColumnMap(columns, values)


def _forget(field: str, *tables: dict[str, Any]) -> None:
    """Drop what was said before of a field, under whichever of its names."""
    for table in tables:
        for name in _namesakes(field):
            table.pop(name, None)


def mapped(text: str, key: str) -> Mapped:
    """A column, perhaps with its unit. Raises `ConfigError`.

    >>> mapped("strike_price/1000", ""), mapped("mid", "")
    (Mapped(column='strike_price', factor=0.001), Mapped(column='mid', factor=1.0))
    """
    found = _SCALED.fullmatch(text.strip())
    if found is None:
        return Mapped(text.strip())
    number = float(found[3])
    if number == 0.0:
        raise ConfigError(f"{text!r} is no column with a unit", key=key, fix=_EXAMPLES)
    return Mapped(found[1], number if found[2] == "*" else 1.0 / number)


def saved(chosen: ColumnMap) -> str:
    """The map as a TOML file, which `column_map` reads."""
    columns = {field: _text(one) for field, one in chosen.columns.items()}
    table = {"columns": columns, "values": dict(chosen.values)}
    return as_toml({name: inside for name, inside in table.items() if inside})


def _text(one: Mapped) -> str:
    return one.column if one.factor == 1.0 else f"{one.column}*{one.factor:.12g}"


def _read(path: Path) -> ColumnMap:
    if not path.is_file():
        raise ConfigError(f"{str(path)!r} is neither a map nor a file", key="--map", fix=_EXAMPLES)
    table = read_toml(path)
    unknown = [name for name in table if name not in _TABLES]
    if unknown:
        raise ConfigError("unknown key", file=path, key=unknown[0], fix="known: columns, values")
    columns, values = (_texts(path, table, name) for name in _TABLES)
    return ColumnMap(
        {_known(field, path): mapped(text, field) for field, text in columns.items()},
        {_known(field, path): text for field, text in values.items()},
    )


def _texts(path: Path, table: Mapping[str, Any], name: str) -> dict[str, str]:
    inside = table.get(name, {})
    if not isinstance(inside, dict):
        raise ConfigError("is no table", file=path, key=name, fix=f"write [{name}]")
    return {field: str(value) for field, value in inside.items()}


def _known(field: str, place: Path | str) -> str:
    """A field in lower case. Raises `ConfigError` for one that no file has."""
    name = field.lower()
    if name not in {one for column in _COLUMNS for one in column.names}:
        known = ", ".join(dict.fromkeys(column.field for column in _COLUMNS))
        raise ConfigError(f"no field {field!r}", key=str(place), fix=f"one of {known}")
    return name


def _namesakes(field: str) -> Iterable[str]:
    return {name for column in _COLUMNS if field in column.names for name in column.names}


_COLUMNS: Final[tuple[FileColumn, ...]] = (*QUOTE_FILE_COLUMNS, *TICK_FILE_COLUMNS)
