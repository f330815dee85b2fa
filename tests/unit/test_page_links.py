"""Links of the pages lead somewhere, and data on them can be read."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.topics import NAMES
from tests.support.page_blocks import CHANGELOG, PAGES, ROOT, Block, blocks_of, prose_of

FOLDERS = "agents|analytics|streams|config|tests|grafana|samples|docs"
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([\w-]+))?\)")
READERS: dict[str, Callable[[str], Any]] = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def astray(page: Path) -> list[str]:
    found = []
    for link, anchor in LINK.findall(prose_of(page)):
        target = (page.parent / link).resolve() if link else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            found.append(f"{link}#{anchor}")
    return found


@pytest.mark.parametrize("page", [*PAGES, CHANGELOG], ids=lambda page: page.name)
def test_links_lead_to_a_page_and_a_heading(page: Path) -> None:
    assert astray(page) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(rf"`((?:{FOLDERS})/[\w./*-]*)`", prose_of(page))
    assert [name for name in named if not list(ROOT.glob(name.rstrip("/")))] == []


def test_a_link_to_no_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One heading, or two\n[a](#one-heading-or-two) [b](#three) [c](no.md)\n")
    assert astray(page) == ["#three", "no.md#"]


def test_runbooks_of_alerts_are_there() -> None:
    rules = (ROOT / "config/prometheus/alerts.yml").read_text()
    named = set(re.findall(r'runbook_url: "https://\S+/runbook\.md#(\w+)"', rules))
    assert len(named) > 20
    assert named <= anchors(ROOT / "docs/use/runbook.md")


def test_every_page_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached:
            continue
        reached.add(page)
        targets = ((page.parent / link).resolve() for link, _ in LINK.findall(prose_of(page)))
        for target in targets:
            waiting += sorted(target.glob("*.md")) if target.is_dir() else [target]
        waiting = [one for one in waiting if one.suffix == ".md"]
    assert [str(page) for page in PAGES if page not in reached] == []


def test_the_map_of_the_readme_has_every_folder() -> None:
    page = (ROOT / "README.md").read_text()
    folders = [
        f"{top.name}/{folder.name}/"
        for top in (ROOT / "agents", ROOT / "streams")
        for folder in top.iterdir()
        if (folder / "__init__.py").exists()
    ]
    assert len(folders) > 20
    assert [folder for folder in folders if f"`{folder}`" not in page] == []


@pytest.mark.parametrize(
    "block",
    [block for page in PAGES for block in blocks_of(page) if block.language in READERS],
    ids=lambda block: f"{block.page}:{block.line}",
)
def test_data_on_a_page_can_be_read(block: Block) -> None:
    assert READERS[block.language](block.text)


def test_the_page_of_topics_has_all_of_them() -> None:
    page = (ROOT / "docs/connect/topics.md").read_text()
    shown = re.findall(r"^\| `([\w.-]+)` \|", page, re.MULTILINE)
    assert sorted(shown) == sorted(NAMES.values())
