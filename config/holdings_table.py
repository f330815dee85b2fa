"""A table of holdings as it was saved, CSV or xlsx, as rows of text."""

import csv
import gzip
import io
import re
from pathlib import Path

from config.errors import ConfigError
from config.holdings_sheet import Row, first_sheet

MAX_BYTES = 64 * 2**20
_ZIP, _GZIP, _OLD_EXCEL = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
_SEPARATORS = ",;\t|"
_CSV = "save it as CSV"
_COMMA = re.compile(r"-?\d+,(?:\d{1,2}|\d{4,}) ?%?")
"""A number that has a comma where no thousands end."""
_NUMBER = re.compile(r"-?[\d.]*(?:,\d+)? ?%?")


def rows_of(path: Path) -> list[Row]:
    """The rows of a file, cells without blanks around them. Raises `ConfigError`."""
    data = _content(path)
    if data.startswith(_ZIP):
        return first_sheet(path, data)
    text = _text(path, data)
    head = text.lstrip()[:1000].lower()
    if head.startswith("<?xml") and "html" not in head:
        raise ConfigError("this is an XML spreadsheet, not CSV or xlsx", file=path, fix=_CSV)
    if head.startswith("<"):
        raise ConfigError(
            "this is HTML, not holdings",
            file=path,
            fix="open the page in a browser, agree to what it asks, and save the file from there",
        )
    return _cells(path, text)


def _content(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if data.startswith(_GZIP) else data
    except FileNotFoundError:
        raise ConfigError("no such file", file=path, fix="check the path") from None
    except (OSError, EOFError) as error:
        raise ConfigError(f"cannot be read ({error})", file=path, fix="save it again") from None
    if not data.strip():
        raise ConfigError("is empty", file=path, fix="save it again")
    if len(data) > MAX_BYTES:
        raise ConfigError("is too large for a list of holdings", file=path, fix="check the path")
    if data.startswith(_OLD_EXCEL):
        raise ConfigError(
            "is an Excel file of before 2007", file=path, fix="save it as xlsx or CSV"
        )
    return data


def _text(path: Path, data: bytes) -> str:
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ConfigError("is neither text nor xlsx", file=path, fix="save it as CSV or xlsx")


def _cells(path: Path, text: str) -> list[Row]:
    separator = max(_SEPARATORS, key=text.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise ConfigError(f"is no CSV ({error})", file=path, fix="save it again") from None
    rows = [[cell.strip() for cell in row] for row in rows]
    decimal_comma = separator != "," and any(_COMMA.fullmatch(cell) for row in rows for cell in row)
    return [list(map(_with_point, row)) for row in rows] if decimal_comma else rows


def _with_point(cell: str) -> str:
    return cell.replace(".", "").replace(",", ".") if _NUMBER.fullmatch(cell) else cell
