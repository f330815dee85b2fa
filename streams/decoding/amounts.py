"""Prices, strikes and vols that come as text: `205.0`, `$205.0`, `1,234.50`.

Empty text says that there is none.
"""

import math
import re
from collections.abc import Iterable
from typing import Final, Literal

from streams.decoding.decode_error import DecodeError

DecimalMark = Literal[".", ","]

ABSENT: Final = frozenset({"", "-", "--", "n/a", "na", "nan", "none", "null", "<na>", "#n/a"})
"""How tables write that there is no number."""

_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_CURRENCY = re.compile(
    r"([+-]?) ?(?:\$|USD ?)([^$+-].*)|([^$].*?) ?(?:\$|USD)", re.ASCII | re.IGNORECASE
)
_GROUPS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(\.\d*)?", re.ASCII)
_POINTS = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)
"""Thousands where the comma is the decimal mark; with one point a plain number where it is not."""
_COMMA_GROUPS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+,\d*", re.ASCII)
_COMMA = re.compile(r"[+-]?(?:\d+,\d*|,\d+)", re.ASCII)
_LONGEST = 40


def number(value: float | str | None, mark: DecimalMark | None = None) -> float:
    """A number, NaN where there is none.

    A comma that may be a thousands or a decimal one is refused unless `mark` tells. `mark` is that
    of a column whose other values tell it (`decimal_mark`). Raises `DecodeError` (reason `type`).

    >>> number("205.0"), number("$205.0"), number("1,234.50"), number("205,5"), number("n/a")
    (205.0, 205.0, 1234.5, 205.5, nan)
    """
    if value is None:
        return math.nan
    if isinstance(value, str):
        return _of_text(value, mark)
    if isinstance(value, bool):
        raise DecodeError("type", f"not a number: {value}")
    try:
        return float(value)
    except OverflowError:
        raise DecodeError("type", "a number beyond what a double holds") from None


def decimal_mark(texts: Iterable[str]) -> DecimalMark | None:
    """The decimal mark of a column, as far as one of its values tells it; None where none does.

    Raises `DecodeError` where values speak for both.

    >>> decimal_mark(["1,234", "1,234.50"]), decimal_mark(["1,234", "0,5"]), decimal_mark(["1,234"])
    ('.', ',', None)
    """
    example: dict[DecimalMark, str] = {}
    for given in texts:
        mark = _mark_of(_bare(given))
        if mark:
            example.setdefault(mark, given)
    if len(example) > 1:
        shown = f"{example['.'][:_LONGEST]}, {example[','][:_LONGEST]}"
        raise DecodeError("type", f"decimal points and decimal commas in one column: {shown}")
    return next(iter(example), None)


def _mark_of(text: str) -> DecimalMark | None:
    """The decimal mark of which one text leaves no doubt."""
    if "," not in text:
        if _POINTS.fullmatch(text):
            return "," if text.count(".") > 1 else None
        return "." if _PLAIN.fullmatch(text) and "." in text else None
    if _COMMA_GROUPS.fullmatch(text):
        return ","
    grouped = _GROUPS.fullmatch(text)
    if grouped is None:
        return "," if _COMMA.fullmatch(text) else None
    if text.lstrip("+-").startswith("0"):  # no thousands
        return "," if _COMMA.fullmatch(text) else None
    return "." if grouped[1] is not None or text.count(",") > 1 else None


def _of_text(value: str, mark: DecimalMark | None) -> float:
    text = _bare(value)
    if text.lower() in ABSENT:
        return math.nan
    plain = _PLAIN.fullmatch(text) and not (mark == "," and _POINTS.fullmatch(text))
    mark = None if plain else _mark_of(text) or mark
    if mark == "." and _GROUPS.fullmatch(text):
        text = text.replace(",", "")
    elif mark == "," and (
        _COMMA_GROUPS.fullmatch(text) or _COMMA.fullmatch(text) or _POINTS.fullmatch(text)
    ):
        text = text.replace(".", "").replace(",", ".")
    elif not plain:
        doubt = "; thousands or decimals?" if _GROUPS.fullmatch(text) else ""
        raise DecodeError("type", f"not a number: {value[:_LONGEST]!r}{doubt}")
    read = float(text)
    if math.isinf(read):
        raise DecodeError("type", f"a number beyond what a double holds: {value[:_LONGEST]!r}")
    return read


def _bare(given: str) -> str:
    """Without blanks and the sign of dollars."""
    text = given.strip(" \t\xa0")
    if len(text) > _LONGEST:
        raise DecodeError("type", f"not a number: {text[:_LONGEST]!r}")
    found = _CURRENCY.fullmatch(text)
    if found is None:
        return text
    return (f"{found[1]}{found[2]}" if found[2] else found[3]).strip(" ")
