"""The page of the rules.

No rule is without a row and a place in the runbook, and no number without a meaning.
"""

import re
from pathlib import Path

from streams.detection.rules.catalogue import NAMES

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "numbers/rules.md").read_text(encoding="utf-8")


def test_every_rule_has_a_row_and_a_heading_in_the_runbook() -> None:
    first = PAGE.partition("## In numbers")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", first, re.MULTILINE)) == NAMES
    runbook = (DOCS / "use/runbook.md").read_text(encoding="utf-8")
    assert set(NAMES) <= set(re.findall(r"^### (\w+)$", runbook, re.MULTILINE))


def test_what_the_page_names_exists() -> None:
    for path in re.findall(r"`((?:analytics|streams|config|tests)/[\w/]+\.\w+)`", PAGE):
        assert (DOCS.parent / path).is_file(), path


def test_every_number_has_a_meaning() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| [\d.]+ \| (.*) \|$", PAGE, re.MULTILINE)
    assert len(rows) > 50
    assert [key for key, meaning in rows if not meaning] == []
