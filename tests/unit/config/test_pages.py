"""The pages say what the catalogue says: `make tables` would change nothing."""

import re

from config.pages_build import DOCS, PART, rendered
from streams.catalogue.counters import COUNTERS
from streams.catalogue.measures import GAUGES, MEASURES


def shown(name: str) -> list[str]:
    """First cells of a table of the catalogue, without links and marks."""
    (table,) = (
        part[0] for text in rendered().values() for part in PART.finditer(text) if part[2] == name
    )
    return re.findall(r"^\| \[?`([\w.]+)`", table, re.MULTILINE)


def test_the_tables_are_those_of_the_catalogue() -> None:
    pages = rendered()
    assert {page: page.read_text(encoding="utf-8") for page in pages} == pages, "run make tables"


def test_every_table_that_is_begun_ends() -> None:
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert len(re.findall("<!-- catalogue: ", text)) == len(PART.findall(text)), page


def test_every_row_of_the_catalogue_stands_in_its_page() -> None:
    assert shown("counters") == [f"dispersion_{one.name}_total" for one in COUNTERS]
    assert shown("gauges") == [f"dispersion_{one.field}_ratio" for one in GAUGES]
    assert shown("fields") == [one.field for one in MEASURES if one.formula]
