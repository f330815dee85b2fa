"""The layers of the settings, kept apart: file, environment, flags. So an error, and `config check`, can name the one a value came from."""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from config.errors import ConfigError
from config.tables import read_toml

PREFIX = "DISPERSION_"
_FILE_PATHS = (
    ("market", "rates_file"),
    ("market", "dividends_file"),
    ("rules", "file"),
    ("kafka", "ssl_cafile"),
    ("kafka", "ssl_certfile"),
    ("kafka", "ssl_keyfile"),
    ("bridge", "cafile"),
)
"""Input files: in a settings file they are relative to it."""

Key = tuple[str | int, ...]


class Layer(NamedTuple):
    """What one place says, nested like the settings."""

    origin: Path | str
    """The file, `environment` or `flags`."""
    values: Mapping[str, Any]


def layers_of(model: type[BaseSettings], file: Path | None, overrides: Mapping[str, Any] | None) -> tuple[Layer, ...]:
    """File, environment and flags in rising order of weight. Raises `ConfigError`."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    chosen = file or (Path(named) if named else None)
    return (
        *([Layer(chosen, _from_file(chosen))] if chosen else []),
        Layer("environment", _from_environment(model)),
        Layer("flags", dict(overrides or {})),
    )


def merged(layers: Sequence[Layer]) -> dict[str, Any]:
    """One table: later layers win, tables merge, lists are replaced."""
    result: dict[str, Any] = {}
    for layer in layers:
        result = _merge(result, layer.values)
    return result


def origin(layers: Sequence[Layer], key: Key) -> Path | str | None:
    """The layer with the greatest weight that says something at this key; None: the default."""
    return next((layer.origin for layer in reversed(layers) if _says(layer.values, key)), None)


def _says(place: object, key: Key) -> bool:
    for part in key:
        if isinstance(place, list | tuple):
            place = dict(enumerate(place))
        if not isinstance(place, Mapping) or part not in place:
            return False
        place = place[part]
    return True


def dotted(key: Key) -> str:
    """`market.indices[0].symbol`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key).lstrip(".")


@contextmanager
def complaints(model: type[BaseSettings], layers: Sequence[Layer]) -> Iterator[None]:
    """Turns the model's first complaint into a `ConfigError` with origin, key and fix."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = tuple(first["loc"])
        place = origin(layers, key) or origin(layers, key[:-1])
        problem, fix = _explain(model, key, first)
        raise ConfigError(problem, file=_variable(key) if place == "environment" else place, key=dotted(key), fix=fix) from None


def _explain(model: type[BaseModel], key: Key, error: Mapping[str, Any]) -> tuple[str, str]:
    section = _section(model, key[:-1])
    if error["type"] == "extra_forbidden":
        known = list(section.model_fields) if section else []
        close = difflib.get_close_matches(str(key[-1]), known, 1)
        return "unknown key", f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
    message = str(error["msg"]).removeprefix("Value error, ")
    field = section.model_fields.get(str(key[-1])) if section else None
    secret = field is not None and field.annotation is SecretStr
    value = "" if secret or isinstance(error["input"], Mapping | list | tuple) else f"{error['input']!r}: "
    return f"{value}{message[:1].lower()}{message[1:]}", "see config/defaults.toml for its meaning and default"


def _section(model: type[BaseModel], key: Key) -> type[BaseModel] | None:
    """The model that holds the last part of a key."""
    place: Any = model
    for part in key:
        if isinstance(part, int):
            continue
        field = place.model_fields.get(part)
        inner = [field.annotation, *get_args(field.annotation)] if field else []
        place = next((one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), None)
        if place is None:
            return None
    return place  # type: ignore[no-any-return] # walked from a model type


def _variable(key: Key) -> str:
    return PREFIX + "__".join(str(part).upper() for part in key if not isinstance(part, int))


def _from_file(path: Path) -> dict[str, Any]:
    table = read_toml(path)
    for section, key in _FILE_PATHS:
        inside = table.get(section)
        if isinstance(inside, dict) and isinstance(inside.get(key), str):
            inside[key] = str(path.parent / inside[key])
    market = table.get("market")
    indices = market.get("indices") if isinstance(market, dict) else None
    for one in indices if isinstance(indices, list) else ():
        if isinstance(one, dict) and isinstance(one.get("basket"), str) and (path.parent / one["basket"]).is_file():
            one["basket"] = str(path.parent / one["basket"])
    return table


def _from_environment(model: type[BaseSettings]) -> dict[str, Any]:
    for name in os.environ:
        section = name.removeprefix(PREFIX).split("__")[0].lower()
        if name.startswith(PREFIX) and "__" in name and section not in model.model_fields:
            close = difflib.get_close_matches(section, model.model_fields, 1) or ["one of " + ", ".join(model.model_fields)]
            raise ConfigError("unknown section", file=name, fix=f"did you mean {close[0]}?")
    try:
        return EnvSettingsSource(model)()
    except SettingsError as error:
        raise ConfigError("not valid JSON", file=f"environment ({error})", fix="write lists and tables as JSON") from None


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        inside = result.get(key)
        result[key] = _merge(inside, value) if isinstance(inside, Mapping) and isinstance(value, Mapping) else value
    return result
