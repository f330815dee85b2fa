"""The pages of the measures.

Every example runs and prints what it says, and every page is linked.
"""

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted((DOCS / "numbers/measures").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_print_what_the_page_says(page: Path) -> None:
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.failed == 0
    assert result.attempted > 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (page.parent / link).is_file(), link
    for path in re.findall(r"`((?:analytics|streams|config|tests)/[\w/]+\.py)`", text):
        assert (DOCS.parent / path).is_file(), path


def test_the_overview_links_every_page() -> None:
    overview = (DOCS / "numbers/methodology.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\(measures/([\w-]+)\.md\)", overview))
    assert linked == {page.stem for page in PAGES}
    assert len(PAGES) == 11
