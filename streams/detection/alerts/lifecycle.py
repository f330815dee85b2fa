"""The lifecycle of an alert: from verdicts on readings to transitions, in event time alone.

inactive ─► pending ─► firing ─► resolved (inactive again, cooling down)
              │  ▲       │  ▲
              ▼  │       ▼  │
             suspended ◄─► suspended

* An alert is *pending* from the first reading whose condition holds, *firing* when it has held for
  the dwell at every evaluated reading, *resolved* when the exit has held for the exit dwell. Enter
  and exit differ: between them it keeps its state.
* A gap between readings longer than the limit restarts a dwell. Suspended and held time neither
  counts nor restarts.
* A pending alert whose condition ends, which becomes inhibited, or whose session's evaluation ends,
  is resolved from `pending` and leaves no cool-down. A firing alert carries over.
* The exit is measured from the greatest move, so it may hold while the condition still does (half
  of a great move is a move): intraday the exit wins, and the cool-down keeps old news from firing
  again; at a close the condition wins.
* A firing alert is `updated` at once when its severity rises, and when severity has been lower, or
  label, direction or confidence have differed, for one dwell. The daily form is updated at each
  close whose condition holds. Severity and all else are always of one verdict.
* A rule may say that what fires is over though its exit does not hold. That has to last for the
  exit dwell too, and at a close the condition does not win over it: another alert begins.
* After it has resolved, an alert may become pending within the cool-down only with a higher
  severity than it had.
* A condition that is proven, for it has been measured over time already, has neither dwell nor
  cool-down.
* An alert whose start lies beyond a gap in the history is resolved, for nothing is compared across
  a gap.
* Inhibition keeps an alert that is not firing from starting; one that is firing stays and may still
  escalate or resolve.
"""

from typing import Literal, NamedTuple

import msgspec

from streams.catalogue.vocabulary import Kind
from streams.detection.alerts.notification import Notification
from streams.detection.numbers import RuleNumbers
from streams.detection.rules.verdict import Direction, Severity, Verdict, greater
from streams.detection.scope import Form
from streams.records import NS

Status = Literal["inactive", "pending", "firing", "suspended"]
Confidence = Literal["high", "low"]


GAP = "gap"
"""The reason of an alert that ends because the history was cut."""
EASED = "eased"
"""The reason of an update with a lower severity."""


class AlertDetail(msgspec.Struct, frozen=True, array_like=True):
    """What may change about a firing alert without being another alert."""

    label: str = ""
    direction: Direction | None = None
    confidence: Confidence = "high"
    legs: tuple[str, ...] = ()
    """Legs of the trade that have gone silent."""


class Alert(msgspec.Struct):
    """The state of one fingerprint. Times are nanoseconds of event time; 0 when not set."""

    status: Status = "inactive"
    status_before: Status = msgspec.field(default="inactive", name="before")
    """What a suspended alert was and will be."""
    sequence: int = 0
    """Events so far."""
    severity: Severity = "info"
    detail: AlertDetail = msgspec.field(default=AlertDetail(), name="shade")
    unknown: tuple[str, ...] = ()
    starts_at: int = 0
    ends_at: int = 0
    last: int = 0
    """Latest reading that was evaluated."""
    since: int = 0
    """Start of the dwell, moved on by suspended time."""
    exit_since: int = 0
    changed_since: int = 0
    changed: AlertDetail | None = None
    """Another detail that has to prove itself."""
    eased_since: int = 0
    """Since when verdicts are less severe than the alert."""
    rising_since: int = 0
    """Since when verdicts are more severe than an alert with a quiet label."""
    paused_at: int = 0
    cool_until: int = 0
    cool_severity: Severity = "info"
    peak: float = 0.0
    """Greatest move from the start of the episode since it fires."""
    summary: str = ""
    """Words of the latest event."""
    notification: Notification = Notification()
    """What people have said of it since it became active; no transition looks at it."""
    configuration: dict[str, str] = {}
    """Hashes of basket and rules at the latest event; empty when an older version made it."""
    received: int = 0
    """Kafka's time (ms) of the reading that began it; 0 when not known.

    Commands from before it are about another.
    """

    @property
    def underlying_status(self) -> Status:
        """The status behind a suspension."""
        return self.status_before if self.status == "suspended" else self.status


class Transition(NamedTuple):
    """One change of an alert, worth one event."""

    kind: Kind
    status: Literal["pending", "firing", "suspended", "resolved"]
    previous: Status
    reason: str = ""
    """The gate that suspends, why its severity changed, or why it ended without its exit."""


class Durations(NamedTuple):
    """Durations in nanoseconds."""

    dwell: int
    exit_dwell: int
    cool_down: int
    gap: int
    """Longest silence between evaluated readings that a dwell survives."""
    daily: bool = False
    """Every close whose condition holds is new evidence."""


def durations_of(timing: RuleNumbers, refresh_seconds: float | None, form: Form) -> Durations:
    """Durations of a rule at a reading; the daily form has no dwell and no cool-down."""
    gap = int(max(30.0, 3.0 * (refresh_seconds or 0.0)) * NS)
    if form == "daily":
        return Durations(0, 0, 0, gap, daily=True)
    return Durations(
        int(timing.dwell_seconds * NS),
        int(timing.exit_dwell_seconds * NS),
        int(timing.cool_down_seconds * NS),
        gap,
    )


def suspend(alert: Alert, ts: int, reason: str, durations: Durations) -> list[Transition]:
    """A gate has failed at `ts`: time stands still for this alert, and its subscribers are told."""
    if alert.status not in {"pending", "firing"}:
        return []
    hold(alert, ts, durations)
    alert.status_before, alert.status = alert.status, "suspended"
    return [Transition("suspended", "suspended", alert.status_before, reason)]


def hold(alert: Alert, ts: int, durations: Durations) -> None:
    """A value is held back at `ts`: time stands still, nothing is said."""
    if alert.status in {"pending", "firing"} and not alert.paused_at:
        _restart_after_gap(alert, ts, durations)
        alert.paused_at = alert.last = ts


def end_session(alert: Alert, ts: int) -> list[Transition]:
    """The session's evaluation is over: what is pending ends, what fires carries over."""
    return _withdraw(alert, ts, "session_end") if alert.underlying_status == "pending" else []


def end_at_gap(alert: Alert, ts: int) -> list[Transition]:
    """What a firing alert is measured from is no longer part of the history."""
    return _withdraw(alert, ts, GAP) if alert.underlying_status == "firing" else []


def follow(
    alert: Alert, ts: int, verdict: Verdict, detail: AlertDetail, durations: Durations
) -> list[Transition]:
    """A reading at `ts` with the verdict that counts; `detail` is that of a condition that holds.

    A rule that is blocked suspends, a value that is held back lets time stand still.
    """
    if verdict.blocked:
        return suspend(alert, ts, verdict.blocked, durations)
    if verdict.held:
        hold(alert, ts, durations)
        return []
    if verdict.peak is not None and alert.underlying_status == "firing":
        alert.peak = verdict.peak
    return advance(alert, ts, verdict, detail, durations)


def advance(
    alert: Alert, ts: int, verdict: Verdict, detail: AlertDetail, durations: Durations
) -> list[Transition]:
    """An evaluated reading at `ts`."""
    out = _resume(alert)
    _advance_clocks(alert, ts, durations)
    starts = verdict.enter and not verdict.inhibited
    if alert.status == "pending" and not starts:
        out += _withdraw(alert, ts, "inhibited" if verdict.enter else "")
    elif alert.status == "inactive" and starts and _may_start(alert, ts, verdict):
        out += _start(alert, ts, verdict, detail, durations)
    elif alert.status == "pending":
        alert.severity, alert.detail, alert.unknown = verdict.severity, detail, verdict.unknown
        dwelt = verdict.proven or ts - alert.since >= durations.dwell
        if dwelt and _may_start(alert, ts, verdict):
            alert.status = "firing"
            out.append(Transition("firing", "firing", "pending"))
    elif alert.status == "firing" and _is_over(verdict, durations):
        _forget_changes(alert)
        out += _exit(alert, ts, durations, verdict.over)
    elif alert.status == "firing":
        alert.exit_since = 0
        out += _update(alert, ts, verdict, detail, durations) if verdict.enter else []
    return out


def _is_over(verdict: Verdict, durations: Durations) -> bool:
    """Whether what fires is over: by its story, or by its exit, which a close may overrule."""
    return bool(verdict.over or (verdict.ended and not (durations.daily and verdict.enter)))


def _resume(alert: Alert) -> list[Transition]:
    if alert.status != "suspended":
        return []
    status = alert.status = alert.status_before
    return [Transition("resumed", "firing" if status == "firing" else "pending", "suspended")]


def _advance_clocks(alert: Alert, ts: int, durations: Durations) -> None:
    """Move the clocks of the dwells to `ts`."""
    if alert.status == "inactive":
        return
    if alert.paused_at:
        pause = ts - alert.paused_at
        alert.since += pause
        alert.exit_since += pause if alert.exit_since else 0
        alert.changed_since += pause if alert.changed_since else 0
        alert.eased_since += pause if alert.eased_since else 0
        alert.paused_at = 0
    else:
        _restart_after_gap(alert, ts, durations)
    alert.last = ts


def _restart_after_gap(alert: Alert, ts: int, durations: Durations) -> None:
    if ts - alert.last > durations.gap:
        alert.since = ts
        alert.exit_since = ts if alert.exit_since else 0
        alert.changed_since = ts if alert.changed_since else 0
        alert.eased_since = ts if alert.eased_since else 0


def _may_start(alert: Alert, ts: int, verdict: Verdict) -> bool:
    warm = ts >= alert.cool_until or verdict.proven
    return warm or greater(verdict.severity, alert.cool_severity)


def _start(
    alert: Alert, ts: int, verdict: Verdict, detail: AlertDetail, durations: Durations
) -> list[Transition]:
    alert.severity, alert.detail, alert.unknown = verdict.severity, detail, verdict.unknown
    alert.starts_at = alert.since = alert.last = ts
    alert.ends_at = alert.exit_since = alert.paused_at = 0
    _forget_changes(alert)
    if durations.dwell > 0 and not verdict.proven:
        alert.status = "pending"
        return [Transition("pending", "pending", "inactive")]
    alert.status = "firing"
    return [Transition("firing", "firing", "inactive")]


def _withdraw(alert: Alert, ts: int, reason: str) -> list[Transition]:
    previous = alert.status
    alert.status, alert.ends_at, alert.paused_at = "inactive", ts, 0
    return [Transition("resolved", "resolved", previous, reason)]


def _update(
    alert: Alert, ts: int, verdict: Verdict, detail: AlertDetail, durations: Durations
) -> list[Transition]:
    """A firing alert whose condition holds.

    A lower severity, or a detail that differs, has to last for a dwell without a break. Severity,
    detail and what is unknown are then taken over together, for they belong to one verdict.
    """
    rises = greater(verdict.severity, alert.severity)
    eases = greater(alert.severity, verdict.severity)
    if not (
        rises
        or _settled(alert, ts, detail, durations)
        or _eased(alert, ts, durations, eases=eases)
        or durations.daily
    ):
        return []
    alert.severity, alert.detail, alert.unknown = verdict.severity, detail, verdict.unknown
    _forget_changes(alert)
    reason = "escalated" if rises else EASED if eases else ""
    return [Transition("updated", "firing", "firing", reason)]


def _settled(alert: Alert, ts: int, detail: AlertDetail, durations: Durations) -> bool:
    if detail == alert.detail:
        alert.changed, alert.changed_since = None, 0
    elif detail != alert.changed:
        alert.changed, alert.changed_since = detail, ts
    return alert.changed is not None and ts - alert.changed_since >= durations.dwell


def _eased(alert: Alert, ts: int, durations: Durations, *, eases: bool) -> bool:
    alert.eased_since = (alert.eased_since or ts) if eases else 0
    return eases and ts - alert.eased_since >= durations.dwell


def _forget_changes(alert: Alert) -> None:
    alert.changed, alert.changed_since, alert.eased_since = None, 0, 0


def _exit(alert: Alert, ts: int, durations: Durations, reason: str) -> list[Transition]:
    alert.exit_since = alert.exit_since or ts
    if ts - alert.exit_since < durations.exit_dwell:
        return []
    alert.status, alert.ends_at = "inactive", ts
    alert.cool_until, alert.cool_severity = ts + durations.cool_down, alert.severity
    return [Transition("resolved", "resolved", "firing", reason)]
