"""A TOML file as a dictionary, with errors that name the file, and a dictionary as TOML."""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from config.errors import ConfigError


def read_toml(path: Path) -> dict[str, Any]:
    """The content of a TOML file. Raises `ConfigError` when it is missing or not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError("no such file", file=path, fix="check the path") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot be read ({error})", file=path, fix="make it a readable UTF-8 text file"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML ({error})", file=path, fix="correct that line") from None


def as_toml(table: Mapping[str, Any]) -> str:
    """A table as a TOML file; None is left out.

    It may hold texts, numbers, booleans, paths, lists of them, tables and lists of tables.

    >>> market = {"rate": 0.03, "indices": [{"symbol": "SPY", "tenors": (9, 30)}]}
    >>> print(as_toml({"mode": "live", "market": market}))
    mode = "live"
    <BLANKLINE>
    [market]
    rate = 0.03
    <BLANKLINE>
    [[market.indices]]
    symbol = "SPY"
    tenors = [9, 30]
    <BLANKLINE>
    """
    return "\n".join([*_lines(table, ""), ""])


def _lines(table: Mapping[str, Any], prefix: str) -> Iterator[str]:
    tables = {key: value for key, value in table.items() if _tables(value)}
    for key, value in table.items():
        if key not in tables and value is not None:
            yield f"{key} = {_value(value)}"
    for key, value in tables.items():
        name = f"{prefix}{key}"
        for one in [value] if isinstance(value, Mapping) else value:
            yield from ("", f"[{name}]" if isinstance(value, Mapping) else f"[[{name}]]")
            yield from _lines(one, f"{name}.")


def _tables(value: object) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, Sequence) and bool(value) and isinstance(value[0], Mapping)
    )


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
