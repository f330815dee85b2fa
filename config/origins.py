"""Every setting with its value and the place it came from, secrets hidden.

`config check` prints it.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from config.layers import Key, dotted, layers_of, origin
from config.redaction import HIDDEN, shown
from config.rules import own_numbers
from config.settings import Settings, load


class SettingOrigin(NamedTuple):
    """One key of the settings."""

    key: str
    value: str
    origin: str
    """A file, `environment`, `flags` or `default`."""


def setting_origins(
    file: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> tuple[SettingOrigin, ...]:
    """All settings in the order of the model. Raises `ConfigError` like `load`."""
    settings = load(file, overrides)
    layers = layers_of(Settings, file, overrides)
    return tuple(
        SettingOrigin(dotted(key), value, str(origin(layers, key) or "default"))
        for key, value in _leaves((), settings)
    )


def number_origins(rules: Path) -> tuple[SettingOrigin, ...]:
    """The numbers that a rules file says itself; all others are shipped. Raises `ConfigError`."""
    return tuple(
        SettingOrigin(f"rules: {key}", value, str(rules))
        for key, value in own_numbers(rules).items()
    )


def _leaves(key: Key, value: object) -> Iterator[tuple[Key, str]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _leaves((*key, name), getattr(value, name))
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for place, one in enumerate(value):
            yield from _leaves((*key, place), one)
    elif isinstance(value, SecretStr):
        yield key, _redacted(key, value.get_secret_value())
    else:
        yield key, "" if value is None else str(value) if isinstance(value, Path) else shown(value)


def _redacted(key: Key, secret: str) -> str:
    """A URL from its last `@` on.

    Anything else, and what was meant to be a URL and is none, is given as stars.
    """
    return shown(secret) if key[-1] == "url" and "://" in secret else HIDDEN if secret else ""
