"""The terminal board: what the monitor sees, drawn with rich."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

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
    coverage: float | None = None
    regime: str = ""
    history: dict[str, list[float | None]] = field(default_factory=dict)
    """Field → its latest values, oldest first."""
    done: int = 0
    total: int = 0
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


def plain_line(state: BoardState) -> str:
    """One line for a log, where there is no terminal."""
    when = state.event_time.strftime("%Y-%m-%d %H:%M:%S UTC") if state.event_time else "waiting"
    values = "  ".join(f"{one.heading} {percent(_last(state, one.field))}" for one in HEADLINES)
    return f"{when}  {values}  coverage {percent(state.coverage)}  alerts {len(state.alerts)}"


def render(state: BoardState) -> RenderableType:
    """The board as one renderable."""
    parts = Group(_head(state), Text(), _tiles(state), Text(), _alerts(state))
    return Panel(parts, title=Text(state.title, style="bold"), border_style="blue")


def picture_of(state: BoardState, width: int = 150) -> str:
    """The board as SVG."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(render(state))
    return console.export_svg(title=state.title, code_format=PICTURE)


def _last(state: BoardState, name: str) -> float | None:
    values = state.history.get(name) or [None]
    return values[-1]


def _head(state: BoardState) -> Text:
    when = (
        state.event_time.strftime("%Y-%m-%d %H:%M:%S UTC")
        if state.event_time
        else "waiting for the first reading"
    )
    age = "—" if state.age_seconds is None else f"{state.age_seconds:.0f} s"
    share = state.done / state.total if state.total else 0.0
    text = Text(
        f"{state.index} {RULE_TENOR}   {when}   data age {age}   "
        f"coverage {percent(state.coverage)}   "
    )
    if state.mode != "live":
        text.append(f" {safe(state.mode.upper())} ", style="bold black on yellow")
    if state.regime:
        text.append(f"  {safe(state.regime)}", style="bold")
    if state.total:
        filled = int(share * 30)
        text.append(f"\nreplayed {'━' * filled}{'╌' * (30 - filled)} {share:4.0%}", style="dim")
    return text


def _tiles(state: BoardState) -> Columns:
    tiles = [
        Panel(
            Text(percent(_last(state, one.field)), style="bold", justify="center").append(
                "\n" + sparkline(state.history.get(one.field, [])), style="cyan"
            ),
            title=one.heading,
            width=26,
        )
        for one in HEADLINES
    ]
    return Columns(tiles)


def _alerts(state: BoardState) -> RenderableType:
    if not state.alerts:
        return Text("no alert is active", style="dim")
    table = Table("event time", "severity", "alert", "status", "what", box=None, header_style="dim")
    for alert in state.alerts:
        severity = foreign(f" {alert.severity} ", SEVERITY_STYLE.get(alert.severity, ""))
        texts = map(foreign, (alert.rule, alert.status, alert.summary))
        table.add_row(alert.at.strftime("%m-%d %H:%M:%S"), severity, *texts)
    return table
