"""The rules file: TOML in, a frozen `RuleSet` out.

An error says where, what and how to put it right.
"""

import re
import tomllib
from pathlib import Path

import msgspec

from config.errors import ConfigError
from streams.detection.rules.ruleset import RuleSet

SHIPPED = Path(__file__).parent / "rules.toml"
_AT = re.compile(r" - at `\$\.?(?P<key>[^`]*)`$")


# `cap_unknown` is named like its setting.
def load_rules(path: Path = SHIPPED, cap_unknown: bool = True) -> RuleSet:  # noqa: FBT001, FBT002
    """The rules in a TOML file.

    `cap_unknown` is the setting `rules.cap_unknown`. Raises `ConfigError`, which names file, key
    and fix, when the file cannot be read, is not TOML, lacks a number, has one too many or has one
    that makes no sense.
    """
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
    try:
        return msgspec.convert({**table, "cap_unknown": cap_unknown}, RuleSet)
    except msgspec.ValidationError as error:
        raise _error(path, str(error)) from error


def _error(path: Path, message: str) -> ConfigError:
    found = _AT.search(message)
    key = found["key"] if found else ""
    problem = _AT.sub("", message)
    missing = re.search(r"missing required field `([^`]+)`", problem)
    unknown = re.search(r"unknown field `([^`]+)`", problem)
    if missing:
        key = ".".join(part for part in (key, missing[1]) if part)
        return ConfigError(
            "is missing", file=path, key=key, fix=f"add it; {SHIPPED} has the value that is shipped"
        )
    if unknown:
        key = ".".join(part for part in (key, unknown[1]) if part)
        return ConfigError(
            "is not a key of the rules",
            file=path,
            key=key,
            fix=f"remove it or correct its name; see {SHIPPED}",
        )
    return ConfigError(
        problem, file=path, key=key, fix=f"correct the value; {SHIPPED} has the one that is shipped"
    )
