"""The pages say what the catalogue says: `make tables` would change nothing."""

import re

from config.pages_build import DOCS, PART, rendered
from streams.catalogue.counters import COUNTERS
from streams.catalogue.measures import GAUGES, MEASURES


def test_the_tables_are_those_of_the_catalogue() -> None:
    pages = rendered()
    assert {page: page.read_text(encoding="utf-8") for page in pages} == pages
    found = [part[2] for text in pages.values() for part in PART.finditer(text)]
    assert sorted(found) == ["counters", "fields", "gauges", "rules"]


def test_every_table_that_is_begun_ends() -> None:
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert len(re.findall("<!-- catalogue: ", text)) == len(PART.findall(text)), page


def test_every_gauge_and_field_stands_in_its_page() -> None:
    text = "".join(rendered().values())
    gauges = set(re.findall(r"^\| `dispersion_(\w+)_ratio` \| gauge \|", text, re.MULTILINE))
    assert {one.field for one in GAUGES} <= gauges
    fields = re.findall(r"^\| \[?`([\w.]+)`[^|]*\| \w+ \|", text, re.MULTILINE)
    assert {one.field for one in MEASURES} <= set(fields)


def test_every_counter_stands_in_the_page_of_the_metrics() -> None:
    (text,) = (text for text in rendered().values() if "catalogue: counters" in text)
    shown = re.findall(
        r"^\| `dispersion_(\w+)_total` \| counter \| ([\w, ]+) \|", text, re.MULTILINE
    )
    assert {(one.name, ", ".join(one.labels)) for one in COUNTERS} <= set(shown)
