"""The terminal board: what the monitor sees, drawn with rich."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.catalogue.measures import HEADLINES, RULE_TENOR
from streams.safe_text import safe

BARS = "▁▂▃▄▅▆▇█"
SEVERITY_STYLE = {
    "critical": "bold white on red",
    "warning": "bold black on yellow",
    "info": "bold cyan",
}
PICTURE = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
"""rich's picture without its fonts from elsewhere: the reader's own monospace does."""
WIDE: Final = 138
"""Columns from which on the measures stand side by side, and alerts in a table."""
HEIGHT: Final = 24
"""Lines of a small terminal."""
NARROW: Final = 22
"""Columns of a line of values where the measures stand one under the other."""
BAR: Final = 30
"""Columns of the bar."""


class Progress(NamedTuple):
    """What is being done, and how much of it is."""

    doing: str
    share: float | None = None
    """From 0 to 1; None where there is nothing to count."""


IDLE: Final = Progress("")


@dataclass(frozen=True)
class AlertLine:
    """One transition of an alert, for people."""

    at: datetime
    rule: str
    severity: str
    status: str
    summary: str


@dataclass(frozen=True)
class BoardState:
    """Everything the board shows."""

    title: str
    index: str
    mode: str
    event_time: datetime | None = None
    age_seconds: float | None = None
    event_age_seconds: float | None = None
    """Against the wall; None where event time has nothing to do with it."""
    delay_seconds: float | None = None
    """How far the feed is behind by its own word; None where that is not known."""
    coverage: float | None = None
    regime: str = ""
    history: dict[str, list[float | None]] = field(default_factory=dict)
    """Field → its latest values, oldest first."""
    ranks: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Field → where its value stands among past closes, from 0 to 1, and among how many."""
    progress: Progress = IDLE
    notes: Sequence[str] = ()
    """What else is to be said, a line each."""
    alerts: Sequence[AlertLine] = ()


def sparkline(values: Sequence[float | None], width: int = 22) -> str:
    """A history line of at most `width` characters over all the values; a gap where one is unknown.

    >>> sparkline([1.0, 2.0, None, 3.0]), sparkline([1.0, 1.5, 2.0, 2.5, 3.0], width=3)
    ('▁▄ █', '▁▄█')
    """
    steps = min(width, len(values))
    shown = [values[(len(values) - 1) * step // max(steps - 1, 1)] for step in range(steps)]
    known = [v for v in shown if v is not None]
    if not known:
        return ""
    low, span = min(known), (max(known) - min(known)) or 1.0
    return "".join(
        " " if v is None else BARS[int((v - low) / span * (len(BARS) - 1))] for v in shown
    )


def percent(value: float | None) -> str:
    """A decimal as people read it.

    >>> percent(0.1484), percent(None)
    ('14.8 %', '—')
    """
    return "—" if value is None else f"{value * 100:.1f} %"


def foreign(text: str, style: str = "") -> Text:
    """Text that comes from elsewhere, as a part of a screen.

    It is safe, and no markup in it is interpreted.
    """
    return Text(safe(text), style=style)


def duration(seconds: float | None) -> str:
    """Seconds as people read them.

    >>> duration(42.4), duration(912), duration(5400), duration(None)
    ('42 s', '15 min 12 s', '90 min', '—')
    """
    if seconds is None:
        return "—"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if minutes < 60 and rest else f"{minutes} min"


def plain_line(state: BoardState) -> str:
    """One line for a log, where there is no terminal."""
    when = state.event_time.strftime("%Y-%m-%d %H:%M:%S UTC") if state.event_time else "waiting"
    values = "  ".join(
        f"{one.heading} {percent(_last(state, one.field))}{_ranked(state, one.field, ' ')}"
        for one in HEADLINES
    )
    line = f"{when}  {values}  coverage {percent(state.coverage)}  alerts {len(state.alerts)}"
    doing = f"{state.progress.doing}{percent_done(state.progress)}"
    return "  ".join([line, *filter(None, [doing]), *map(safe, state.notes)])


def render(state: BoardState, width: int = WIDE, height: int = HEIGHT) -> RenderableType:
    """The board as one renderable, for a terminal of so many columns and lines."""
    head = [*_head(state), *(foreign(note, "dim") for note in state.notes)]
    for line in head:
        line.no_wrap = True
        line.overflow = "ellipsis"
    if width >= WIDE:
        parts = [*head, Text(), _tiles(state), Text(), _alert_table(state)]
    else:
        left = height - len(head) - len(HEADLINES) - 5
        parts = [*head, Text(), _rows(state), Text(), *_alert_lines(state, left)]
    return Panel(Group(*parts), title=Text(state.title, style="bold"), border_style="blue")


def picture_of(state: BoardState, width: int = 150) -> str:
    """The board as SVG."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(render(state))
    return console.export_svg(title=state.title, code_format=PICTURE)


def _last(state: BoardState, name: str) -> float | None:
    values = state.history.get(name) or [None]
    return values[-1]


def _ranked(state: BoardState, name: str, before: str = "") -> str:
    """Where a value stands among past closes; nothing while there are too few."""
    if name not in state.ranks:
        return ""
    rank, window = state.ranks[name]
    return f"{before}rank {rank:.2f} of {safe(window)}"


def _head(state: BoardState) -> Iterator[Text]:
    when = (
        state.event_time.strftime("%Y-%m-%d %H:%M:%S UTC")
        if state.event_time
        else "waiting for the first reading"
    )
    text = Text(f"{state.index} {RULE_TENOR}   {when}   coverage {percent(state.coverage)}   ")
    if state.mode != "live":
        text.append(f" {safe(state.mode.upper())} ", style="bold black on yellow")
    if state.regime:
        text.append(f"  {safe(state.regime)}", style="bold")
    yield text
    yield Text(
        f"data age {duration(state.age_seconds)}   "
        f"event age {duration(state.event_age_seconds)}   delay {duration(state.delay_seconds)}"
    )
    if state.progress.doing:
        filled = int((state.progress.share or 0.0) * BAR)
        bar = f"{'━' * filled}{'╌' * (BAR - filled)}"
        yield Text(f"{bar}{percent_done(state.progress)} {state.progress.doing}", style="dim")


def percent_done(progress: Progress) -> str:
    """The share behind what is being done; nothing where there is nothing to count.

    >>> percent_done(Progress("replayed", 0.5)), percent_done(Progress("replayed"))
    ('  50%', '')
    """
    return "" if progress.share is None else f" {progress.share:4.0%}"


def _rows(state: BoardState) -> Table:
    """The measures one under the other."""
    table = Table.grid("", "", "", "", padding=(0, 2))
    for one in HEADLINES:
        values = state.history.get(one.field, [])
        value = Text(percent(_last(state, one.field)), style="bold", justify="right")
        line = Text(sparkline(values, NARROW), style="cyan")
        table.add_row(one.heading, value, line, _ranked(state, one.field))
    return table


def _tiles(state: BoardState) -> Columns:
    tiles = [
        Panel(
            Text(percent(_last(state, one.field)), style="bold", justify="center")
            .append("\n" + sparkline(state.history.get(one.field, [])), style="cyan")
            .append(_ranked(state, one.field, "\n")),
            title=one.heading,
            width=26,
        )
        for one in HEADLINES
    ]
    return Columns(tiles)


def _alert_lines(state: BoardState, lines: int) -> Iterator[Text]:
    """As many alerts as there are lines for: two each, cut at the edge."""
    if not state.alerts:
        yield Text("no alert is active", style="dim")
        return
    room = len(state.alerts) if 2 * len(state.alerts) <= lines else max(1, (lines - 1) // 2)
    for alert in state.alerts[:room]:
        first = Text(alert.at.strftime("%m-%d %H:%M:%S "))
        first.append_text(foreign(f" {alert.severity} ", SEVERITY_STYLE.get(alert.severity, "")))
        first.append_text(foreign(f" {alert.rule} {alert.status}"))
        for line in (first, foreign(f"  {alert.summary}")):
            line.no_wrap = True
            line.overflow = "ellipsis"
            yield line
    if room < len(state.alerts):
        yield Text(f"and {len(state.alerts) - room} more: dispersion alerts list", style="dim")


def _alert_table(state: BoardState) -> RenderableType:
    if not state.alerts:
        return Text("no alert is active", style="dim")
    table = Table("event time", "severity", "alert", "status", "what", box=None, header_style="dim")
    for alert in state.alerts:
        severity = foreign(f" {alert.severity} ", SEVERITY_STYLE.get(alert.severity, ""))
        texts = map(foreign, (alert.rule, alert.status, alert.summary))
        table.add_row(alert.at.strftime("%m-%d %H:%M:%S"), severity, *texts)
    return table
