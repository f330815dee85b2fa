"""The rise of an alert that tells nobody yet: its higher severity has a dwell of its own.

An early sign does nothing to others and pages nobody. What it becomes has to hold for as long as if
there had been no early sign, or one second of a bad print would page at once.
"""

from dataclasses import replace

from streams.detection.alerts.lifecycle import Alert, Durations
from streams.detection.rules.verdict import Verdict, greater


def patient(alert: Alert, ts: int, verdict: Verdict, durations: Durations) -> Verdict:
    """The verdict that counts for an alert with a quiet label, at a reading (ns).

    Until a higher severity has held for a dwell it is the same condition with what the alert says
    already. Suspended and held time, and a gap between readings, begin the dwell anew.
    """
    asked = verdict.enter and not verdict.blocked and not verdict.held
    active = alert.underlying_status in {"pending", "firing"}
    if not (asked and active and greater(verdict.severity, alert.severity)):
        alert.rising_since = 0
        return verdict
    if not alert.rising_since or ts - alert.last > durations.gap:
        alert.rising_since = ts
    if ts - alert.rising_since >= durations.dwell:
        return verdict
    said = alert.detail
    return replace(verdict, severity=alert.severity, label=said.label, direction=said.direction)
