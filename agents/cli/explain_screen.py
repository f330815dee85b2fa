"""The screen of `dispersion explain`, drawn with rich."""

import io
from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.cli.names_without_value import heaviest, of_reading
from agents.cli.rotation_lines import rotation_lines
from agents.cli.safe_console import SafeConsole
from agents.lookup.board import PICTURE, SEVERITY_STYLE, foreign, percent
from streams.calendar.sessions import EASTERN
from streams.catalogue.measures import EXPLAINED
from streams.detection.rules.condition import Condition
from streams.detection.views.explanation import RuleLine
from streams.reading import BookMark
from streams.report.outlook import Outlook
from streams.safe_text import safe

LONGEST = 20_000
"""Characters of a list of names."""
HOURS = {
    "before": "The rules are judged from 09:45 on: nothing is judged yet.",
    "after": (
        "After the equity close the intraday rules rest; "
        "the daily form is judged at the session's last reading alone."
    ),
    "open": "",
}
WORDS = {
    "holds": "condition holds",
    "quiet": "quiet",
    "inhibited": "inhibited: an unwind or a repricing tells the same story",
}
MARKS = {True: ("yes", "bold yellow"), False: ("no", "dim"), None: ("unknown", "magenta")}


def screen(found: Outlook) -> RenderableType:
    """The explanation as one renderable."""
    resting = [Text(HOURS[found.hours], style="dim")] if HOURS[found.hours] else []
    return Group(
        _head(found),
        _values(found),
        _quality(found),
        *resting,
        Text(),
        _rules(found),
        Text(),
        *_alerts(found),
        *_moves(found),
        *_book(found),
        *_sectors(found),
        *rotation_lines(found),
    )


def picture_of(found: Outlook, width: int = 130) -> str:
    """The screen as SVG."""
    console = SafeConsole(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(screen(found))
    return console.export_svg(
        title=f"dispersion explain {found.reading.index}", code_format=PICTURE
    )


def _head(found: Outlook) -> Text:
    reading = found.reading
    text = foreign(f"{reading.index} {reading.tenor}", "bold").append(
        f"  {_wall(reading.ts_event)} New York", style="not bold"
    )
    text.append(f"  regime {safe(found.regime)}")
    if reading.mode != "live":
        text.append(f"  {reading.mode.upper()}", style="bold black on yellow")
    return text


def _values(found: Outlook) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("measure", "value", "since the prior close", "rank"):
        table.add_column(title, justify="left" if title == "measure" else "right")
    for one in EXPLAINED:
        value = getattr(found.reading, one.field)
        change = found.changes.get(one.field, {}).get("1d")
        ranks = found.percentiles.get(one.field, {})
        shown = "" if change is None else f"{100 * change:+.1f}"
        table.add_row(
            one.heading,
            percent(value),
            shown,
            ", ".join(f"{rank:.2f} of {window}" for window, rank in ranks.items()),
        )
    return table


def _quality(found: Outlook) -> Text:
    reading = found.reading
    text = Text(
        f"coverage {percent(reading.coverage)} by weight, "
        f"{percent(reading.coverage_names)} of the names, {reading.names} valid"
    )
    if reading.coverage_atm is not None and reading.basis == "quotes":
        text.append(
            f"; by ATM vol {percent(reading.coverage_atm)}, "
            f"{percent(reading.coverage_atm_names)}, {reading.names_atm}"
        )
    text.append(
        f"; basis {reading.basis}; "
        f"closes to compare with: {found.history}, ranks need {found.needed}"
    )
    by_reason: dict[str, list[str]] = {}
    for name, reason in reading.reasons.items():
        by_reason.setdefault(reason, []).append(name)
    for reason, names in by_reason.items():
        told = f"unknown for {reason}: {', '.join(names)}"
        text.append(f"\n{safe(told, LONGEST)}", style="dim")
    for told in (*of_reading(reading, ages=True), *heaviest(reading)):
        text.append(f"\n{safe(told, LONGEST)}", style="dim")
    if reading.flags:
        text.append(f"\nflags: {safe(', '.join(reading.flags))}", style="dim")
    return text


def _rules(found: Outlook) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("rule", "scope", "condition", "value", "enters", "exits", "holds", "distance"):
        table.add_column(
            title, justify="right" if title in {"value", "enters", "exits", "distance"} else "left"
        )
    for line in found.rules:
        says = Text(
            _says(line),
            style=SEVERITY_STYLE.get(line.severity or "", "") if line.says == "holds" else "bold",
        )
        table.add_row(
            Text(line.rule, style="bold"),
            line.scope,
            says,
            "",
            "",
            "",
            "",
            _number(line.distance, 2),
        )
        for one in line.conditions:
            mark, style = MARKS[one.holds]
            enter = f"{_sign(one)} {_number(one.enter)}"
            row = [
                f"  {one.name}",
                _number(one.value),
                enter,
                _number(one.exit) if one.exit is not None else "",
            ]
            table.add_row(
                "", "", *row, Text(mark, style=style), Text(_number(one.distance, 2), style="dim")
            )
    return table


def _says(line: RuleLine) -> str:
    if line.says == "suspended":
        words = f"suspended by the {line.gate} gate"
    elif line.says == "held":
        words = "held: has correlation really jumped?"
    elif line.says == "unknown":
        words = "not enough history"
    else:
        words = WORDS[line.says]
    story = (
        " ".join(part for part in (line.severity, line.direction or line.label) if part)
        if line.severity
        else ""
    )
    since = f", since {_wall(line.compared_with)}" if line.compared_with else ""
    alert = f"; alert {line.alert}" if line.alert != "inactive" else ""
    one = "; one is enough" if line.any_of else ""
    return f"{words}{f' ({story})' if story else ''}{since}{one}{alert}"


def _alerts(found: Outlook) -> Iterator[Text]:
    for one in found.alerts:
        style = SEVERITY_STYLE.get(one.severity, "")
        what = f"{one.severity} {one.rule} {one.scope} {one.status}"
        yield foreign(f"{what} since {_wall(one.starts_at)}: {one.summary}", style)
    if not found.alerts:
        yield Text("no alert is active", style="dim")


def _moves(found: Outlook) -> Iterator[Text]:
    if found.move is None or found.prior_close is None or found.move_by_correlation is None:
        return
    parts = {"correlation": found.move_by_correlation, **found.move_by_name}
    told = ", ".join(f"{name} {100 * part:+.2f}" for name, part in parts.items())
    yield Text()
    yield foreign(
        f"index vol {100 * found.move:+.2f} points "
        f"since the close of {_wall(found.prior_close)}: {told}"
    )


def _book(found: Outlook) -> Iterator[Text]:
    """The standard books: since the close and the open, and what they cost."""
    book = found.reading.book
    if book is None:
        return
    for name, window in (("close", book.close), ("open", book.open)):
        if window is not None:
            marks = {"vega": window.vega, "theta": window.theta, "gamma": window.gamma}
            told = "; ".join(f"{weighting} {_mark(mark)}" for weighting, mark in marks.items())
            yield Text(
                f"book since the {name} of {_wall(window.since)}, points of index vega: {told}"
            )
    known = {
        "break-even correlation": book.breakeven_correlation,
        "realized": book.realized_correlation,
        "carry of a month": book.carry,
        "time decay a day": None if book.vega is None else book.vega.time_decay,
        "half of bid to ask": None if book.vega is None else book.vega.cost,
    }
    told = ", ".join(
        f"{name} {100 * value:.2f}" for name, value in known.items() if value is not None
    )
    yield Text(f"book ahead: {told}", style="dim")


def _sectors(found: Outlook) -> Iterator[Text]:
    """Basket vol of each sector, and its move since the prior close."""
    told = [
        f"{safe(one.sector)} {100 * one.basket_vol:.1f}"
        + ("" if one.basket_vol_change is None else f" ({100 * one.basket_vol_change:+.1f})")
        for one in found.reading.sectors
        if one.basket_vol is not None
    ]
    if told:
        yield Text(f"basket vol by sector: {', '.join(told)}")


def _mark(mark: BookMark) -> str:
    legs = {"index": mark.index, "singles": mark.singles, "gamma": mark.gamma}
    parts = (f"{leg} {100 * part:+.2f}" for leg, part in legs.items() if part is not None)
    return f"{100 * mark.total:+.2f} ({', '.join(parts)})"


def _sign(one: Condition) -> str:
    return ("<" if one.below else ">") if one.strict else ("≤" if one.below else "≥")


def _number(value: float | None, digits: int = 4) -> str:
    return "—" if value is None else f"{value:.{digits}f}"


def _wall(when: datetime) -> str:
    return f"{when.astimezone(EASTERN):%Y-%m-%d %H:%M:%S}"
