"""The table of docs/use/metrics.md."""

import re
from pathlib import Path
from typing import NamedTuple

PAGE = Path(__file__).parents[2] / "docs/use/metrics.md"
_JOBS = "worker|exporter|bridge|reporter|ingest|feed|worker, ingest|worker, bridge|both|all"
_NAME = r"(?:dispersion|process|python)_\w+"
_ROW = re.compile(
    rf"^\| `({_NAME})` \| (counter|gauge|histogram) \| ([\w, ]*?) ?\| ({_JOBS}) \| (.+) \|$"
)


class Metric(NamedTuple):
    """One row."""

    kind: str
    labels: frozenset[str]
    jobs: frozenset[str]
    meaning: str


def catalogue() -> dict[str, Metric]:
    """Every metric by name."""
    lines = PAGE.read_text().splitlines()
    rows = [line for line in lines if re.match(rf"\| `{_NAME}`", line)]
    found: dict[str, Metric] = {}
    for row in rows:
        match = _ROW.match(row)
        assert match is not None, f"no row of the table: {row}"
        name, kind, labels, jobs, meaning = match.groups()
        assert name not in found, f"{name} stands twice"
        jobs_of = {
            "both": ("worker", "exporter"),
            "all": ("worker", "exporter", "bridge", "reporter", "ingest"),
        }.get(jobs, tuple(jobs.split(", ")))
        found[name] = Metric(
            kind,
            frozenset(one.strip() for one in labels.split(",") if one.strip()),
            frozenset(jobs_of),
            meaning,
        )
    return found


def known_series(name: str) -> str:
    """The metric that a series name in a query belongs to."""
    return re.sub(r"_(bucket|count|sum)$", "", name)
