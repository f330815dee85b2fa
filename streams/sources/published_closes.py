"""A folder of daily files of published indices.

They are `vix_daily`, `vixeq_daily`, `dspx_daily`, `cor1m_daily`, each `.csv` or `.csv.gz`. They
give one closing reading a session that any of the files knows. A file may be missing: what it would
say is null, reason `no_file`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from streams.catalogue.measures import LEVELS
from streams.reading import Reading
from streams.readings.published_reading import published_reading
from streams.sources.level_file import LevelFile
from streams.sources.source_error import SourceError

ENDINGS = (".csv", ".csv.gz")


class PublishedCloses:
    """The levels of a folder, all in memory: a few numbers a session.

    Raises `SourceError` for an unfit file and when all are missing.
    """

    def __init__(self, folder: Path) -> None:
        found = {
            field: path
            for field, index in LEVELS.items()
            if (path := _find(folder, index)) is not None
        }
        if not found:
            raise SourceError(
                folder,
                "holds no daily file",
                f"some of {', '.join(map(_stem, LEVELS.values()))}, .csv or .csv.gz",
            )
        self._files = {field: LevelFile(path, LEVELS[field]) for field, path in found.items()}
        self.missing = tuple(_stem(index) for field, index in LEVELS.items() if field not in found)
        """Files that are not there."""

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Rows left out, by index and reason: `no_session`, `duplicate`, `bad_level`."""
        return Counter(
            {
                (LEVELS[field], why): number
                for field, file in self._files.items()
                for why, number in file.counts.items()
                if number
            }
        )

    def readings(self) -> Iterator[Reading]:
        """Closing readings in order of session."""
        absent = {field: "no_file" for field in LEVELS if field not in self._files}
        for session in sorted(
            {session for file in self._files.values() for session in file.closes}
        ):
            levels = {
                field: file.closes[session]
                for field, file in self._files.items()
                if session in file.closes
            }
            yield published_reading(session, levels, absent)


def _stem(index: str) -> str:
    return f"{index.lower()}_daily"


def _find(folder: Path, index: str) -> Path | None:
    """The index's file. Raises `SourceError` when there are two."""
    paths = [path for ending in ENDINGS if (path := folder / (_stem(index) + ending)).is_file()]
    if len(paths) > 1:
        raise SourceError(
            paths[1], f"stands beside {paths[0].name}", "one file an index; remove one of them"
        )
    return paths[0] if paths else None
