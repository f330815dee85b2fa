"""A TOML file as a dictionary, with errors that name the file."""

import tomllib
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
        raise ConfigError(f"cannot be read ({error})", file=path, fix="make it a readable UTF-8 text file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML ({error})", file=path, fix="correct that line") from None
