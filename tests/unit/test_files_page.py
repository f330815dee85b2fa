"""The page of files: each table is what its adapter takes, and each example is read by it."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from config.baskets import load_basket
from config.dividends import load_dividends
from config.errors import ConfigError
from config.rates import load_rates
from config.watch_lists import load_watch_list
from streams.sources.labels import read_labels
from streams.sources.layouts import LAYOUTS
from streams.sources.level_file import LevelFile
from streams.sources.registry import (
    QUOTE_FILE_COLUMNS,
    TICK_FILE_COLUMNS,
    open_quotes,
    open_ticks,
)
from streams.sources.source import Source, SourceUniverse
from streams.sources.source_error import SourceError
from tests.support.page_blocks import ROOT

PAGE = (ROOT / "docs/use/files.md").read_text(encoding="utf-8")
NAMES = frozenset({"SPY", "AAPL", "MSFT", "VIX"})
WANTED = SourceUniverse(NAMES, NAMES)


class Section(NamedTuple):
    """A kind of file: columns by need, and the lines of the example."""

    columns: Mapping[str, tuple[str, ...]]
    """By what stands in `needed`: the first spelling of each column."""
    spellings: Mapping[str, tuple[str, ...]]
    """All spellings of a column by its first."""
    example: str


def section(heading: str) -> Section:
    text = re.split(rf"^###? {heading}$", PAGE, flags=re.MULTILINE)[1]
    text = re.split(r"^##", text, flags=re.MULTILINE)[0]
    columns: dict[str, tuple[str, ...]] = {}
    spellings = {}
    for names, needed in re.findall(r"^\| (.*?) \| (yes|no|instead of .*?) \|", text, re.MULTILINE):
        found = tuple(re.findall(r"`(\w+)`", names))
        columns[needed] = (*columns.get(needed, ()), found[0])
        spellings[found[0]] = found
    (example,) = re.findall(r"^```csv\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return Section(columns, spellings, example)


def renamed(example: str, names: Mapping[str, str]) -> str:
    """The example with other names of columns."""
    header, _, rows = example.partition("\n")
    return ",".join(names.get(name, name) for name in header.split(",")) + "\n" + rows


def read(opened: Callable[[Path], Source], path: Path) -> tuple[str, int]:
    """Name of the adapter and number of rows that it gave."""
    source = opened(path)
    batches = list(source.batches(WANTED))
    return type(source).__name__, sum(len(batch.rows.ts_event) for batch in batches)


ADAPTERS: list[tuple[str, str, Callable[[Path], Source]]] = [
    ("Closing chains", "OptionCloses", open_quotes),
    ("Snapshots", "OptionSnapshots", open_quotes),
    ("Timed quotes", "TimedQuotes", open_quotes),
    ("Timed prices", "TimedTicks", open_ticks),
    ("Daily closes", "DailyCloses", open_ticks),
]


@pytest.mark.parametrize(("heading", "adapter", "opened"), ADAPTERS)
def test_a_table_is_what_its_adapter_takes(
    heading: str, adapter: str, opened: Callable[[Path], Source], tmp_path: Path
) -> None:
    found = section(heading)
    assert f"(`{adapter}`)" in PAGE
    path, header = tmp_path / "file.csv", found.example.partition("\n")[0].split(",")
    path.write_text(found.example)
    assert read(opened, path) == (adapter, 2)
    for first in found.columns["yes"]:
        used = set(found.spellings[first]) & set(header)
        if not used:
            assert any("instead of" in need for need in found.columns)
            continue
        (name,) = used
        path.write_text(renamed(found.example, {name: "no_such_column"}))
        with pytest.raises(SourceError):
            opened(path)
        for other in set(found.spellings[first]) - {name}:
            path.write_text(renamed(found.example, {name: other}))
            assert read(opened, path)[0] == adapter, other


@pytest.mark.parametrize("heading", ["Closing chains", "Snapshots", "Timed quotes"])
@pytest.mark.parametrize("vol", ["iv_pct", "iv"])
def test_vols_stand_in_place_of_quotes(heading: str, vol: str, tmp_path: Path) -> None:
    found = section(heading)
    assert vol in found.spellings
    path = tmp_path / "file.csv"
    path.write_text(renamed(found.example, {"bid": vol, "ask": "delta"}))
    assert read(open_quotes, path)[1] == 2


def test_one_level_may_be_named_by_its_column(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text("date,vix\n2026-07-10,14.88\n")
    assert read(open_ticks, path) == ("DailyCloses", 1)


def test_a_mid_stands_in_place_of_a_price(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(renamed(section("Timed prices").example, {"price": "bid", "size": "ask"}))
    assert read(open_ticks, path)[1] == 2


def test_every_adapter_and_every_column_stands_on_the_page() -> None:
    opened = {adapter for _, adapter, _ in ADAPTERS}
    registry = (ROOT / "streams/sources/registry.py").read_text(encoding="utf-8")
    assert set(re.findall(r"return (\w+)\(file\)", registry)) == opened
    shown = set(re.findall(r"`(\w+)`", PAGE))
    known = {name for one in (*QUOTE_FILE_COLUMNS, *TICK_FILE_COLUMNS) for name in one.names}
    assert known - shown == set()
    assert [one.name for one in LAYOUTS if one.name not in PAGE] == []


def test_the_other_files(tmp_path: Path) -> None:
    path = tmp_path / "vix_daily.csv"
    path.write_text(section("Published closes").example)
    assert sorted(LevelFile(path, "VIX").closes.values()) == pytest.approx([0.1488, 0.1512])
    readers: list[tuple[str, Callable[[Path], Any]]] = [
        ("Labels", read_labels),
        ("Rates", load_rates),
        ("Dividends", load_dividends),
    ]
    for heading, reader in readers:
        found = section(heading)
        path.write_text(found.example)
        assert reader(path)
        for name in found.columns["yes"]:
            path.write_text(renamed(found.example, {name: "no_such_column"}))
            with pytest.raises((SourceError, ConfigError)):
                reader(path)


def toml_of(heading: str) -> str:
    """The one TOML example of a part of the page."""
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (part,) = [part for part in parts if part.startswith(f"{heading}\n")]
    (example,) = re.findall(r"^```toml\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    return str(example)


def test_the_example_of_a_basket_is_one(tmp_path: Path) -> None:
    example = toml_of("Baskets")
    path = tmp_path / "basket.toml"
    path.write_text(example)
    assert load_basket(path).name == tomllib.loads(example)["name"] == "my_basket"


def test_the_example_of_a_watch_list_is_one(tmp_path: Path) -> None:
    path = tmp_path / "watch.toml"
    path.write_text(toml_of("Watch lists"))
    assert [one.symbol for one in load_watch_list(path).watch] == ["WMT", "XLU", "GOOGL"]
