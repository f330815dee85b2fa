"""An evaluation on a terminal.

It has a table of detectors, a row for each label, and what the marks and names mean.
"""

from typing import TYPE_CHECKING

from streams.evaluation.catches import INFO_ONLY, INHIBITED, NO_HISTORY, QUIET, SUSPENDED, UNTOLD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from rich.table import Table

    from streams.evaluation.evaluation import Evaluation
    from streams.evaluation.score import Label, Score

MARKS = {QUIET: "-", INFO_ONLY: "i", INHIBITED: "o", NO_HISTORY: "?", SUSPENDED: "s", UNTOLD: "."}
"""Why a label was missed."""
NARROW = 115
"""Columns below which the table of detectors is printed in two parts."""


def _number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _worst(one: "Score") -> str:
    worst = one.worst.get("all")
    return "–" if worst is None else f"{worst.year}: {worst.episodes}"


_COLUMNS: tuple[tuple[str, "Callable[[Score], str]"], ...] = (
    ("days\na year", lambda one: _number(one.days_a_year)),
    ("caught", lambda one: f"{one.hits}/{len(one.labels)}"),
    ("same\nsession", lambda one: _number(one.same_session_share, 2)),
    ("not\njudged", lambda one: str(one.not_judged)),
    ("false\nepisodes", lambda one: f"{one.false_episodes}/{len(one.episodes)}"),
    ("episodes\na year", lambda one: _number(one.episodes_a_year["all"])),
    ("critical\na year", lambda one: _number(one.episodes_a_year.get("critical"))),
    ("info\na year", lambda one: _number(one.episodes_a_year.get("info"))),
    ("worst\nyear", _worst),
    ("+25 % in\n10 days", lambda one: _number(one.rise_followed, 2)),
)
"""Heading and cell."""


def show(console: "Console", found: "Evaluation") -> None:
    """Print all of it."""
    inside = len(found.ours.labels)
    given = inside + len(found.outside)
    console.print(
        f"{found.index}, closes of {found.first} to {found.last}: {found.sessions} evaluated, "
        f"with {inside} of {given} labels"
    )
    for part in (_COLUMNS[:5], _COLUMNS[5:]) if console.width < NARROW else (_COLUMNS,):
        console.print(_detectors(found, part))
    console.print(
        f"\nIndex vol 25 % higher within 10 sessions: after any session {found.base_rate:.2f}. "
        "These rules detect, they do not predict.\n"
    )
    console.print(_years(found.ours))
    console.print()
    console.print(_labels(found))
    console.print(
        "\ny the same session, +n so many later; missed: "
        f"{', '.join(f'{mark} {why}' for why, mark in MARKS.items())}"
    )
    if found.outside:
        console.print(f"outside the evaluated sessions: {', '.join(map(str, found.outside))}")
    console.print()
    for one in (found.ours, *found.baselines):
        console.print(f"{one.name:10}{one.words}")
    for name, why in found.left_out.items():
        console.print(f"not computed: {name}: {why}")


def _detectors(
    found: "Evaluation", columns: "Sequence[tuple[str, Callable[[Score], str]]]"
) -> "Table":
    rows = [(one.name, one) for one in (found.ours, *found.baselines)]
    rows[1:1] = [(f"  {one.name}", one) for one in found.rules]
    table = _table("", *(heading for heading, _ in columns))
    for name, one in rows:
        table.add_row(name, *(cell(one) for _, cell in columns))
    return table


def _years(ours: "Score") -> "Table":
    """Episodes of our rules by calendar year."""
    table = _table("episodes", *ours.episodes_a_year)
    for year, counts in ours.by_year.items():
        table.add_row(str(year), *map(str, counts.values()))
    return table


def _labels(found: "Evaluation") -> "Table":
    detectors = (found.ours, *found.baselines)
    table = _table("label", *(one.name.replace("_", "\n") for one in detectors))
    for labels in zip(*(one.labels for one in detectors), strict=True):
        table.add_row(str(labels[0].session), *map(_mark, labels))
    return table


def _table(first: str, *others: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _mark(label: "Label") -> str:
    if label.delay is None:
        return MARKS[label.why]
    return f"+{label.delay}" if label.delay else "y"
