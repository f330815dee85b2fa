"""The third pass: events from transitions, with their evidence and words.

    events = describe(transitions, context)

Nothing is decided here.
"""

from collections.abc import Iterable
from typing import NamedTuple

from streams.detection.alerts.events import EventOrigin, outbox_entry
from streams.detection.alerts.evidence import evidence
from streams.detection.alerts.transitions import AlertTransition
from streams.detection.rule_context import RuleContext
from streams.stage import OutboxEntry


class AlertDescription(NamedTuple):
    """A transition in words."""

    summary: str
    """What has happened, for a trader."""
    entry: OutboxEntry
    """The event."""


def describe(
    transitions: Iterable[AlertTransition], context: RuleContext
) -> list[AlertDescription]:
    """One event for each transition, in order."""
    reading = context.reading
    when = EventOrigin(context.now.ts, reading.session, reading.mode, reading.basis)
    return [_described(one, context, when) for one in transitions]


def _described(one: AlertTransition, context: RuleContext, when: EventOrigin) -> AlertDescription:
    why = evidence(one.rule, context, one.alert, one.transition, one.verdict, one.start)
    changes = one.configuration_changes
    entry = outbox_entry(one.who, one.rule, one.alert, one.transition, when, why, changes)
    return AlertDescription(why.summary, entry)
