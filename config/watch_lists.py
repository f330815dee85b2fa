"""Watch lists: the symbols of a report, one TOML file each; `config/watchlists` has the shipped."""

from pathlib import Path
from typing import Final

import msgspec

from config.errors import ConfigError
from config.tables import read_toml
from streams.report.watch_list import WatchList
from streams.symbols import normalise

SHIPPED: Final = Path(__file__).parent / "watchlists"
KEY: Final = "report.watch_list"


def find_watch_list(name: str) -> Path:
    """A path that exists, or a list that is shipped. Raises `ConfigError`."""
    for path in (Path(name), SHIPPED / name, SHIPPED / f"{name}.toml"):
        if path.is_file():
            return path
    shipped = ", ".join(sorted(path.name for path in SHIPPED.glob("*.toml")))
    raise ConfigError(
        "no such watch list", file=name, key=KEY, fix=f"give a path, or a shipped one: {shipped}"
    )


def load_watch_list(path: Path) -> WatchList:
    """The list in a file, its symbols in our spelling. Raises `ConfigError` that names the key."""
    try:
        found = msgspec.convert(read_toml(path), WatchList)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{error}", file=path, key=KEY, fix="see config/watchlists/rotation.toml"
        ) from None
    wrong = [one for one in [one.symbol for one in found.watch] if not normalise(one)]
    if wrong:
        raise ConfigError(f"{wrong[0]!r} is no symbol", file=path, key=KEY, fix="write WMT")
    named = [normalise(one.symbol) for one in found.watch]
    twice = sorted({one for one in named if named.count(one) > 1})
    if twice:
        raise ConfigError(f"{twice[0]} stands twice", file=path, key=KEY, fix="name it once")
    watch = tuple(
        msgspec.structs.replace(
            one,
            symbol=normalise(one.symbol),
            instead=tuple(normalise(other) for other in one.instead),
        )
        for one in found.watch
    )
    return msgspec.structs.replace(found, watch=watch, benchmark=normalise(found.benchmark))
