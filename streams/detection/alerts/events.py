"""Alert events: CloudEvents 1.0 in structured JSON, byte for byte a function of the readings.

`detected_at` is null in the bytes that are committed with the state, so that a live run, a replay
and a restart write the same event. The timestamp of the Kafka record is the wall time of
publication. Schema: `config/schemas/alert.v1.json`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from streams.detection.alerts.alert_event import (
    AlertData,
    AlertEvent,
    ConfigurationChange,
    Evidence,
    Labels,
    Thresholds,
    encode_event,
)
from streams.detection.alerts.lifecycle import Alert, Transition
from streams.detection.rules.rule import Rule
from streams.detection.scope import Scope
from streams.market import REPLAYED, Mode
from streams.reading import Basis
from streams.records import NS
from streams.stage import OutboxEntry

SEPARATOR = "\x1f"


def fingerprint(rule: str, index: str, tenor: str, scope: str) -> str:
    """Identity of an alert: 16 hex digits.

    >>> fingerprint("vix_spike_unwind", "SPX", "30d", "intraday")
    '83fbce0a7abe6abc'
    """
    return hashed(rule, index, tenor, scope)[:16]


def event_id(alert: str, rule_version: str, transition: str, ts_event: int) -> str:
    """Identity of an event: 20 hex digits.

    They are over fingerprint, rule version, transition and event time in nanoseconds.
    """
    return hashed(alert, rule_version, transition, str(ts_event))[:20]


def event_type(transition: str) -> str:
    """The CloudEvents type of a transition or an echo."""
    return f"io.dispersion.alert.{transition}.v1"


def hashed(*parts: str) -> str:
    """BLAKE2b of some words, hexadecimal."""
    return blake2b(SEPARATOR.join(parts).encode()).hexdigest()


class Identity(msgspec.Struct, frozen=True):
    """What never changes about an alert."""

    fingerprint: str
    index: str
    tenor: str
    scope: Scope


class EventOrigin(msgspec.Struct, frozen=True):
    """The reading behind an event, as far as the envelope is concerned."""

    ts: int
    session: date
    mode: Mode
    basis: Basis


def outbox_entry(
    who: Identity,
    rule: Rule[Any],
    alert: Alert,
    transition: Transition,
    when: EventOrigin,
    why: Evidence,
    changes: Sequence[ConfigurationChange] = (),
) -> OutboxEntry:
    """The event of a transition, its sequence number taken from the alert's state.

    `changes` are told with it.
    """
    event = AlertEvent(
        id=event_id(who.fingerprint, rule.numbers.version, transition.kind, when.ts),
        source=f"/dispersion/monitor/{who.index.lower()}",
        type=event_type(transition.kind),
        subject=f"{who.index}/{who.tenor}/{rule.name}",
        time=moment(when.ts),
        partitionkey=who.fingerprint,
        sequence=f"{alert.sequence:08d}",
        data=_data(who, rule, alert, transition, when, _told(why, changes), changes),
    )
    return OutboxEntry(event.id, encode_event(event))


def moment(ts: int) -> datetime:
    """UTC time of whole-second nanoseconds."""
    return datetime.fromtimestamp(ts // NS, tz=UTC)


def _told(why: Evidence, changes: Sequence[ConfigurationChange]) -> Evidence:
    if not changes:
        return why
    files = " and ".join(change.what for change in changes)
    return msgspec.structs.replace(
        why, summary=f"{why.summary} Configuration changed while it was active: {files}."
    )


def _data(
    who: Identity,
    rule: Rule[Any],
    alert: Alert,
    transition: Transition,
    when: EventOrigin,
    why: Evidence,
    changes: Sequence[ConfigurationChange],
) -> AlertData:
    entry, exit_ = rule.thresholds()
    timing = rule.numbers
    durations = (
        (0.0, 0.0, 0.0)
        if who.scope.form == "daily"
        else (timing.dwell_seconds, timing.exit_dwell_seconds, timing.cool_down_seconds)
    )
    return AlertData(
        fingerprint=who.fingerprint,
        rule=rule.name,
        rule_version=rule.numbers.version,
        transition=transition.kind,
        status=transition.status,
        previous_status=transition.previous,
        reason=transition.reason,
        severity=alert.severity,
        label=alert.detail.label,
        direction=alert.detail.direction,
        session=when.session,
        mode=when.mode,
        confidence=alert.detail.confidence,
        unknown=alert.unknown,
        basis=when.basis,
        labels=Labels(who.index, who.tenor, who.scope),
        group_key=f"{who.index}/{rule.label}",
        starts_at=moment(alert.starts_at),
        ends_at=moment(alert.ends_at) if transition.status == "resolved" else None,
        detected_at=None,
        summary=why.summary,
        values=why.values,
        compared_with=why.compared_with,
        thresholds=Thresholds(entry, exit_, *durations),
        data_quality=why.data_quality,
        contributors=why.contributors,
        notification=alert.notification,
        configuration_changed=tuple(changes) or msgspec.UNSET,
        links={"runbook": f"docs/use/runbook.md#{rule.name}"},
        replay=when.mode in REPLAYED,
        engine=ENGINE,
    )


def _engine() -> str:
    try:
        return version("dispersion-monitor")
    except PackageNotFoundError:
        return "unknown"


ENGINE = _engine()
