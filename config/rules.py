"""The rules file: TOML in, the numbers of all rules out, and where each of them came from.

A file is layered over the numbers that are shipped, key by key, as settings are: it says what it
changes and nothing else. An error says where, what and how to put it right.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from config.errors import ConfigError
from config.layers import Layer, merged
from streams.detection.rules.catalogue import RuleSet, rule_set

SHIPPED = Path(__file__).parent / "rules.toml"
_AT = re.compile(r" - at `\$\.?(?P<key>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `([^`]+)`")


# `cap_unknown` is named like its setting.
def load_rules(path: Path = SHIPPED, cap_unknown: bool = True) -> RuleSet:  # noqa: FBT001, FBT002
    """The shipped rules with the numbers of a TOML file in their place.

    `cap_unknown` is the setting `rules.cap_unknown`. Raises `ConfigError`, which names file, key
    and fix, when the file cannot be read, is not TOML, or has a key or number that makes no sense.
    """
    layers = (Layer("shipped", shipped_tables()), Layer(path, _own_tables(path)))
    try:
        return rule_set(merged(layers), cap_unknown=cap_unknown)
    except msgspec.ValidationError as error:
        raise _error(path, str(error)) from error


def own_numbers(path: Path) -> dict[str, str]:
    """The numbers that a rules file says itself, by key. Raises `ConfigError`."""
    return {key: str(value) for key, value in leaves(_own_tables(path))}


def shipped_tables() -> dict[str, Any]:
    """The numbers that are shipped, nested like the file."""
    tables: dict[str, Any] = msgspec.to_builtins(RuleSet().tables)
    return tables


def leaves(tables: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    """What tables say by dotted key, in order."""
    for key, value in tables.items():
        if isinstance(value, Mapping):
            yield from leaves(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def _own_tables(path: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot be read: {error}", file=path, fix="set rules.file to a readable rules file"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not TOML: {error}", file=path, fix="correct that line") from error
    if "cap_unknown" in table:
        raise ConfigError(
            "does not belong into the rules file",
            file=path,
            key="cap_unknown",
            fix="set rules.cap_unknown in the settings",
        )
    return table


def _error(path: Path, message: str) -> ConfigError:
    found = _AT.search(message)
    key = found["key"] if found else ""
    problem = _AT.sub("", message)
    if unknown := _UNKNOWN.search(problem):
        return ConfigError(
            "is not a key of the rules",
            file=path,
            key=".".join(part for part in (key, unknown[1]) if part),
            fix=f"remove it or correct its name; it is none of {_beside(key)}",
        )
    value = dict(leaves(shipped_tables())).get(key)
    known = "take its line out for the one" if value is None else f"{value} is the one"
    return ConfigError(problem, file=path, key=key, fix=f"correct the value; {known} shipped")


def _beside(key: str) -> str:
    """The keys of the table at `key`."""
    table: Any = shipped_tables()
    for part in key.split(".") if key else ():
        table = table[part]
    return ", ".join(table)
