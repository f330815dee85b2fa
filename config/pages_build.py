"""Write the tables of the pages that follow from the catalogue: `python -m config.pages_build`.

A table stands between `<!-- catalogue: … -->` and `<!-- end -->`. A test holds the pages to it.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, get_args

from msgspec.structs import fields

from config.dividends import DIVIDEND_COLUMNS
from config.rates import RATE_COLUMNS
from config.rules import leaves, shipped_tables
from streams.catalogue.counters import COUNTERS
from streams.catalogue.measures import GAUGES, MEASURES, RULE_TENOR_DAYS
from streams.detection.rules.catalogue import RuleSet
from streams.sources.columns import FileColumn
from streams.sources.daily_closes import CLOSE_COLUMNS, LEVEL
from streams.sources.declared_refresh import REFRESH
from streams.sources.labels import LABEL_COLUMNS
from streams.sources.layouts import LAYOUTS
from streams.sources.option_closes import QUOTE_TIME, SESSION
from streams.sources.option_columns import OPTION_COLUMNS
from streams.sources.option_snapshots import SNAPSHOT
from streams.sources.time_slices import TIME_COLUMNS
from streams.sources.timed_ticks import TICK_COLUMNS

DOCS: Final = Path(__file__).parents[1] / "docs"
PART: Final = re.compile(r"(<!-- catalogue: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
FILE_TABLES: Final = {
    "closing_chains": (SESSION, *OPTION_COLUMNS, QUOTE_TIME),
    "snapshots": (SNAPSHOT, *OPTION_COLUMNS),
    "timed_quotes": (*TIME_COLUMNS, *OPTION_COLUMNS, REFRESH),
    "timed_prices": TICK_COLUMNS,
    "daily_closes": (*CLOSE_COLUMNS, LEVEL),
    "labels": LABEL_COLUMNS,
    "rates": RATE_COLUMNS,
    "dividends": DIVIDEND_COLUMNS,
}
"""Columns of each family on the page of files."""


def rendered() -> dict[Path, str]:
    """Text of each page that has such a table."""
    made = {"counters": _counters(), "gauges": _gauges(), "fields": _fields(), "rules": _numbers()}
    files = {name: _columns(columns) for name, columns in FILE_TABLES.items()}
    made |= files | {"layouts": _layouts()}
    tables = {name: "".join(rows) for name, rows in made.items()}
    texts = {page: page.read_text(encoding="utf-8") for page in sorted(DOCS.rglob("*.md"))}
    return {
        page: PART.sub(lambda part: part[1] + tables[part[2]] + part[3], text)
        for page, text in texts.items()
        if PART.search(text)
    }


def _columns(columns: Sequence[FileColumn]) -> Iterator[str]:
    """What a family of files may have."""
    yield from _head("column", "needed", "holds")
    for one in columns:
        yield _row(", ".join(f"`{name}`" for name in one.names), one.needed, one.holds)


def _layouts() -> Iterator[str]:
    yield from _head("layout", "columns", "is read as")
    for one in LAYOUTS:
        yield _row(one.name, one.columns, one.says)


def _counters() -> Iterator[str]:
    yield from _head("metric", "type", "labels", "from", "meaning")
    for one in COUNTERS:
        labels = ", ".join(one.labels)
        yield _row(f"`dispersion_{one.name}_total`", "counter", labels, one.jobs, one.meaning)


def _gauges() -> Iterator[str]:
    yield from _head("metric", "type", "labels", "from", "meaning")
    for one in GAUGES:
        labels = ", ".join(one.gauge_labels)
        yield _row(f"`dispersion_{one.field}_ratio`", "gauge", labels, "exporter", one.meaning)


def _fields() -> Iterator[str]:
    yield from _head("field", "unit", "formula", "published counterpart")
    for one in (measure for measure in MEASURES if measure.formula):
        name = f"[`{one.field}`](measures/{one.page}.md)" if one.page else f"`{one.field}`"
        level = one.published.get(RULE_TENOR_DAYS, "")
        yield _row(name, one.unit, one.formula, f"{level} / 100" if level else "")


def _numbers() -> Iterator[str]:
    """The numbers of the rules; versions stand in the events."""
    yield from _head("number", "shipped", "meaning")
    for key, value in leaves(shipped_tables()):
        if not key.endswith(".version"):
            yield _row(f"`{key}`", f"{value:g}", _meaning(key))


def _meaning(key: str) -> str:
    """The description of a number's field."""
    table, *inner = key.split(".")
    place: object = RuleSet().tables[table]
    for name in inner[:-1]:
        place = getattr(place, name)
    (kind,) = (one.type for one in fields(place) if one.name == inner[-1])  # type: ignore[arg-type]
    known = (getattr(part, "description", None) for part in get_args(kind))
    return next((text for text in known if text), "")


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
