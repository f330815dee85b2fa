"""Copies of Redis' append-only file, to be restored later: what a backup is to a person."""

import shutil
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from agents.embedded.redis_server import EmbeddedRedis

APPEND_ONLY = "append*"
"""The append-only file: a folder since Redis 7, one file before."""
TRIES, PAUSE = 20, 0.2
SET_BACK_SECONDS = 60.0


def copy(source: Path, target: Path) -> None:
    """Copy the append-only file, also while it is written.

    It is copied again where Redis changes its files meanwhile.
    """
    for _ in range(TRIES):
        try:
            _copy(source, target)
        except (shutil.Error, FileNotFoundError):
            sleep(PAUSE)
        else:
            return
    _copy(source, target)


def _copy(source: Path, target: Path) -> None:
    for place in source.glob(APPEND_ONLY):
        there = target / place.name
        if place.is_dir():
            shutil.rmtree(there, ignore_errors=True)
            shutil.copytree(place, there)
        else:
            shutil.copy(place, there)


class Copies:
    """Copies of the append-only file, one a step of the session."""

    def __init__(self, server: EmbeddedRedis, folder: Path) -> None:
        self._server, self._folder = server, folder
        self._made: list[tuple[float, Path]] = []

    def make(self) -> None:
        """One more, of this moment."""
        place = self._folder / f"copy-{len(list(self._folder.iterdir()))}"
        place.mkdir()
        copy(self._server.directory, place)
        self._made.append((monotonic(), place))

    def before(self, seconds: float) -> Path:
        """The youngest copy that is so old; else the oldest."""
        old = [place for at, place in self._made if at <= monotonic() - seconds]
        return old[-1] if old else self._made[0][1]

    def forget_newer(self, place: Path) -> None:
        """What was written after a copy has never been, once the copy is restored."""
        kept = [known for _, known in self._made].index(place) + 1
        del self._made[kept:]

    def forget(self) -> None:
        """A person has decided about the state since: an older copy must not undo it."""
        self._made.clear()
        self.make()


def set_back(
    server: EmbeddedRedis, copies: Copies, pause: Callable[[], object] = lambda: None
) -> None:
    """A restore from a copy of a minute ago, or the oldest there is.

    `pause` while nothing serves.
    """
    older = copies.before(SET_BACK_SECONDS)
    server.kill()
    try:
        pause()
        copy(older, server.directory)
    finally:
        server.start()
        copies.forget_newer(older)
