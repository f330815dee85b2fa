"""`dispersion init`: a settings file and a basket, from four answers."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from agents.cli.shared import Shared, print_line, shared_of

SAMPLE: Final = "sample_100"
"""The shipped basket."""
TOPIC: Final = "topic"
FILES: Final = "files"
CBOE: Final = "cboe"
HEAD: Final = """\
# Settings of the dispersion monitor. They are found in this folder without --config.
# Every key with its meaning and default: config/defaults.toml. What holds: dispersion config check
"""
SERVERS: Final = """
# Kafka and Redis of your own, where they are not on this machine:
# [kafka]
# bootstrap_servers = "127.0.0.1:9092"
# [redis]
# url = "redis://127.0.0.1:6379/0"
"""
TERMS: Final = """
# The publisher of the delayed quotes asks for an approval and a licence for any use of its data.
# You answer for that: set this to true when you may.
[feed.cboe]
accept_terms = false
"""


def init(
    context: typer.Context,
    index: Annotated[
        str | None, typer.Option(metavar="SYMBOL", help="Which index? SPY unless said.")
    ] = None,
    basket: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Its names and weights? A basket file, or sample for the shipped one.",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="SOURCE",
            help="Where do quotes come from? files, topic (your producer), or a feed: cboe, …",
        ),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(
            metavar="R|FILE",
            help="The risk-free rate? A number such as 0.0364, or a file of rates.",
        ),
    ] = None,
    folder: Annotated[
        Path, typer.Option("--dir", metavar="DIR", help="Where; this folder unless said.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
) -> None:
    """Ask four questions and write dispersion.toml and a basket.

    What an option says is not asked; without a terminal nothing is, and defaults stand.
    """
    from agents.cli.output_files import write_text
    from config.layers import FOUND
    from config.market import market_of
    from config.settings import changed, load

    shared = shared_of(context)
    target = folder / FOUND
    _refuse_existing(target, force=force)
    ask = _asked if sys.stdin.isatty() else _default
    symbol = _symbol(ask("Which index?", "SPY", index))
    names = ask("Its names and weights: a file, or sample?", "sample", basket)
    source = ask("Where do quotes come from: files, topic, or a feed (cboe)?", FILES, source)
    kept = folder / f"basket_{symbol}.toml"
    text = _basket_text(names)
    rates = _rate(ask("Risk-free rate: a number, or a file of rates?", "0.0364", rate), folder)
    _refuse_existing(kept, force=force)
    table = _settings(symbol, kept.name, source, rates)
    changed(load(Path(os.devnull)), {"market": table["market"]})
    write_text(kept, text, "--dir")
    write_text(target, _text(table), "--dir")
    market = market_of(load(target))
    _tell(shared, target, kept, len(market.indices[0].basket.constituents))


Ask = Callable[[str, str, str | None], str]


def _asked(question: str, default: str, given: str | None) -> str:
    return given or typer.prompt(question, default=default, err=True)


def _default(_question: str, default: str, given: str | None) -> str:
    return given or default


def _refuse_existing(path: Path, *, force: bool) -> None:
    from config.errors import ConfigError

    if path.exists() and not force:
        raise ConfigError("is there already", file=path, fix="give --force, or another --dir")


def _symbol(text: str) -> str:
    from config.errors import ConfigError
    from streams.symbols import normalise

    symbol = normalise(text)
    if not symbol:
        raise ConfigError(f"{text!r} is no symbol", key="--index", fix="write SPY")
    return symbol


def _basket_text(name: str) -> str:
    """The basket as TOML; a file of TOML as it stands. Raises `ConfigError`."""
    from config.baskets import basket_toml, find_basket, load_basket

    path = find_basket(SAMPLE if name == "sample" else str(Path(name).expanduser()))
    found = load_basket(path)
    if path.suffix == ".toml":
        return path.read_text(encoding="utf-8-sig")
    return basket_toml(found)


def _rate(text: str, folder: Path) -> dict[str, Any]:
    """A constant, or the path of a file as the settings file is to write it."""
    from config.errors import ConfigError
    from config.rates import load_rates

    try:
        return {"rate": float(text)}
    except ValueError:
        path = Path(text).expanduser()
    if not path.is_file():
        fix = "write a number such as 0.0364, or name a file of rates"
        raise ConfigError(f"{text!r} is neither a rate nor a file", key="--rate", fix=fix)
    load_rates(path)
    inside = path.resolve().is_relative_to(folder.resolve())
    return {
        "rates_file": path.resolve().relative_to(folder.resolve()) if inside else path.resolve()
    }


def _settings(symbol: str, basket: str, source: str, rates: dict[str, Any]) -> dict[str, Any]:
    """Raises `ConfigError` where no feed of that name is installed."""
    from agents.feeds.registry import find_feed
    from config.settings import load

    table: dict[str, Any] = {"mode": "live"}
    if source not in {FILES, TOPIC}:
        name, feed = find_feed(load(Path(os.devnull)), source)
        table = {"mode": feed.mode, "feed": {"name": name}}
    table["market"] = {**rates, "indices": [{"symbol": symbol, "basket": basket}]}
    return table


def _text(table: dict[str, Any]) -> str:
    """The settings file."""
    from config.tables import as_toml

    terms = TERMS if table.get("feed") == {"name": CBOE} else ""
    return HEAD + as_toml(table) + terms + SERVERS


def _tell(shared: Shared, target: Path, basket: Path, names: int) -> None:
    import msgspec

    if shared.json:
        told = {"settings": str(target), "basket": str(basket), "names": names}
        print_line(msgspec.json.encode(told))
        return
    say = shared.stdout.print
    say(f"wrote {target} and {basket} with {names} names", markup=False, soft_wrap=True)
    say("next: dispersion config check; dispersion files check FILE", soft_wrap=True)
