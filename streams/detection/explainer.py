"""The explanation of one index at one second: the detector's own verdicts, not a second opinion.

The detector is fed the readings that lead up to that second, so what is explained is what decided.
Alerts are taken from their events instead, because an alert may have begun long before the first of
these readings.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from streams.detection.alert_event import AlertEvent
from streams.detection.attribution import attribution_between
from streams.detection.detector import TENOR, Detector
from streams.detection.events import moment
from streams.detection.explanation import ConditionLine, Explanation, RuleLine
from streams.detection.gates import phase
from streams.detection.lifecycle import Alert, AlertDetail
from streams.detection.rule_context import RuleContext
from streams.detection.rule_evaluator import RuleResult
from streams.detection.rules.catalogue import INHIBITED_BY, catalogue
from streams.detection.rules.rule import Rule, RuleOutcome
from streams.detection.rules.ruleset import RuleSet
from streams.detection.snapshot import ActiveAlert, changes_of, percentiles_of, regime
from streams.market import Gates, IndexSpec
from streams.reading import Reading

TOP = 8
"""Names shown of a move; the rest is `other`."""


class ExplainInputs(NamedTuple):
    """What is known of an index up to a second.

    It is the closes before its session, its readings in order, its latest alerts.
    """

    days: Mapping[date, bytes]
    readings: Iterable[Reading]
    alerts: Sequence[ActiveAlert] = ()


def explain(
    spec: IndexSpec, gates: Gates, rules: RuleSet, inputs: ExplainInputs
) -> Explanation | None:
    """The last of the readings explained; None when there is none of 30 days."""
    made = catalogue(rules, gates)
    detector = Detector(spec, gates, made, rules.baseline)
    readings = [
        reading
        for reading in inputs.readings
        if reading.index == spec.symbol and reading.tenor == TENOR
    ]
    if not readings:
        return None
    session = readings[-1].session
    detector.restore(
        {("day", day.isoformat()): payload for day, payload in inputs.days.items() if day < session}
    )
    for reading in readings:
        if not detector.seen(reading):
            detector.apply(reading)
    context = detector.context
    return (
        None
        if context is None
        else _explanation(spec, context, made, detector.results, inputs.alerts)
    )


def active_at(events: Iterable[AlertEvent], index: str, at: datetime) -> list[ActiveAlert]:
    """The alerts of an index that stood at a time, oldest first, from their events in order."""
    latest = {
        event.partitionkey: event
        for event in events
        if event.data.labels.index == index and event.time <= at
    }
    return [
        _active(event)
        for event in sorted(latest.values(), key=lambda one: one.data.starts_at)
        if event.data.status != "resolved"
    ]


def _active(event: AlertEvent) -> ActiveAlert:
    data = event.data
    assert data.status != "resolved"
    return ActiveAlert(
        fingerprint=data.fingerprint,
        rule=data.rule,
        scope=data.labels.scope,
        tenor=data.labels.tenor,
        severity=data.severity,
        status=data.status,
        underlying_status=data.previous_status if data.status == "suspended" else data.status,
        label=data.label,
        direction=data.direction,
        starts_at=data.starts_at,
        summary=data.summary,
    )


def _explanation(
    spec: IndexSpec,
    context: RuleContext,
    rules: Sequence[Rule],
    results: Mapping[tuple[str, str], RuleResult],
    alerts: Sequence[ActiveAlert],
) -> Explanation:
    active = {(one.rule, one.scope): one for one in alerts}
    close = context.baseline.close(1)
    split = (
        None
        if close is None or close.basis != context.now.basis
        else attribution_between(close, context.now, spec.basket).index_vol
    )
    return Explanation(
        reading=msgspec.structs.replace(context.reading, constituents=None),
        hours=phase(context.now.ts, context.reading.session),
        regime=regime({key: _alert(one) for key, one in active.items()}, context),
        changes=changes_of(context, None),
        percentiles=percentiles_of(context),
        history=len(context.baseline.closes),
        needed=context.baseline.minimum,
        prior_close=None if close is None else moment(close.ts),
        move=None if split is None else split.change,
        move_by_correlation=None if split is None else split.common,
        move_by_name={} if split is None else _largest(split.names),
        rules=tuple(
            _line(rule, scope, results[rule.name, scope], active)
            for rule in rules
            for scope in rule.scopes
            if (rule.name, scope) in results
        ),
        alerts=tuple(alerts),
    )


def _alert(active: ActiveAlert) -> Alert:
    return Alert(
        status="firing" if active.underlying_status == "firing" else "pending",
        detail=AlertDetail(active.label, active.direction),
    )


def _line(
    rule: Rule, scope: str, result: RuleResult, active: Mapping[tuple[str, str], ActiveAlert]
) -> RuleLine:
    verdict = result.verdict
    entry, exit_ = rule.thresholds()
    alert = active.get((rule.name, scope))
    return RuleLine(
        rule=rule.name,
        scope=scope,
        says=_says(rule, result, active),
        gate=result.gate or verdict.blocked,
        severity=verdict.severity if verdict.enter else None,
        label=verdict.label,
        direction=verdict.direction,
        distance=verdict.distance,
        compared_with=None if verdict.start is None else moment(verdict.start.ts),
        any_of=verdict.any_of,
        conditions=tuple(
            ConditionLine(
                one.name,
                one.value,
                one.enter,
                one.downwards,
                one.strict,
                one.exit,
                one.holds,
                one.distance,
            )
            for one in verdict.conditions
        ),
        unknown=verdict.unknown,
        alert="inactive" if alert is None else alert.status,
        thresholds={"enter": entry, "exit": exit_},
    )


def _says(
    rule: Rule, result: RuleResult, active: Mapping[tuple[str, str], ActiveAlert]
) -> RuleOutcome:
    verdict = result.verdict
    if result.gate or verdict.blocked:
        return "suspended"
    if result.held:
        return "held"
    if verdict.lacking:
        return "unknown"
    if not verdict.enter:
        return "quiet"
    firing = {name for (name, _), alert in active.items() if alert.underlying_status == "firing"}
    return "inhibited" if firing.intersection(INHIBITED_BY.get(rule.name, ())) else "holds"


def _largest(parts: Mapping[str, float]) -> dict[str, float]:
    order = sorted(parts, key=lambda name: (-abs(parts[name]), name))
    shown = {name: parts[name] for name in order[:TOP]}
    return (
        shown if len(order) <= TOP else {**shown, "other": sum(parts[name] for name in order[TOP:])}
    )
