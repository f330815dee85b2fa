"""The folder of a monitor on this machine: its Redis, its history, its logs."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.process.exits import ActionNeededError
from config.errors import ConfigError


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """The folder, made if need be, for one monitor at a time.

    Raises `ConfigError` where it cannot be made, `ActionNeededError` where another one has it.
    """
    folder = folder.absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("a")
    except OSError as error:
        fix = "name a folder that can be written"
        raise ConfigError(f"{error.strerror}", file=folder, key="--data", fix=fix) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ActionNeededError(
                f"{folder} is in use by another `dispersion live`; stop that one, or name "
                "another folder with --data"
            ) from None
        yield folder
