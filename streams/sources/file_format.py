"""What a data file is: Parquet, or text with a separator.

Its first bytes tell it, and not its name.
"""

import gzip
import zlib
from pathlib import Path
from typing import Final, Literal, NamedTuple

from streams.sources.source_error import SourceError

HEAD_BYTES: Final = 65_536
SEPARATORS: Final = (",", ";", "\t", "|")
EXPECTED: Final = "a Parquet file, or CSV (plain or .gz) with a header"
_GZIP: Final = b"\x1f\x8b"
_OTHERS: Final = {
    b"PK\x03\x04": (
        "an Excel workbook or a zip archive",
        "the sheet saved as CSV, or what is in the archive",
    ),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "the sheet saved as CSV"),
    b"ARROW1": ("an Arrow (Feather) file", "the table saved as Parquet"),
    b"\xff\xfe": ("UTF-16 text", "CSV saved as UTF-8"),
    b"\xfe\xff": ("UTF-16 text", "CSV saved as UTF-8"),
    b"\x28\xb5\x2f\xfd": ("compressed with zstd", "the file unpacked"),
    b"BZh": ("compressed with bzip2", "the file unpacked"),
    b"SQLite format 3": ("an SQLite database", "the table saved as Parquet or CSV"),
    b"<": ("HTML or XML", "CSV; was a page saved in place of the file?"),
    b"{": ("JSON", "CSV or Parquet; quotes as JSON go to the quotes topic"),
    b"[": ("JSON", "CSV or Parquet; quotes as JSON go to the quotes topic"),
}
_MARKUP: Final = (b"<", b"{", b"[")
"""Blanks may stand before it."""


class FileFormat(NamedTuple):
    """How to read a file."""

    kind: Literal["parquet", "text"]
    separator: str = ","


def file_format(path: Path) -> FileFormat:
    """The format of a file. Raises `SourceError` for one that is neither, with what to do."""
    head = _head(path)
    if head.startswith(b"PAR1"):
        return FileFormat("parquet")
    if not head.strip(b"\xef\xbb\xbf\r\n\t "):
        raise SourceError(path, "is empty", EXPECTED)
    text = head.lstrip(b"\xef\xbb\xbf\r\n\t ")
    for start, (what, instead) in _OTHERS.items():
        if head.startswith(start) or (start in _MARKUP and text.startswith(start)):
            raise SourceError(path, f"is {what}", instead)
    if b"\0" in head:
        raise SourceError(path, "is no text", EXPECTED)
    try:
        header = head.lstrip(b"\xef\xbb\xbf\r\n").splitlines()[0].decode()
    except UnicodeDecodeError:
        raise SourceError(path, "is no UTF-8 text", "CSV saved as UTF-8") from None
    return FileFormat("text", max(SEPARATORS, key=header.count))


def ends_within_a_line(path: Path) -> bool:
    """Whether the last line of a plain text file has no end, as when a file is cut off."""
    with path.open("rb") as file:
        file.seek(0, 2)
        file.seek(max(file.tell() - 1, 0))
        return file.read() not in {b"\n", b"\r", b""}


def _head(path: Path) -> bytes:
    """The first bytes, unpacked where the file is packed and says so in its name."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.startswith(_GZIP):
            return head
        if path.suffix != ".gz":
            raise SourceError(path, "is packed with gzip", "a name that ends in .gz")
        with gzip.open(path) as packed:
            return packed.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(path, f"cannot be read ({error})", EXPECTED) from None
