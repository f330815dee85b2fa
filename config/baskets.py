"""Baskets: the names behind an index and their weights, one TOML file each.

```toml
name = "sample_100"
illustrative = true          # hand-set weights, not the index owner's
defensives = ["WMT", "COST", "Utilities"] # symbols and sectors; these are the default

[[constituents]]
symbol = "AAPL"
weight = 5.0                 # any positive unit; normalised where used
sector = "Information Technology"
```
"""

import difflib
import math
from pathlib import Path
from typing import Any

from config.errors import ConfigError
from config.tables import read_toml
from streams.market import Basket, Constituent
from streams.symbols import normalise

SHIPPED = Path(__file__).parent / "baskets"
_BASKET_KEYS = ("name", "illustrative", "defensives", "constituents")
_CONSTITUENT_KEYS = ("symbol", "weight", "sector")


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
    """The basket in a TOML file. Raises `ConfigError` that names file, key and fix."""
    table = read_toml(path)
    _refuse_unknown(path, "", table, _BASKET_KEYS)
    name = table.get("name", path.stem)
    illustrative = table.get("illustrative", False)
    if not isinstance(name, str):
        raise ConfigError("must be text", file=path, key="name", fix='write name = "…"')
    if not isinstance(illustrative, bool):
        raise ConfigError(
            "must be true or false",
            file=path,
            key="illustrative",
            fix="write illustrative = true for hand-set weights",
        )
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
    return Basket(
        name=name,
        constituents=constituents,
        illustrative=illustrative,
        defensives=_defensives(path, table),
    )


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
    symbol, weight, sector = row.get("symbol"), row.get("weight"), row.get("sector", "")
    if not isinstance(symbol, str) or not normalise(symbol):
        raise ConfigError(
            f"{symbol!r} is no symbol", file=path, key=f"{key}.symbol", fix='write symbol = "AAPL"'
        )
    if (
        isinstance(weight, bool)
        or not isinstance(weight, int | float)
        or not math.isfinite(weight)
        or weight <= 0
    ):
        raise ConfigError(
            f"{symbol} has weight {weight}",
            file=path,
            key=f"{key}.weight",
            fix="give a number above 0, or remove it",
        )
    if not isinstance(sector, str):
        raise ConfigError(
            "must be text",
            file=path,
            key=f"{key}.sector",
            fix='write sector = "Energy", or leave it out',
        )
    return Constituent(normalise(symbol), float(weight), sector)


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
