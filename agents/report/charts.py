"""Charts of a report as inline SVG, drawn by matplotlib.

Colours are those of Okabe and Ito, which colour-blind people tell apart; texts take the colour of
the page, so that they are readable in light and dark.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from streams.report.document import ReportChart

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SIZE: Final = (5.4, 2.5)
"""Inches."""
TICKS: Final = 6
"""Dates under a chart, at most."""
_INK: Final = "#010203"
"""Stands for the colour of the page's text."""


def drawn(charts: Sequence[ReportChart]) -> Mapping[str, str]:
    """SVG by name of each chart that has something to show."""
    import matplotlib as mpl

    mpl.use("svg")
    inked = ("text.color", "xtick.color", "ytick.color", "axes.labelcolor", "axes.edgecolor")
    settings: dict[Any, Any] = dict.fromkeys(inked, _INK)
    mpl.rcParams.update(
        settings
        | {
            "svg.fonttype": "none",
            "svg.hashsalt": "dispersion",
            "font.family": "sans-serif",
            "font.size": 8.5,
        }
    )
    return {one.name: _svg(one) for one in charts if not one.reason}


def _svg(chart: ReportChart) -> str:
    from matplotlib.figure import Figure

    canvas = Figure(figsize=SIZE, layout="constrained")
    axes = canvas.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)
    (_bars if chart.kind == "bars" else _lines)(axes, chart)
    text = io.StringIO()
    canvas.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    return _inline(text.getvalue(), chart)


def _lines(axes: Any, chart: ReportChart) -> None:
    known = [at for line in chart.lines for at, one in enumerate(line.values) if one is not None]
    # Sessions stand side by side, from the first with a value: a weekend is no gap.
    days = range(min(known), len(chart.places))
    for line, colour in zip(chart.lines, COLOURS, strict=False):
        values = [None if value is None else 100 * value for value in line.values[days.start :]]
        dot = "o" if sum(value is not None for value in values) == 1 else ""
        axes.plot(days, values, color=colour, linewidth=1.6, marker=dot, label=line.name)
    shown = days[:: max(1, math.ceil(len(days) / TICKS))]
    axes.set_xticks(shown, [_tick(chart.places[at], first=at == days.start) for at in shown])
    if chart.band is not None:
        low, high = (100 * level for level in chart.band)
        axes.axhspan(low, high, alpha=0.12, color=COLOURS[2], label="spread, 5 to 95 %")
    for mark in set(chart.marks) & set(chart.places):
        at = chart.places.index(mark)
        axes.axvline(at, color=COLOURS[3], linewidth=1, linestyle=":")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, ncols=6, borderaxespad=0)
    axes.margins(x=0.01)


def _tick(day: str, *, first: bool) -> str:
    """Month and day; of the first its year too. What is no date stands as it is."""
    return day if first or not day[:4].isdigit() else day[5:]


def _bars(axes: Any, chart: ReportChart) -> None:
    values = [0.0 if value is None else 100 * value for value in chart.lines[0].values]
    colours = [COLOURS[0] if value >= 0 else COLOURS[1] for value in values]
    axes.bar(chart.places, values, color=colours)
    axes.axhline(0, color=_INK, linewidth=0.8)


def _inline(svg: str, chart: ReportChart) -> str:
    """The element alone, with a name for those who cannot see it."""
    body = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    body = re.sub(r'<svg [^>]*?viewBox="([^"]+)"[^>]*>', _opening(chart), body, count=1)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    # Identifiers are unique in the page.
    return re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{chart.name}-", body)


def _opening(chart: ReportChart) -> str:
    name = f"{chart.title}. {chart.described}".replace("&", "&amp;").replace('"', "&quot;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        rf'viewBox="\g<1>" role="img" aria-label="{name}">'
    )
