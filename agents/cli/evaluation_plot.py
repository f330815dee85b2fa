"""The picture of an evaluation, an SVG by hand.

It shows index vol and spread over time, our episodes behind them and the labels above.
"""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from analytics.arrays import Floats
from streams.evaluation.closes import Closes
from streams.evaluation.evaluation import Evaluation

WIDTH, HEIGHT = 1200, 640
LEFT, RIGHT = 56, 1180
VOL, SPREAD = (110, 400), (440, 600)
"""Top and bottom of the two panels."""
MARKS = 98
"""Height of the labels."""
COLOURS = {"critical": "#d62728", "warning": "#f2a900"}
STYLE = (
    "text{font:13px sans-serif;fill:#222;paint-order:stroke;stroke:#fff;stroke-width:4px}"
    ".grid{stroke:#ddd}.axis{stroke:#888}.gap{fill:#eee}"
    ".line{fill:none;stroke:#1f3b73;stroke-width:1.2}"
    ".mark{stroke:#222}.hit{fill:#222}.miss{fill:#fff;stroke:#d62728;stroke-width:1.5}"
)


def picture(found: Evaluation, closes: Closes) -> str:
    """SVG text."""
    return "\n".join(_lines(found, closes)) + "\n"


def _lines(found: Evaluation, closes: Closes) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">'
    )
    yield f'<style>{STYLE}</style><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'
    title = (
        f"{found.index}, {found.first} to {found.last}: "
        f"{found.ours.hits} of {len(found.ours.labels)} labels caught"
    )
    yield (
        f'<text x="{LEFT}" y="28" style="font-size:17px">'
        f"{title}, {len(found.ours.episodes)} episodes</text>"
    )
    yield from _legend()
    x = _Dates(found.first, found.last)
    for before, after in pairwise(closes.runs):
        left, right = x(closes.sessions[before.stop - 1]), x(closes.sessions[after.start])
        yield (
            f'<rect class="gap" x="{left:.1f}" width="{right - left:.1f}" '
            f'y="{VOL[0]}" height="{SPREAD[1] - VOL[0]}"/>'
        )
        yield (
            f'<text x="{(left + right) / 2:.1f}" y="{VOL[1] + 26}" '
            f'text-anchor="middle">no closes</text>'
        )
    for one in found.ours.episodes:
        left, right = x(one.first), x(one.last)
        band = (
            f'x="{left - 1:.1f}" width="{right - left + 2:.1f}" '
            f'y="{VOL[0]}" height="{SPREAD[1] - VOL[0]}"'
        )
        yield (
            f'<rect {band} fill="{COLOURS[one.severity]}" opacity="0.45">'
            f"<title>{one.first} to {one.last}: {one.severity}</title></rect>"
        )
    for values, panel, name in (
        (closes.levels.index_vol, VOL, "index vol"),
        (closes.levels.vol_spread, SPREAD, "vol spread"),
    ):
        yield from _panel(values, panel, f"{name}, points", x, closes)
    for year in range(found.first.year + 1, found.last.year + 1):
        at = x(date(year, 1, 1))
        yield (
            f'<line class="axis" x1="{at:.1f}" x2="{at:.1f}" '
            f'y1="{SPREAD[1]}" y2="{SPREAD[1] + 6}"/>'
        )
        yield f'<text x="{at:.1f}" y="{SPREAD[1] + 22}" text-anchor="middle">{year}</text>'
    # What was missed lies on top.
    for label in sorted(found.ours.labels, key=lambda label: label.delay is None):
        told = label.why or (
            f"caught {label.delay} later" if label.delay else "caught the same session"
        )
        yield _mark(
            x(label.session), MARKS, hit=label.delay is not None, title=f"{label.session}: {told}"
        )
    yield "</svg>"


class _Dates:
    """Horizontal place of a date."""

    def __init__(self, first: date, last: date) -> None:
        self._first = first
        self._scale = (RIGHT - LEFT) / max((last - first).days, 1)

    def __call__(self, day: date) -> float:
        return LEFT + (day - self._first).days * self._scale


def _panel(
    values: Floats, panel: tuple[int, int], name: str, x: _Dates, closes: Closes
) -> Iterator[str]:
    """Grid, name, and a line for every run; the axis is in points."""
    top, bottom = panel
    points = 100 * values
    low = min(0.0, float(points.min()))
    high = max(low + 1.0, float(points.max()))
    scale = (bottom - top) / (high - low)
    step = next((step for step in (1, 2, 5, 10, 20) if (high - low) / step <= 6), 50)
    for level in range(int(-(-low // step)) * step, int(high) + 1, step):
        y = bottom - (level - low) * scale
        yield (
            f'<line class="{"grid" if level else "axis"}" x1="{LEFT}" x2="{RIGHT}" '
            f'y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{level}</text>'
    yield f'<text x="{LEFT + 6}" y="{top + 14}">{name}</text>'
    for run in closes.runs:
        pairs = zip(closes.sessions[run], points[run].tolist(), strict=True)
        places = " ".join(
            f"{x(day):.1f},{bottom - (value - low) * scale:.1f}" for day, value in pairs
        )
        yield f'<polyline class="line" points="{places}"/>'


def _mark(x: float, y: int, *, hit: bool, title: str) -> str:
    shape = f'd="M{x:.1f},{y + 8}l-5,-9h10z"'
    return f'<path class="mark {"hit" if hit else "miss"}" {shape}><title>{title}</title></path>'


def _legend() -> Iterator[str]:
    y = 58
    yield (
        _mark(LEFT + 6, y - 8, hit=True, title="caught")
        + f'<text x="{LEFT + 18}" y="{y}">label, caught</text>'
    )
    yield (
        _mark(LEFT + 136, y - 8, hit=False, title="missed")
        + f'<text x="{LEFT + 148}" y="{y}">label, missed</text>'
    )
    for at, (severity, colour) in enumerate(COLOURS.items()):
        left = LEFT + 270 + 150 * at
        yield (
            f'<rect x="{left}" y="{y - 11}" width="14" height="14" fill="{colour}" opacity="0.45"/>'
        )
        yield f'<text x="{left + 20}" y="{y}">{severity} episode</text>'
