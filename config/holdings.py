"""Holdings of a fund as its owner publishes them, as a basket.

The header is found by its names, whatever stands above it. Rows that are no shares of a company
are left out with their reason: cash, futures, money market funds, what has no symbol or no weight.
Weights are brought to a sum of 100, whether the file has percent or fractions.
"""

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from config.errors import ConfigError
from config.holdings_sheet import Row
from config.holdings_table import rows_of
from streams.market import Basket, Constituent
from streams.symbols import normalise

COLUMNS = {
    "symbol": (
        *("symbol", "ticker", "tickersymbol", "holdingticker", "constituentsymbol"),
        *("securityticker", "bbticker", "stockticker"),
    ),
    "weight": (
        *("weight", "weights", "weightpct", "weighting", "weightings", "percentage", "percent"),
        *("offund", "offunds", "ofnetassets", "percentoffund", "percentofnetassets", "ofassets"),
        *("portfolioweight", "indexweight", "fundweight", "holdingpercent"),
    ),
    "shares": ("sharesheld", "shares", "quantity", "numberofshares", "sharecount", "shareshares"),
    "sector": ("sector", "gicssector"),
    "name": (
        "name",
        "security",
        "securityname",
        "holding",
        "holdingname",
        "company",
        "description",
    ),
    "day": ("asof", "asofdate", "date", "weightdate", "effectivedate", "holdingsdate"),
    "kind": ("assetclass", "securitytype", "type", "assettype", "assetgroup"),
}
"""Names of columns, letters and digits alone, in small letters."""
_HEADER_ROWS = 100
_EQUITY = re.compile(r"equit|stock|common|^cs$|share|reit", re.IGNORECASE)
_CASH = re.compile(
    r"\bu\.?s\.? dollar\b|\bcash\b|money market|liquidity fund|\bmargin\b|collateral"
    r"|treasury (?:bill|sl)|csh fnd|receivable|payable",
    re.IGNORECASE,
)
_FUTURE = re.compile(r"\bfut(?:ure)?s?\b|\be-?mini\b", re.IGNORECASE)
_FUTURE_SYMBOL = re.compile(r"[A-Z]{1,3}[FGHJKMNQUVXZ]\d{1,2}")
_DAYS = ("%d-%b-%Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%m/%d/%Y", "%Y%m%d", "%Y/%m/%d")
_DAY = re.compile(
    r"\d{4}-\d{2}-\d{2}|\d{1,2}-[A-Za-z]{3}-\d{4}|[A-Z][a-z]+\.? \d{1,2}, \d{4}"
    r"|\d{1,2} [A-Z][a-z]{2} \d{4}|\d{1,2}/\d{1,2}/\d{4}|\d{8}"
)
_NOTHING = {"", "-", "--", "—", "n/a", "na", "nan", "none"}


class Holding(NamedTuple):
    """One row that is a company's stock."""

    symbol: str
    weight: float
    """As it stands in the file; NaN without one."""
    shares: float
    """NaN without a count."""
    sector: str


class Dropped(NamedTuple):
    """A row that is left out."""

    what: str
    reason: str


class Holdings(NamedTuple):
    """What a file of holdings says."""

    path: Path
    name: str
    as_of: date | None
    rows: tuple[Holding, ...]
    """One a symbol."""
    dropped: tuple[Dropped, ...]

    @property
    def total(self) -> float:
        """Sum of the weights as they stand in the file; NaN where a row has none."""
        return sum(row.weight for row in self.rows)


def read_holdings(path: Path) -> Holdings:
    """The holdings in a CSV or xlsx file. Raises `ConfigError`."""
    table = rows_of(path)
    at, columns = _header(path, table)
    kept: dict[str, Holding] = {}
    dropped: list[Dropped] = []
    for row in table[at + 1 :]:
        found = _holding(row, columns)
        if isinstance(found, Dropped):
            dropped.append(found)
        elif found is not None:
            kept[found.symbol] = _together(kept.get(found.symbol), found)
    if not kept:
        raise ConfigError(
            "holds no stock with a weight or a count of shares", file=path, fix="check the file"
        )
    above, name = table[:at], path.name.partition(".")[0]
    day = _as_of(above) or _day_of_rows(path, table[at + 1 :], columns.get("day"))
    return Holdings(path, _title(above) or name, day, tuple(kept.values()), tuple(dropped))


def basket_of(
    holdings: Holdings,
    *,
    as_of: date | None = None,
    sectors: dict[str, str] | None = None,
    top: int | None = None,
    by_weight: bool = False,
) -> Basket:
    """The basket of some holdings, heaviest first.

    It has shares where every row has them, with the weights beside, else weights alone.

    Args:
        holdings: what a file says.
        as_of: the day, where the file does not say it or says it wrongly.
        sectors: by symbol, for names without one.
        top: only so many of the heaviest.
        by_weight: weights alone, whatever the file has.
    """
    rows = sorted(holdings.rows, key=_heaviest_first)[:top]
    weighed = all(math.isfinite(row.weight) for row in rows)
    counted = all(math.isfinite(row.shares) for row in rows)
    if not weighed and (by_weight or not counted):
        lacking = next(row for row in rows if not math.isfinite(row.weight))
        raise ConfigError(
            f"{lacking.symbol} has no weight, and not every name has a count of shares",
            file=holdings.path,
            fix="complete one of the two columns",
        )
    whole = sum(row.weight for row in rows) if weighed else math.nan
    return Basket(
        name=holdings.path.name.partition(".")[0],
        constituents=tuple(
            Constituent(
                row.symbol,
                max(round(100.0 * row.weight / whole, 6), 1e-6) if weighed else 0.0,
                row.sector or (sectors or {}).get(row.symbol, ""),
                row.shares if counted and not by_weight else 0.0,
            )
            for row in rows
        ),
        as_of=as_of or holdings.as_of,
        source=f"holdings of {holdings.name}",
    )


def read_sectors(path: Path) -> dict[str, str]:
    """Sectors by symbol, from a file with columns `Symbol` and `GICS Sector`, or such.

    Raises `ConfigError`.
    """
    table = rows_of(path)
    at, columns = _header(path, table, ("symbol", "sector"))
    found = {}
    for row in table[at + 1 :]:
        symbol, sector = normalise(_at(row, columns["symbol"])), _at(row, columns["sector"])
        if symbol and sector.lower() not in _NOTHING:
            found[symbol] = sector
    return found


def _header(
    path: Path, table: Sequence[Row], needed: tuple[str, str] | None = None
) -> tuple[int, dict[str, int]]:
    """The row of the header and the places of its columns."""
    for at, row in enumerate(table[:_HEADER_ROWS]):
        columns = _columns(row)
        wanted = needed or (("symbol", "weight") if "weight" in columns else ("symbol", "shares"))
        if all(name in columns for name in wanted):
            return at, columns
    what = "a symbol and a sector" if needed else "a symbol, and a weight or a count of shares"
    first = next((row for row in table if any(row)), [])
    raise ConfigError(
        f"no row names columns with {what}; it begins with {', '.join(first)[:80]!r}",
        file=path,
        fix="write a header such as " + ("symbol,sector" if needed else "symbol,weight"),
    )


def _columns(row: Row) -> dict[str, int]:
    names = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in row]
    places = {}
    for column, spellings in COLUMNS.items():
        at = [names.index(one) for one in spellings if one in names]
        if at:
            places[column] = at[0]
    return places


def _at(row: Row, place: int | None) -> str:
    return row[place].replace("\xa0", " ").strip() if place is not None and place < len(row) else ""


def _holding(row: Row, columns: dict[str, int]) -> Holding | Dropped | None:
    """A stock, what is left out, or None for a row that is no holding: blank lines, footnotes."""
    cells = {name: _at(row, place) for name, place in columns.items()}
    weight, shares = (_number(cells.get(name, "")) for name in ("weight", "shares"))
    name = cells.get("name", "")
    if math.isnan(weight) and math.isnan(shares) and not cells.get("kind"):
        return _unweighed(cells)
    if reason := _foreign(cells):
        return Dropped(name or cells["symbol"], reason)
    symbol = normalise(cells["symbol"])
    if not symbol:
        return Dropped(name or cells["symbol"], "no symbol")
    if weight <= 0 or (math.isnan(weight) and not shares > 0):
        return Dropped(symbol, "no weight above 0")
    sector = cells.get("sector", "")
    sector = "" if sector.lower() in _NOTHING else sector
    return Holding(symbol, weight, shares if shares > 0 else math.nan, sector)


def _unweighed(cells: dict[str, str]) -> Dropped | None:
    """A footnote has no symbol, or more words than a symbol has."""
    symbol = normalise(cells["symbol"])
    others = any(cells.get(name) for name in ("weight", "shares", "name", "sector"))
    return Dropped(symbol, "no weight") if symbol and others else None


def _foreign(cells: dict[str, str]) -> str:
    """Why a row is no stock, or empty."""
    kind, name, symbol = cells.get("kind", ""), cells.get("name", ""), cells["symbol"].upper()
    if kind and not _EQUITY.search(kind):
        return kind.lower()
    if kind:
        return ""
    if symbol.lower() not in _NOTHING and _FUTURE_SYMBOL.fullmatch(symbol):
        return "future"
    if _FUTURE.search(name):
        return "future"
    if symbol in {"USD", "CASH_USD", "USD CASH", "XTSLA"} or _CASH.search(name):
        return "cash"
    return "no symbol" if symbol.lower() in _NOTHING else ""


def _together(before: Holding | None, row: Holding) -> Holding:
    """A name that stands in two rows is held in two lots."""
    if before is None:
        return row
    return row._replace(weight=before.weight + row.weight, shares=before.shares + row.shares)


def _number(text: str) -> float:
    """A number with its percent sign, thousands and brackets; NaN without one."""
    plain = text.replace("%", "").replace(",", "").replace("$", "").replace(" ", "")
    negative = plain.startswith("(") and plain.endswith(")")
    try:
        value = float(plain.strip("()"))
    except ValueError:
        return math.nan
    value = value if math.isfinite(value) else math.nan
    return -value if negative else value


def _heaviest_first(row: Holding) -> tuple[float, str]:
    size = row.weight if math.isfinite(row.weight) else row.shares
    return -size, row.symbol


def _title(above: Sequence[Row]) -> str:
    """The fund's name: beside `Fund Name`, else what stands first."""
    for row in above:
        if row and row[0].lower().rstrip(":") in {"fund name", "fund"} and len(row) > 1:
            return row[1]
    first = next((row[0] for row in above if row and row[0]), "")
    return first if 0 < len(first) <= 100 and not _DAY.search(first) else ""


def _day_of_rows(path: Path, rows: Sequence[Row], place: int | None) -> date | None:
    """The day that stands in a column, one for all rows."""
    days = {day for row in rows if (day := day_of(_at(row, place)))}
    if len(days) > 1:
        raise ConfigError(
            f"has holdings of {len(days)} days, {min(days)} to {max(days)}",
            file=path,
            fix="keep the rows of one day",
        )
    return days.pop() if days else None


def _as_of(above: Sequence[Row]) -> date | None:
    """The day of the holdings, from the lines above the header."""
    lines = (" ".join(row) for row in above)
    days = (day for line in lines if "as of" in line.lower() for day in _days(line))
    return next(days, None)


def _days(line: str) -> Iterator[date]:
    return (day for text in _DAY.findall(line) if (day := day_of(text)))


def day_of(text: str) -> date | None:
    """A day in one of the spellings of funds, months before days; None when it is none.

    >>> day_of("05-Jun-2026") == day_of("Jun 5, 2026") == day_of("2026-06-05") == date(2026, 6, 5)
    True
    """
    plain = text.strip().replace(".", "")
    try:
        return date.fromisoformat(plain)
    except ValueError:
        pass
    for form in _DAYS:
        try:
            return datetime.strptime(plain, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
