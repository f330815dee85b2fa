"""Write the tables of the pages that follow from the catalogue: `python -m config.pages_build`.

A table stands between `<!-- catalogue: … -->` and `<!-- end -->`. A test holds the pages to it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from streams.catalogue.counters import COUNTERS

DOCS: Final = Path(__file__).parents[1] / "docs"
PART: Final = re.compile(r"(<!-- catalogue: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def rendered() -> dict[Path, str]:
    """Text of each page that has such a table."""
    tables = {"counters": "".join(_counters())}
    texts = {page: page.read_text(encoding="utf-8") for page in sorted(DOCS.rglob("*.md"))}
    return {
        page: PART.sub(lambda part: part[1] + tables[part[2]] + part[3], text)
        for page, text in texts.items()
        if PART.search(text)
    }


def _counters() -> Iterator[str]:
    yield from _head("metric", "type", "labels", "from", "meaning")
    for one in COUNTERS:
        labels = ", ".join(one.labels)
        yield _row(f"`dispersion_{one.name}_total`", "counter", labels, one.jobs, one.meaning)


def _head(*cells: str) -> Iterator[str]:
    yield _row(*cells)
    yield f"|{'---|' * len(cells)}\n"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def main() -> None:
    """Write the pages."""
    for page, text in rendered().items():
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
