"""The settings of a run, kept beside what it made.

So it can be explained later whatever is set then.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from agents.cli.output_files import told, write_text
from config.baskets import find_basket
from config.layers import file_values
from config.rules import load_rules
from config.settings import IndexSettings, Settings
from config.tables import as_toml

SETTINGS = "settings.toml"
RULES = "rules.toml"
_MARKET = ("rate", "allowed_lateness", "am_roots", "strict_expiries")


def keep_settings(folder: Path, settings: Settings) -> None:
    """Write `settings.toml`, and the files that it names beside it. Raises `ConfigError`."""
    market = settings.market
    table: dict[str, Any] = {
        "mode": settings.mode,
        "rules": {"cap_unknown": settings.rules.cap_unknown},
    }
    table["market"] = {name: getattr(market, name) for name in _MARKET}
    for name in ("rates_file", "dividends_file", "calendar_file"):
        if (path := getattr(market, name)) is not None:
            table["market"][name] = _kept(
                folder, path, f"{name.removesuffix('_file')}{''.join(path.suffixes)}"
            )
    table["rules"]["file"] = _rules(folder, settings.rules.file)
    table["market"]["indices"] = [_index(folder, one) for one in market.indices]
    write_text(folder / SETTINGS, as_toml(table), "--out")


def _rules(folder: Path, file: Path) -> str:
    """Write the numbers of all rules, shipped ones too: a later release may ship others."""
    numbers = msgspec.to_builtins(load_rules(file).tables)
    write_text(folder / RULES, as_toml(numbers), "--out")
    return RULES


def _index(folder: Path, index: IndexSettings) -> dict[str, Any]:
    if not index.basket:
        return index.model_dump()
    path = find_basket(index.basket)
    kept = _kept(folder, path, f"basket_{index.symbol}{''.join(path.suffixes) or '.toml'}")
    return {**index.model_dump(), "basket": kept}


def _kept(folder: Path, path: Path, name: str) -> str:
    """Copy a file; its name there."""
    target = folder / name
    with told(target, "--out"):
        if not (target.exists() and target.samefile(path)):
            shutil.copyfile(path, target)
    return name


def kept_settings(folder: Path) -> Mapping[str, Any] | None:
    """What `keep_settings` wrote, nested like the settings; None for a run of an earlier release.

    Raises `ConfigError`.
    """
    file = folder / SETTINGS
    return file_values(file) if file.is_file() else None
