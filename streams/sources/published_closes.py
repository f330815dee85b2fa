"""A folder of daily files of published indices.

They are `vix_daily`, `vixeq_daily`, `dspx_daily`, `cor1m_daily`, each `.csv` or `.csv.gz`, or are
called as they are published: `VIX_History.csv`, `VIXCLS.csv`. They give one closing reading a
session that any of the files knows. A file may be missing: what it would say is null, reason
`no_file`.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from streams.catalogue.measures import LEVELS
from streams.reading import Reading
from streams.readings.published_reading import published_reading
from streams.sources.daily_closes import PUBLISHED_AS
from streams.sources.level_file import HISTORY, LevelFile
from streams.sources.source_error import SourceError

ENDINGS = (".csv", ".csv.gz")


class PublishedCloses:
    """The levels of a folder, all in memory: a few numbers a session.

    Raises `SourceError` for an unfit file and when all are missing.
    """

    def __init__(self, *places: Path) -> None:
        """A folder, or files named after their indices."""
        paths = files_by_index([file for place in places for file in _files(place)])
        if not paths:
            raise SourceError(
                places[0],
                "holds no daily file",
                f"some of {', '.join(map(_stem, LEVELS.values()))}, .csv or .csv.gz, "
                "or VIX_History.csv and its like",
            )
        found = {field: paths[index] for field, index in LEVELS.items() if index in paths}
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
        prior: Reading | None = None
        absent = {field: "no_file" for field in LEVELS if field not in self._files}
        for session in sorted(
            {session for file in self._files.values() for session in file.closes}
        ):
            levels = {
                field: file.closes[session]
                for field, file in self._files.items()
                if session in file.closes
            }
            reading = published_reading(session, levels, absent, prior)
            prior = prior if reading.vol_spread is None else reading
            yield reading


def _stem(index: str) -> str:
    return f"{index.lower()}_daily"


def _files(place: Path) -> list[Path]:
    return sorted(place.iterdir()) if place.is_dir() else [place]


def index_of(path: Path) -> str | None:
    """The published index that a file is named after; None for another file.

    >>> [index_of(Path(name)) for name in ("vix_daily.csv.gz", "DSPX_History.csv", "VIXCLS.csv")]
    ['VIX', 'DSPX', 'VIX']
    >>> index_of(Path("vix_notes.csv")) is index_of(Path("vix_daily.parquet")) is None
    True
    """
    name = path.name.lower()
    ending = next((one for one in sorted(ENDINGS, key=len) if name.endswith(one)), None)
    if ending is None:
        return None
    stem = name.removesuffix(ending)
    published = {known.lower(): index for known, index in PUBLISHED_AS.items()}
    names = {form: index for index in LEVELS.values() for form in _forms(index)}
    return (names | published).get(stem)


def _forms(index: str) -> tuple[str, str]:
    return _stem(index), f"{index.lower()}{HISTORY}"


def files_by_index(files: Sequence[Path]) -> dict[str, Path]:
    """Files named after an index, by it. Raises `SourceError` when there are two of one."""
    found: dict[str, Path] = {}
    for path in files:
        index = index_of(path)
        if index is None or not path.is_file():
            continue
        if index in found:
            raise SourceError(
                path, f"stands beside {found[index].name}", "one file an index; remove one of them"
            )
        found[index] = path
    return found
