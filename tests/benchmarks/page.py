"""The figures of `docs/design/performance.md`, made anew from a report, and its plot.

The figures are the part between two marks.
"""

from collections.abc import Mapping
from html import escape
from itertools import pairwise
from math import log10
from typing import Any

from tests.benchmarks.report import Report, kind_of, sheets
from tests.support.fleet import ROOT

PAGE = ROOT / "docs/design/performance.md"
PLOT = ROOT / "docs/design/pictures/performance.svg"
BEGIN, END = "<!-- figures: made by `make bench` -->\n", "<!-- end of the figures -->\n"
WIDTH, LABEL, VALUE, BAR = 720, 170, 80, 18
OURS, OTHERS = "#0a7d5a", "#8899aa"


def write(report: Report) -> None:
    """Replace the figures and the plot."""
    PAGE.write_text(with_figures(PAGE.read_text(encoding="utf-8"), report), encoding="utf-8")
    PLOT.write_text(plot(report), encoding="utf-8")


def with_figures(page: str, report: Report) -> str:
    """The page with the figures of this report. Raises `ValueError` where a mark is missing."""
    before, rest = _parted(page, BEGIN)
    _, after = _parted(rest, END)
    tables = "\n".join(sheet.markdown() for sheet in sheets(report))
    picture = (
        f"![CPU per quote, each consumer beside the bare loop]({PLOT.relative_to(PAGE.parent)})\n"
    )
    return f"{before}{BEGIN}\n{tables}\n{picture}\n{END}{after}"


def keys(page: str) -> set[str]:
    """What the figures of a page are of: the first cells of its tables."""
    _, rest = _parted(page, BEGIN)
    figures, _ = _parted(rest, END)
    lines = [line.split("|")[1].strip() for line in figures.splitlines() if line.startswith("|")]
    heads = {head for head, below in pairwise(lines) if set(below) == {"-"}}
    return {cell for cell in lines if set(cell) != {"-"} and cell not in heads and "×" not in cell}


def plot(report: Report) -> str:
    """CPU per quote of JSON, then of frames, as bars.

    The scale is logarithmic and begins at 10 ns.
    """
    bars = [
        (key, one["cpu_us_per_quote"])
        for kind in ("json", "frames")
        for key, one in report.items()
        if _plotted(key, one, kind)
    ]
    scale = (WIDTH - LABEL - VALUE) / max(_decades(cost) for _, cost in bars)
    lines = [f'<text x="{LABEL}" y="18">CPU per quote, logarithmic: shorter is better</text>']
    for at, (key, cost) in enumerate(bars):
        y, length = BAR * at + 28, scale * _decades(cost)
        lines += [
            f'<text x="{LABEL - 6}" y="{y + 11}" text-anchor="end">{escape(key)}</text>',
            (
                f'<rect x="{LABEL}" y="{y}" width="{length:.0f}" height="{BAR - 4}" '
                f'fill="{OURS if key.startswith("worker_") else OTHERS}"/>'
            ),
            f'<text x="{LABEL + length + 5:.0f}" y="{y + 11}">{cost:.3g} µs</text>',
        ]
    height = BAR * len(bars) + 36
    frame = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">'
    )
    return "\n".join(
        [frame, f'<rect width="{WIDTH}" height="{height}" fill="white"/>', *lines, "</svg>\n"]
    )


def _plotted(key: str, one: Mapping[str, Any], kind: str) -> bool:
    return kind_of(key) == kind and "absent" not in one


def _decades(cost: float) -> float:
    return max(0.02, log10(cost / 0.01))


def _parted(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    if not found:
        raise ValueError(f"{PAGE.name} has no line {mark.strip()!r}")
    return before, after
