"""Secrets that stand in files of their own, as orchestrators hand them out.

`redis.url_file` stands in place of `redis.url`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.errors import ConfigError

SECRETS = (
    ("redis", "url"),
    ("redis", "password"),
    ("kafka", "sasl_password"),
    ("kafka", "ssl_key_password"),
    ("bridge", "password"),
    ("bridge", "token"),
    ("feed", "key"),
)
"""Section and key of every secret.

The name of its file is the value of the key with `_file` behind.
"""
LIMIT = 65_536
"""Bytes of the longest secret."""


def file_of(key: str) -> str:
    """The key that names the file of a secret."""
    return f"{key}_file"


def with_secrets(values: Mapping[str, Any], origin: Path | str) -> dict[str, Any]:
    """What one place says, with the content of the files that it names. Raises `ConfigError`."""
    result = dict(values)
    for section, key in SECRETS:
        inside = result.get(section)
        if isinstance(inside, Mapping) and inside.get(file_of(key)):
            if inside.get(key):
                raise ConfigError(
                    f"excludes {key}",
                    file=origin,
                    key=f"{section}.{file_of(key)}",
                    fix="leave one of them away",
                )
            result[section] = {
                **inside,
                key: _read(Path(str(inside[file_of(key)])), f"{section}.{file_of(key)}"),
            }
    return result


def _read(path: Path, key: str) -> str:
    """The one line of a file."""
    try:
        if not path.is_file():
            raise ConfigError(
                "no such file",
                file=path,
                key=key,
                fix="name a file that holds the secret and nothing else",
            )
        with path.open("rb") as file:
            text = file.read(LIMIT).decode()
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror})", file=path, key=key, fix="let our user read it"
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            "is no UTF-8 text", file=path, key=key, fix="write the secret into it, and nothing else"
        ) from None
    lines = text.splitlines()
    if len(lines) != 1 or not lines[0].strip():
        raise ConfigError(
            f"has {len(lines)} lines",
            file=path,
            key=key,
            fix="write the secret into it as its one line",
        )
    return lines[0]
