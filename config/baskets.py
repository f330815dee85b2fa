"""Baskets: the names behind an index and their weights or shares, one TOML file each.

```toml
name = "sample_100"
as_of = 2026-06-30           # day of the weights or shares
source = "cover pages of quarterly reports"
illustrative = true          # hand-set weights, not the index owner's
partial = true               # a few names against the index: no implied correlation
defensives = ["WMT", "COST", "Utilities"] # symbols and sectors; these are the default

[[constituents]]
symbol = "AAPL"
shares = 14.7e9              # of all names, or of none: weights then move with prices
weight = 5.0                 # any positive unit; beside shares what counts until there is a price
sector = "Information Technology"
```
"""

import difflib
import math
from datetime import date, datetime
from pathlib import Path
from typing import Any

from config.errors import ConfigError
from config.holdings import basket_of, read_holdings
from config.tables import as_toml, read_toml
from streams.market import Basket, Constituent
from streams.symbols import normalise

SHIPPED = Path(__file__).parent / "baskets"
_BASKET_KEYS = (
    "name",
    "as_of",
    "source",
    "illustrative",
    "partial",
    "defensives",
    "constituents",
)
_CONSTITUENT_KEYS = ("symbol", "weight", "shares", "sector")


def find_basket(name: str) -> Path:
    """The file of a basket: a path that exists, or one shipped in `config/baskets`.

    Raises `ConfigError`.
    """
    given = Path(name)
    candidates = (
        [given] if given.is_absolute() else [given, SHIPPED / given, SHIPPED / f"{given}.toml"]
    )
    for path in candidates:
        if path.is_file():
            return path
    shipped = ", ".join(sorted(path.name for path in SHIPPED.glob("*.toml")))
    raise ConfigError(
        "no such basket file",
        file=name,
        key="market.indices.basket",
        fix=f"give a path, or one that is shipped: {shipped}",
    )


def load_basket(path: Path) -> Basket:
    """The basket in a TOML file, or in a file of holdings (CSV, xlsx).

    Raises `ConfigError` that names file, key and fix.
    """
    if path.suffix.lower() != ".toml" and looks_like_holdings(path):
        return basket_of(read_holdings(path))
    table = read_toml(path)
    _refuse_unknown(path, "", table, _BASKET_KEYS)
    rest: dict[str, Any] = {
        "name": _text(path, table, "name", path.stem),
        "illustrative": _truth(path, table, "illustrative", "for hand-set weights"),
        "defensives": _defensives(path, table),
        "as_of": _day(path, table),
        "source": _text(path, table, "source", ""),
        "partial": _truth(path, table, "partial", "for a few names against the index"),
    }
    rows = table.get("constituents", [])
    if not isinstance(rows, list) or not rows:
        raise ConfigError(
            "no constituents",
            file=path,
            key="constituents",
            fix="add a [[constituents]] table for each name",
        )
    constituents = tuple(_constituent(path, place, row) for place, row in enumerate(rows))
    _refuse_duplicates(path, constituents)
    _refuse_mixed(path, constituents)
    return Basket(constituents=constituents, **rest)


def looks_like_holdings(path: Path) -> bool:
    """Whether the name of a file says that it is no TOML."""
    names = path.name.lower().removesuffix(".gz")
    return names.endswith((".csv", ".xlsx", ".tsv", ".txt", ".xls"))


def basket_toml(basket: Basket) -> str:
    """A basket as a TOML file that loads as the same basket."""
    head: dict[str, Any] = {
        "name": basket.name,
        "as_of": basket.as_of.isoformat() if basket.as_of else None,
        "source": basket.source or None,
        "illustrative": basket.illustrative or None,
        "partial": basket.partial or None,
        "defensives": None if basket.defensives == Basket().defensives else basket.defensives,
    }
    rows = [
        {
            "symbol": one.symbol,
            "shares": one.shares or None,
            "weight": one.weight or None,
            "sector": one.sector or None,
        }
        for one in basket.constituents
    ]
    return as_toml({**head, "constituents": rows})


def _text(path: Path, table: dict[str, Any], key: str, default: str) -> str:
    text = table.get(key, default)
    if not isinstance(text, str):
        raise ConfigError("must be text", file=path, key=key, fix=f'write {key} = "…"')
    return text


def _truth(path: Path, table: dict[str, Any], key: str, use: str) -> bool:
    chosen = table.get(key, False)
    if not isinstance(chosen, bool):
        fix = f"write {key} = true {use}"
        raise ConfigError("must be true or false", file=path, key=key, fix=fix)
    return chosen


def _day(path: Path, table: dict[str, Any]) -> date | None:
    day = table.get("as_of")
    try:
        day = date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError:
        day = str(day)
    if isinstance(day, datetime) or not isinstance(day, date | None):
        fix = "write as_of = 2026-06-30, the day of the weights"
        raise ConfigError(f"{table['as_of']} is no date", file=path, key="as_of", fix=fix)
    return day


def _defensives(path: Path, table: dict[str, Any]) -> tuple[str, ...]:
    names = table.get("defensives", list(Basket().defensives))
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ConfigError(
            "must be a list of texts",
            file=path,
            key="defensives",
            fix='write defensives = ["WMT", "Utilities"]',
        )
    return tuple(names)


# The row is whatever TOML held.
def _constituent(path: Path, place: int, row: Any) -> Constituent:  # noqa: ANN401
    key = f"constituents[{place}]"
    if not isinstance(row, dict):
        raise ConfigError("must be a table", file=path, key=key, fix="write [[constituents]]")
    _refuse_unknown(path, f"{key}.", row, _CONSTITUENT_KEYS)
    symbol, sector = row.get("symbol"), row.get("sector", "")
    if not isinstance(symbol, str) or not normalise(symbol):
        raise ConfigError(
            f"{symbol!r} is no symbol", file=path, key=f"{key}.symbol", fix='write symbol = "AAPL"'
        )
    shares = _amount(path, key, row, "shares") if "shares" in row else 0.0
    weight = 0.0 if shares and "weight" not in row else _amount(path, key, row, "weight")
    if not isinstance(sector, str):
        raise ConfigError(
            "must be text",
            file=path,
            key=f"{key}.sector",
            fix='write sector = "Energy", or leave it out',
        )
    return Constituent(normalise(symbol), weight, sector, shares)


def _amount(path: Path, place: str, row: dict[str, Any], key: str) -> float:
    amount = row.get(key)
    if (
        isinstance(amount, bool)
        or not isinstance(amount, int | float)
        or not math.isfinite(amount)
        or amount <= 0
    ):
        raise ConfigError(
            f"{row['symbol']} has {key} {amount}",
            file=path,
            key=f"{place}.{key}",
            fix="give weight or shares, a number above 0, or remove the name",
        )
    return float(amount)


def _refuse_mixed(path: Path, constituents: tuple[Constituent, ...]) -> None:
    without = [place for place, one in enumerate(constituents) if not one.shares]
    if without and len(without) < len(constituents):
        raise ConfigError(
            f"{constituents[without[0]].symbol} has a weight alone, other names have shares",
            file=path,
            key=f"constituents[{without[0]}].shares",
            fix="give shares of all names, or weights of all",
        )


def _refuse_duplicates(path: Path, constituents: tuple[Constituent, ...]) -> None:
    places: dict[str, int] = {}
    for place, one in enumerate(constituents):
        if one.symbol in places:
            raise ConfigError(
                f"{one.symbol} is already constituents[{places[one.symbol]}]",
                file=path,
                key=f"constituents[{place}].symbol",
                fix="keep one of the two",
            )
        places[one.symbol] = place


def _refuse_unknown(path: Path, prefix: str, table: dict[str, Any], known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key, known, 1)
            fix = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"
            raise ConfigError("unknown key", file=path, key=f"{prefix}{key}", fix=fix)
