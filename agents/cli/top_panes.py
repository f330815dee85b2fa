"""What `dispersion top` shows, drawn with rich from one look at the monitor."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.lookup.board import SEVERITY_STYLE, duration, foreign, percent
from agents.monitoring.freshness import ALLOWED
from agents.monitoring.health_report import Health, IndexHealth
from agents.monitoring.lag import PartitionLag
from streams.catalogue.measures import HEADLINES
from streams.detection.views.snapshot import ActiveAlert

STALE = "STALE"
STYLES = {
    "STABLE": "white on #2b3542",
    "BUILDING": "white on #2b3542",
    "CONVERGING": "white on #b35900",
    "UNWINDING": "white on #c4162a",
    STALE: "white on #6b3fa0",
}
"""Those of the wall; another word asks for attention."""
ATTENTION = "white on #b35900"
DOUBTED = "data_quality"
BAR = 20
"""Columns of a bar."""
Waiting = Mapping[tuple[str, int], int]


def verdict(one: IndexHealth, later: float) -> str:
    """The state of the trade in one word, as the wall says it, so many seconds after the look."""
    if not one.fresh(later):
        return STALE
    firing = {alert.rule for alert in one.alerts if alert.underlying_status == "firing"}
    return "SUSPENDED" if DOUBTED in firing else one.regime.upper()


def verdicts(found: Health, later: float) -> RenderableType:
    """A line for each index: the word, and whether to believe it."""
    lines = [_verdict_line(one, later) for one in found.indices]
    opened = "open" if found.session_open else "closed"
    service = found.service
    workers = f", {service.workers} of {service.workers_known} workers answer" if service else ""
    lines.append(Text(f"session {opened}{workers}", style="dim"))
    return Group(*lines)


def _verdict_line(one: IndexHealth, later: float) -> Text:
    word = verdict(one, later)
    line = foreign(f"{one.index:6} ", "bold")
    line.append(f" {word} ", style=f"bold {STYLES.get(word, ATTENTION)}")
    if one.mode != "live":
        line.append(f"  {one.mode.upper()} ", style="bold black on yellow")
    line.append(f"  age {duration(one.age_seconds + later)}")
    if one.mode in ALLOWED and one.event_age_seconds is not None:
        line.append(f"   event age {duration(one.event_age_seconds + later)}")
    return line.append(f"   coverage {percent(one.values.get('coverage'))}")


def numbers(found: Health, later: float) -> RenderableType:
    """The headline numbers with their change since the close and their rank; grey once stale."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("30 days")
    for one in found.indices:
        for title in (one.index, "since close", "rank"):
            table.add_column(foreign(title), justify="right")
    for measure in HEADLINES:
        cells = [Text(measure.heading)]
        for one in found.indices:
            style = "bold" if one.fresh(later) else "dim"
            cells += [Text(text, style=style) for text in _number(one, measure.field)]
        table.add_row(*cells)
    return table


def _number(one: IndexHealth, field: str) -> tuple[str, str, str]:
    change = one.changes.get(field, {}).get("1d")
    ranks = one.percentiles.get(field, {})
    rank = next(iter(ranks.values()), None)
    return (
        percent(one.values.get(field)),
        "" if change is None else f"{100 * change:+.1f}",
        "" if rank is None else f"{100 * rank:.0f}",
    )


def distances(found: Health, later: float) -> RenderableType:
    """How far each rule is on its way to fire, the nearest first."""
    lines = [line for one in found.indices for line in _distance_lines(one, later)]
    return Group(*(lines or [Text("no rule has a distance yet", style="dim")]))


def _distance_lines(one: IndexHealth, later: float) -> Iterator[Text]:
    if not one.fresh(later):
        yield foreign(f"{one.index:6} {STALE}", "dim")
        return
    states = {alert.rule: alert.underlying_status.upper() for alert in one.alerts}
    states |= dict.fromkeys(one.inhibited, "INHIBITED")
    for rule in sorted(one.distances, key=lambda name: one.distances[name]):
        if rule == DOUBTED:
            continue
        share = 1.0 - one.distances[rule]
        filled = round(max(0.0, min(1.0, share)) * BAR)
        line = foreign(f"{one.index:6} {rule:24} ")
        line.append("━" * filled, style="yellow" if share >= 0.5 else "cyan")
        line.append("╌" * (BAR - filled), style="dim")
        yield line.append(f" {states.get(rule, f'{100 * share:.0f} %')}")


ALERT_COLUMNS = ("severity", "alert", "index", "scope", "status", "since", "who", "what")


def alert_cells(one: IndexHealth, alert: ActiveAlert, later: float) -> list[Text]:
    """One alert in the columns of the table."""
    dim = "" if one.fresh(later) else "dim"
    silenced = "" if alert.silenced_until is None else f" silenced to {alert.silenced_until:%H:%M}Z"
    status = alert.status if one.fresh(later) else f"{STALE}, was {alert.status}"
    shown = (
        *(alert.rule, one.index, alert.scope, status),
        *(f"{alert.starts_at:%m-%d %H:%M}Z", f"{alert.acked_by or '-'}{silenced}", alert.summary),
    )
    severity = foreign(f" {alert.severity} ", dim or SEVERITY_STYLE.get(alert.severity, ""))
    return [severity, *(foreign(text, dim) for text in shown)]


def partitions(found: Health, before: Waiting) -> RenderableType:
    """What waits by partition, the most first, against the look before."""
    if not found.partitions:
        return Text("Kafka does not tell what waits", style="bold yellow")
    table = Table("topic", "partition", "waiting", "", box=None, pad_edge=False, header_style="dim")
    busy = [one for one in found.partitions if one.waiting]
    for one in sorted(busy, key=lambda part: -part.waiting):
        word = trend(one, before)
        style = "bold yellow" if word == "growing" else ""
        cells = (one.topic, str(one.partition), f"{one.waiting:,}", word)
        table.add_row(*(foreign(text, style) for text in cells))
    quiet = len(found.partitions) - len(busy)
    rest = Text(f"nothing waits on {quiet} of {len(found.partitions)} partitions", style="dim")
    return Group(table, rest) if busy else rest


def trend(one: PartitionLag, before: Waiting) -> str:
    """Draining, growing or standing; nothing where it was not seen before."""
    was = before.get((one.topic, one.partition))
    if was is None:
        return ""
    if one.waiting == was:
        return "standing"
    return "growing" if one.waiting > was else "draining"


def waiting(found: Health) -> Waiting:
    """What waits by topic and partition."""
    return {(one.topic, one.partition): one.waiting for one in found.partitions}


def problems(texts: Sequence[str]) -> RenderableType:
    """What is wrong, a line each."""
    if not texts:
        return Text("no problem is known", style="dim")
    return Group(*(foreign(text, "bold yellow") for text in texts))
