"""An evaluation on a terminal: a table of detectors, a row for each label, and what the marks and names mean."""

from typing import TYPE_CHECKING

from streams.evaluation.catches import INFO_ONLY, INHIBITED, NO_HISTORY, QUIET, SUSPENDED, UNTOLD

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from streams.evaluation.evaluation import Evaluation
    from streams.evaluation.score import Label, Score

MARKS = {QUIET: "-", INFO_ONLY: "i", INHIBITED: "o", NO_HISTORY: "?", SUSPENDED: "s", UNTOLD: "."}
"""Why a label was missed."""
_HEADINGS = (
    *("days\na year", "caught", "same\nsession", "not\njudged", "episodes\na year", "critical\na year", "info\na year"),
    *("false\nepisodes", "worst\nyear", "+25 % in\n10 days"),
)


def show(console: "Console", found: "Evaluation") -> None:
    """Print all of it."""
    inside = len(found.ours.labels)
    given = inside + len(found.outside)
    console.print(f"{found.index}, closes of {found.first} to {found.last}: {found.sessions} evaluated, with {inside} of {given} labels")
    console.print(_detectors(found))
    console.print(
        f"\nIndex vol 25 % higher within 10 sessions: after any session {found.base_rate:.2f}. These rules detect, they do not predict.\n"
    )
    console.print(_years(found.ours))
    console.print()
    console.print(_labels(found))
    console.print(f"\ny the same session, +n so many later; missed: {', '.join(f'{mark} {why}' for why, mark in MARKS.items())}")
    if found.outside:
        console.print(f"outside the evaluated sessions: {', '.join(map(str, found.outside))}")
    console.print()
    for one in (found.ours, *found.baselines):
        console.print(f"{one.name:10}{one.words}")
    for name, why in found.left_out.items():
        console.print(f"not computed: {name}: {why}")


def _detectors(found: "Evaluation") -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for one in (found.ours, *found.rules, *found.baselines):
        table.add_row(one.name if one in (found.ours, *found.baselines) else f"  {one.name}", *_row(one))
    return table


def _row(one: "Score") -> tuple[str, ...]:
    worst = one.worst.get("all")
    return (
        _number(one.days_a_year, 1),
        f"{one.hits}/{len(one.labels)}",
        _number(one.same_session_share, 2),
        str(one.not_judged),
        _number(one.episodes_a_year.get("all"), 1),
        _number(one.episodes_a_year.get("critical"), 1),
        _number(one.episodes_a_year.get("info"), 1),
        f"{one.false_episodes}/{len(one.episodes)}",
        "–" if worst is None else f"{worst.year}: {worst.episodes}",
        _number(one.rise_followed, 2),
    )


def _years(ours: "Score") -> "Table":
    """Episodes of our rules by calendar year."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("episodes", no_wrap=True)
    for year in ours.by_year:
        table.add_column(str(year), justify="right", no_wrap=True)
    for grade in ours.episodes_a_year:
        table.add_row(grade, *(str(counts[grade]) for counts in ours.by_year.values()))
    return table


def _labels(found: "Evaluation") -> "Table":
    from rich.table import Table

    detectors = (found.ours, *found.baselines)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("label", no_wrap=True)
    for one in detectors:
        table.add_column(one.name.replace("_", "\n"), justify="right", no_wrap=True)
    for labels in zip(*(one.labels for one in detectors), strict=True):
        table.add_row(str(labels[0].session), *map(_mark, labels))
    return table


def _mark(label: "Label") -> str:
    if label.delay is None:
        return MARKS[label.why]
    return f"+{label.delay}" if label.delay else "y"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
