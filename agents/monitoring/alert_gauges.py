"""Gauges of the regime and of where each rule stands."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily

from agents.monitoring.market_view import View, gauge
from streams.detection.rules.catalogue import NAMES
from streams.detection.rules.verdict import SEVERITIES
from streams.detection.views.regime import REGIMES
from streams.detection.views.snapshot import Snapshot

FIRST_SEVERITY = "warning"
"""What the distance is measured to; the further steps of the ladder lie beyond it."""

ALERT_STATES = ("pending", "firing", "suspended", "silenced", "inhibited")


def regime_gauges(views: Sequence[View]) -> Iterator[GaugeMetricFamily]:
    """The regime, what fires and since when, and how far each rule is from firing."""
    regime = gauge("regime", "1 for the state the trade is in.", "index", "state")
    active = gauge("alert_active", "1 while an alert is firing.", "index", "alert", "severity")
    since = gauge(
        "alert_start_timestamp_seconds",
        "When a firing alert began, event time.",
        "index",
        "alert",
        "severity",
        "acked_by",
    )
    distance = gauge(
        "alert_distance_ratio",
        "How far a rule is from firing: 0 fires, 1 is calm.",
        "index",
        "alert",
        "severity",
    )
    for view in views:
        symbol = view.spec.symbol
        for state in REGIMES:
            regime.add_metric([symbol, state], float(view.snapshot.regime == state))
        for rule, value in view.snapshot.distances.items():
            distance.add_metric([symbol, rule, FIRST_SEVERITY], value)
        firing = {
            a.rule: a
            for a in sorted(view.snapshot.alerts, key=lambda a: SEVERITIES.index(a.severity))
            if a.underlying_status == "firing"
        }
        for rule in sorted({*view.snapshot.distances, *firing}):
            alert = firing.get(rule)
            for severity in SEVERITIES:
                active.add_metric(
                    [symbol, rule, severity],
                    float(alert is not None and alert.severity == severity),
                )
            if alert is not None:
                since.add_metric(
                    [symbol, rule, alert.severity, alert.acked_by], alert.starts_at.timestamp()
                )
    yield from (regime, active, since, distance)


def alert_states(views: Sequence[View]) -> GaugeMetricFamily:
    """Where each rule stands; all are 0 for one that is calm."""
    text = "1 for the states that the alert of a rule is in."
    family = gauge("alert_state", text, "index", "alert", "state")
    for view in views:
        found = _states(view.snapshot)
        for rule in NAMES:
            for state in ALERT_STATES:
                value = float((rule, state) in found)
                family.add_metric([view.spec.symbol, rule, state], value)
    return family


def _states(snapshot: Snapshot) -> set[tuple[str, str]]:
    """Pairs of rule and state; of several scopes each counts."""
    found = {(rule, "inhibited") for rule in snapshot.inhibited}
    for alert in snapshot.alerts:
        found |= {(alert.rule, alert.status), (alert.rule, alert.underlying_status)}
        if alert.silenced_until is not None:
            found.add((alert.rule, "silenced"))
    return found
