"""Files that a command makes where an option says.

What keeps one from being made is told with its path and the option.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from config.errors import ConfigError


@contextmanager
def told(path: Path, option: str) -> Iterator[None]:
    """Turns an `OSError` into `ConfigError` with path and option."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            f"cannot be written ({reason})", file=path, key=option, fix="name another place"
        ) from None


def folder_for(path: Path, option: str) -> None:
    """Make a folder and those above it. Raises `ConfigError`."""
    with told(path, option):
        path.mkdir(parents=True, exist_ok=True)


class OutputFile:
    """A file made anew, for bytes. Every method raises `ConfigError`."""

    def __init__(self, path: Path, option: str) -> None:
        self._path = path
        self._option = option
        with told(path, option):
            self._file = path.open("wb")

    def write(self, data: bytes) -> None:
        """Append."""
        with told(self._path, self._option):
            self._file.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with told(self._path, self._option):
            self._file.close()


def write_text(path: Path, text: str, option: str) -> None:
    """A whole file, with the folders above it. Raises `ConfigError`."""
    folder_for(path.parent, option)
    with told(path, option):
        path.write_text(text, encoding="utf-8")


def refuse_unwritable(path: Path, option: str) -> None:
    """Raise `ConfigError` before long work whose result could not be written."""
    folder_for(path.parent, option)
    if path.is_dir():
        raise ConfigError("is a folder", file=path, key=option, fix="name a file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(
            "cannot be written (permission denied)", file=path, key=option, fix="name another place"
        )
