"""A sheet of an xlsx file as rows of text."""

import io
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zipfile import BadZipFile

from config.errors import ConfigError

Row = list[str]


def first_sheet(path: Path, data: bytes) -> list[Row]:
    """The first sheet that has rows."""
    try:
        from openpyxl import load_workbook  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigError(
            "xlsx needs openpyxl, which is not installed",
            file=path,
            fix="pip install 'dispersion-monitor[excel]', or save it as CSV",
        ) from None
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = [list(_sheet_rows(sheet)) for sheet in book.worksheets]
    except (BadZipFile, KeyError, ValueError, OSError, EOFError, SyntaxError) as error:
        raise ConfigError(
            f"is no whole xlsx file ({error})", file=path, fix="save it again"
        ) from None
    return next((rows for rows in sheets if rows), [])


def _sheet_rows(sheet: object) -> Iterator[Row]:
    for row in sheet.iter_rows(values_only=True):  # type: ignore[attr-defined]
        yield [_cell(value) for value in row]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else str(value).strip()
