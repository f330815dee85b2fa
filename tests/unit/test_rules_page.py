"""The page of the rules.

Its numbers are those that are shipped, and no rule is without a row and a place in the runbook.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config.rules import SHIPPED
from streams.detection.rules.catalogue import NAMES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "numbers/rules.md").read_text(encoding="utf-8")


def numbers(table: dict[str, Any], place: str = "") -> Iterator[tuple[str, float]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from numbers(value, f"{place}{key}.")
        elif key != "version":
            yield f"{place}{key}", float(value)


def test_the_numbers_are_those_that_are_shipped() -> None:
    shown = {
        key: float(value)
        for key, value in re.findall(r"^\| `([\w.]+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
        if "." in key
    }
    assert shown == dict(numbers(tomllib.loads(SHIPPED.read_text(encoding="utf-8"))))


def test_every_rule_has_a_row_and_a_heading_in_the_runbook() -> None:
    first = PAGE.partition("## In numbers")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", first, re.MULTILINE)) == NAMES
    runbook = (DOCS / "use/runbook.md").read_text(encoding="utf-8")
    assert set(NAMES) <= set(re.findall(r"^### (\w+)$", runbook, re.MULTILINE))


def test_what_the_page_names_exists() -> None:
    for path in re.findall(r"`((?:analytics|streams|config|tests)/[\w/]+\.\w+)`", PAGE):
        assert (DOCS.parent / path).is_file(), path
