"""The explanation of one index at one second: the detector's own verdicts, not a second opinion.

It is the first pass of the detector, on the context that the readings before that second leave
behind. Alerts are taken from their events, because an alert may have begun long before the first of
these readings.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from streams.catalogue.measures import RULE_TENOR
from streams.detection.alerts.alert_event import AlertEvent
from streams.detection.alerts.events import moment
from streams.detection.context_builder import ContextBuilder
from streams.detection.evaluator import Evaluated, evaluate
from streams.detection.gates import phase
from streams.detection.history.attribution import Split, attribution_between
from streams.detection.history.days import SESSIONS
from streams.detection.rule_context import RuleContext
from streams.detection.rules.catalogue import POLICY, RuleSet, catalogue
from streams.detection.rules.policy import FiringAlert
from streams.detection.views.explanation import Explanation, RuleLine
from streams.detection.views.regime import RegimeAlert, regime
from streams.detection.views.snapshot import ActiveAlert, changes_of, percentiles_of
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


class Explained(NamedTuple):
    """The explanation, and the context that it was taken from."""

    explanation: Explanation
    context: RuleContext
    move: Split | None
    """Of index vol since the prior close, by name and sector."""


def explain_in_context(
    spec: IndexSpec, gates: Gates, rules: RuleSet, inputs: ExplainInputs
) -> Explained | None:
    """The last of the readings explained; None when there is none of 30 days."""
    ours = (spec.symbol, RULE_TENOR)
    readings = [one for one in inputs.readings if (one.index, one.tenor) == ours]
    if not readings:
        return None
    # Older sessions would be forgotten again.
    known = set(sorted({one.session for one in readings})[-SESSIONS - 1 :])
    readings = [one for one in readings if one.session in known]
    contexts = ContextBuilder(spec, gates, rules.baseline)
    session = readings[-1].session
    contexts.history.restore(
        {("day", day.isoformat()): chunk for day, chunk in inputs.days.items() if day < session}
    )
    context = contexts.build(readings[0])
    for reading in readings[1:]:
        if reading.ts_event > context.reading.ts_event:
            context = contexts.build(reading)
    verdicts = evaluate(catalogue(rules, gates), context, {})
    move = _move(spec, context)
    return Explained(_explanation(context, verdicts, inputs.alerts, move), context, move)


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


def _move(spec: IndexSpec, context: RuleContext) -> Split | None:
    close = context.baseline.close(1)
    if close is None or close.basis != context.now.basis:
        return None
    return attribution_between(close, context.now, spec.basket).index_vol


def _explanation(
    context: RuleContext,
    verdicts: Iterable[Evaluated],
    alerts: Sequence[ActiveAlert],
    split: Split | None,
) -> Explanation:
    active = {(one.rule, one.scope): one for one in alerts}
    firing = [one for one in alerts if one.underlying_status == "firing"]
    told = [one for one in firing if one.label not in POLICY.quiet_labels]
    acting = POLICY.acting(FiringAlert(one.rule, one.scope, one.label) for one in firing)
    close = context.baseline.close(1)
    return Explanation(
        reading=msgspec.structs.replace(context.reading, constituents=None),
        hours=phase(context.now.ts, context.reading.session),
        regime=regime(
            [
                RegimeAlert(one.rule, one.direction, suspended=one.status == "suspended")
                for one in told
            ],
            context,
        ),
        changes=changes_of(context, None),
        percentiles=percentiles_of(context),
        history=len(context.baseline.closes),
        needed=context.baseline.minimum,
        prior_close=None if close is None else moment(close.ts),
        move=None if split is None else split.change,
        move_by_correlation=None if split is None else split.common,
        move_by_name={} if split is None else _largest(split.names),
        rules=tuple(_line(one, acting, active, context) for one in verdicts),
        alerts=tuple(alerts),
    )


def _line(
    one: Evaluated,
    firing: AbstractSet[str],
    active: Mapping[tuple[str, str], ActiveAlert],
    context: RuleContext,
) -> RuleLine:
    rule, scope = one.rule, one.scope
    unconcerned = context.is_unconcerned(rule.pair)
    verdict = POLICY.applied(rule.name, one.verdict, firing, scope=scope, unconcerned=unconcerned)
    entry, exit_ = rule.thresholds()
    alert = active.get((rule.name, scope))
    return RuleLine(
        rule=rule.name,
        scope=scope,
        says=verdict.outcome,
        gate=verdict.blocked,
        severity=verdict.severity if verdict.enter else None,
        label=verdict.label,
        direction=verdict.direction,
        distance=verdict.distance,
        compared_with=None if verdict.start is None else moment(verdict.start.ts),
        any_of=verdict.any_of,
        conditions=verdict.conditions,
        unknown=verdict.unknown,
        alert="inactive" if alert is None else alert.status,
        thresholds={"enter": entry, "exit": exit_},
    )


def _largest(parts: Mapping[str, float]) -> dict[str, float]:
    order = sorted(parts, key=lambda name: (-abs(parts[name]), name))
    shown = {name: parts[name] for name in order[:TOP]}
    return (
        shown if len(order) <= TOP else {**shown, "other": sum(parts[name] for name in order[TOP:])}
    )
