"""The readings that a run has left in a file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from streams.reading import Reading, decode_reading
from streams.sources.file_kinds import READINGS
from streams.sources.source_error import SourceError

T = TypeVar("T")
EXPECTED: Final = "what `dispersion backtest --out` has written"


def readings_in(path: Path) -> Iterator[Reading]:
    """The readings of `readings.jsonl`, or of the folder that has it. Raises `SourceError`."""
    return lines_of(path / READINGS if path.is_dir() else path, decode_reading)


def lines_of(file: Path, decode: Callable[[bytes], T]) -> Iterator[T]:
    """The records of a file, one a line. Raises `SourceError`."""
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                yield _decoded(file, number, line, decode)
    except OSError as error:
        raise SourceError(file, f"cannot be read ({error.strerror})", EXPECTED) from None


def _decoded(file: Path, number: int, line: bytes, decode: Callable[[bytes], T]) -> T:
    try:
        return decode(line)
    except ValueError as error:
        raise SourceError(file, f"line {number}: {error}", EXPECTED) from None
