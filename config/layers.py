"""The layers of the settings, kept apart: file, environment, flags.

So an error, and `config check`, can name the one a value came from.
"""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsError

from config.errors import ConfigError
from config.redaction import remember, shown
from config.secret_files import SECRETS, file_of, with_secrets
from config.tables import read_toml

PREFIX = "DISPERSION_"
FOUND = "dispersion.toml"
"""The settings file that is found in the working directory."""
_FILE_PATHS = (
    ("market", "rates_file"),
    ("market", "dividends_file"),
    ("market", "calendar_file"),
    ("report", "calendar_file"),
    ("rules", "file"),
    ("kafka", "ssl_cafile"),
    ("kafka", "ssl_certfile"),
    ("kafka", "ssl_keyfile"),
    ("bridge", "cafile"),
    *((section, file_of(key)) for section, key in SECRETS),
)
"""Input files: in a settings file they are relative to it."""
_ADDRESSES = (
    ("redis", "url"),
    ("kafka", "bootstrap_servers"),
    ("bridge", "alertmanager_url"),
    ("bridge", "generator_url"),
)
"""Keys in whose values somebody may have written credentials."""
_FLAGS = {
    ("market", "rate"): "--rate",
    ("market", "rates_file"): "--rates",
    ("market", "indices"): "--index or --basket",
    ("bridge", "alertmanager_url"): "--alertmanager",
    ("ingest", "topic"): "--topic",
    ("feed", "record_dir"): "--record",
}
"""Options that stand for a setting."""
_FIXES = {
    ("kafka", "bootstrap_servers"): "write host:port, several with commas between",
    (
        "bridge",
        "alertmanager_url",
    ): "write http://host:9093; user and password are bridge.username and bridge.password",
    (
        "redis",
        "url",
    ): "for example redis://127.0.0.1:6379/0; percent-encode a password with / ? # or @ in it",
}

Key = tuple[str | int, ...]


class Layer(NamedTuple):
    """What one place says, nested like the settings."""

    origin: Path | str
    """The file, `environment` or `flags`."""
    values: Mapping[str, Any]


def layers_of(
    model: type[BaseSettings], file: Path | None, overrides: Mapping[str, Any] | None
) -> tuple[Layer, ...]:
    """File, environment and flags in rising order of weight, secrets read from their files.

    Raises `ConfigError`.
    """
    chosen = settings_file(file)
    layers = (
        *([Layer(chosen, file_values(chosen))] if chosen else []),
        Layer("environment", _from_environment(model)),
        Layer("flags", dict(overrides or {})),
    )
    for layer in layers:
        _remember(layer.values)
    complete = tuple(
        layer._replace(values=with_secrets(layer.values, layer.origin)) for layer in layers
    )
    for layer in complete:
        _remember(layer.values)
    return complete


def settings_file(given: Path | None) -> Path | None:
    """The file of the settings: as it is given, as the environment names it, or in this folder.

    An empty variable says that there is none.
    """
    named = os.environ.get(f"{PREFIX}CONFIG")
    if given is not None or named is not None:
        return given or (Path(named) if named else None)
    found = Path(FOUND)
    return found if found.is_file() else None


def _remember(values: Mapping[str, Any]) -> None:
    """What no text may show from now on, before anything can complain about it."""
    for section, key in {*SECRETS, *_ADDRESSES}:
        inside = values.get(section)
        if isinstance(inside, Mapping) and inside.get(key) is not None:
            remember(inside[key], address=(section, key) in _ADDRESSES)


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
        raise ConfigError(problem, file=_written(place, key), key=dotted(key), fix=fix) from None


def _written(place: Path | str | None, key: Key) -> Path | str | None:
    """A place as a person knows it: the file, the variable or the option."""
    if place == "environment":
        return variable(key)
    return (
        _FLAGS.get((str(key[0]), str(key[1])), place)
        if place == "flags" and len(key) > 1
        else place
    )


def _explain(model: type[BaseModel], key: Key, error: Mapping[str, Any]) -> tuple[str, str]:
    section = _section(model, key[:-1])
    if error["type"] == "extra_forbidden":
        known = list(section.model_fields) if section else []
        close = difflib.get_close_matches(str(key[-1]), known, 1)
        return (
            "unknown key",
            f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}",
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "string_pattern_mismatch" and (key[0], key[-1]) in _ADDRESSES:
        message = "is not of the form that is wanted"
    field = section.model_fields.get(str(key[-1])) if section else None
    secret = field is not None and field.annotation is SecretStr
    value = (
        ""
        if secret or isinstance(error["input"], Mapping | list | tuple)
        else f"{_quoted(error['input'])}: "
    )
    return f"{value}{message[:1].lower()}{message[1:]}", _fix(key, error["input"])


def _quoted(value: object) -> str:
    return repr(shown(value)) if isinstance(value, str) else str(value)


def _fix(key: Key, value: object) -> str:
    if key == ("market", "rate") and (fraction := _from_percent(value)) is not None:
        return f"{value} % is {fraction:g}"
    return _FIXES.get(
        (str(key[0]), str(key[-1])), "see config/defaults.toml for its meaning and default"
    )


def _from_percent(value: object) -> float | None:
    """The rate that a person meant who wrote percent."""
    try:
        percent = float(str(value))
    except ValueError:
        return None
    return round(percent / 100, 12) if 0.5 < abs(percent) <= 50 else None


def _section(model: type[BaseModel], key: Key) -> type[BaseModel] | None:
    """The model that holds the last part of a key."""
    place: Any = model
    for part in key:
        if isinstance(part, int):
            continue
        field = place.model_fields.get(part)
        inner = [field.annotation, *get_args(field.annotation)] if field else []
        place = next(
            (one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)), None
        )
        if place is None:
            return None
    return place  # type: ignore[no-any-return] # walked from a model type


def variable(key: Key) -> str:
    """The environment variable of a setting."""
    return PREFIX + "__".join(str(part).upper() for part in key if not isinstance(part, int))


def file_values(path: Path) -> dict[str, Any]:
    """What a settings file says, paths of input files relative to it made whole.

    Raises `ConfigError`.
    """
    table = read_toml(path)
    for section, key in _FILE_PATHS:
        inside = table.get(section)
        if isinstance(inside, dict) and isinstance(inside.get(key), str):
            inside[key] = str(path.parent / inside[key])
    report = table.get("report")
    if isinstance(report, dict) and isinstance(report.get("prices"), list):
        report["prices"] = [
            str(path.parent / one) if isinstance(one, str) else one for one in report["prices"]
        ]
    market = table.get("market")
    indices = market.get("indices") if isinstance(market, dict) else None
    for one in indices if isinstance(indices, list) else ():
        if (
            isinstance(one, dict)
            and isinstance(one.get("basket"), str)
            and (path.parent / one["basket"]).is_file()
        ):
            one["basket"] = str(path.parent / one["basket"])
    return table


def _from_environment(model: type[BaseSettings]) -> dict[str, Any]:
    for name in os.environ:
        section = name.removeprefix(PREFIX).split("__")[0].lower()
        if name.startswith(PREFIX) and "__" in name and section not in model.model_fields:
            close = difflib.get_close_matches(section, model.model_fields, 1) or [
                "one of " + ", ".join(model.model_fields)
            ]
            raise ConfigError("unknown section", file=name, fix=f"did you mean {close[0]}?")
    try:
        return EnvSettingsSource(model)()
    except SettingsError as error:
        raise ConfigError(
            "not valid JSON", file=f"environment ({error})", fix="write lists and tables as JSON"
        ) from None


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        inside = result.get(key)
        result[key] = (
            _merge(inside, value)
            if isinstance(inside, Mapping) and isinstance(value, Mapping)
            else value
        )
    return result
