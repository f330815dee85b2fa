"""Dividends from a CSV file: columns `symbol`, `ex_date` (ISO) and `amount` (USD a share).

Other columns are ignored.
"""

import csv
import math
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from config.errors import ConfigError
from streams.market import Dividend
from streams.sources.columns import FileColumn, all_missing
from streams.symbols import normalise

_EPOCH = date(1970, 1, 1).toordinal()
DIVIDEND_COLUMNS: Final = (
    FileColumn("symbol", "text", "the stock"),
    FileColumn("ex_date", "text", "ISO date"),
    FileColumn("amount", "number", "USD a share"),
)
_COLUMNS: Final = tuple(one.field for one in DIVIDEND_COLUMNS)


def load_dividends(path: Path) -> tuple[Dividend, ...]:
    """The dividends in a file, in its order. Raises `ConfigError` that names file, line and fix."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            return tuple(_parse(path, lines))
    except FileNotFoundError:
        raise ConfigError(
            "no such file",
            file=path,
            key="market.dividends_file",
            fix="check the path, or leave the key out",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"cannot be read ({error})", file=path, fix="give a UTF-8 CSV file"
        ) from None


def _parse(path: Path, lines: Iterable[str]) -> list[Dividend]:
    reader = csv.DictReader(lines)
    found = list(reader.fieldnames or ())
    missing = [one for one in _COLUMNS if one not in found]
    if missing:
        fix = f"expected: {','.join(_COLUMNS)}"
        raise ConfigError(all_missing(missing, found), file=path, key=", ".join(missing), fix=fix)
    return [_dividend(path, f"line {reader.line_num}", row) for row in reader]


def _dividend(path: Path, place: str, row: Mapping[str, str | None]) -> Dividend:
    symbol, ex_date, amount = (row[name] or "" for name in _COLUMNS)
    if not normalise(symbol):
        raise ConfigError(
            f"{symbol!r} is no symbol", file=path, key=f"{place}.symbol", fix="write AAPL"
        )
    try:
        day = date.fromisoformat(ex_date).toordinal() - _EPOCH
    except ValueError:
        raise ConfigError(
            f"{ex_date!r} is no date",
            file=path,
            key=f"{place}.ex_date",
            fix="write an ISO date: 2026-08-07",
        ) from None
    try:
        paid = float(amount)
    except ValueError:
        paid = math.nan
    if not 0 <= paid < math.inf:
        raise ConfigError(
            f"{amount!r} is no amount",
            file=path,
            key=f"{place}.amount",
            fix="write dollars a share: 0.26",
        )
    return Dividend(normalise(symbol), day, paid)
