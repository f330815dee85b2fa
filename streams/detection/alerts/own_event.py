"""Which records of the alert topics are ours.

Whatever stands there is judged like input, for anybody may have written it.

An event of ours names itself: the fingerprint is a hash of rule, index, tenor and scope, the id one
of what the event is about, the type repeats the transition, and the key of the record is the
fingerprint. A copy with any of them changed is foreign. This is no signature: who may write to the
alert topics can forge it, so give them an ACL that lets workers write and nobody else.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from streams.detection.alerts.alert_event import AlertEvent, decode_event
from streams.detection.alerts.echo import earlier_echo_id, id_of_content
from streams.detection.alerts.events import event_id, event_type, fingerprint
from streams.records import NS

MAX_BYTES: Final = 262_144
"""Of an event; ours have some kilobytes."""
FOREIGN_REASONS: Final = ("schema", "identity")
"""Why a value is not an event of ours: it is none, or it does not name itself rightly."""
_SEQUENCE: Final = re.compile(r"[0-9]{8,18}\Z", re.ASCII)


class ForeignEventError(ValueError):
    """A record is not ours; `reason` is a label, the text is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def own_event(key: bytes | None, value: bytes | None) -> AlertEvent:
    """The event in a record of the alert topics, exactly as we write it.

    Raises `ForeignEventError` (schema, identity).
    """
    event = readable_event(key, value)
    if wrong := next(_wrong_names(value or b"", event), ""):
        raise ForeignEventError("identity", wrong)
    return event


def readable_event(key: bytes | None, value: bytes | None) -> AlertEvent:
    """The event of an alert of ours, whoever wrote it: enough for a subscriber.

    Raises `ForeignEventError` (schema, identity).
    """
    if value is None or len(value) > MAX_BYTES:
        size = (
            "no value" if value is None else f"{len(value)} bytes; an event has at most {MAX_BYTES}"
        )
        raise ForeignEventError("schema", size)
    try:
        event = decode_event(value)
    # Of msgspec, and of text that is none.
    except (ValueError, RecursionError) as problem:
        raise ForeignEventError("schema", str(problem)) from None
    if wrong := next(_wrong_alert(key, event), ""):
        raise ForeignEventError("identity", wrong)
    return event


def _wrong_alert(key: bytes | None, event: AlertEvent) -> Iterator[str]:
    """What does not agree about the alert, in words."""
    data, labels = event.data, event.data.labels
    if any(at is not None and at.tzinfo is None for at in _times(event)):
        yield "a time without an offset from UTC"
    if data.fingerprint != fingerprint(data.rule, labels.index, labels.tenor, labels.scope):
        yield "the fingerprint is not that of rule, index, tenor and scope"
    if key != data.fingerprint.encode() or event.partitionkey != data.fingerprint:
        yield "the key is not the fingerprint"
    if not _SEQUENCE.match(event.sequence):
        yield "the sequence is no number of eight digits"


def _wrong_names(value: bytes, event: AlertEvent) -> Iterator[str]:
    """What does not agree about the event, in words."""
    data, labels = event.data, event.data.labels
    subject = f"{labels.index}/{labels.tenor}/{data.rule}"
    if event.type != event_type(data.transition) or event.subject != subject:
        yield "type or subject are not those of the data"
    if event.id not in _ids(value, event):
        yield "the id is not that of the content"


def _ids(value: bytes, event: AlertEvent) -> tuple[str, ...]:
    """Ids that the event may have; that of an echo was made another way by older versions."""
    data = event.data
    if data.command:
        return id_of_content(value, event.id), earlier_echo_id(
            data.fingerprint, data.transition, data.command.command_id
        )
    return (
        event_id(
            data.fingerprint, data.rule_version, data.transition, int(event.time.timestamp()) * NS
        ),
    )


def _times(event: AlertEvent) -> tuple[datetime | None, ...]:
    data = event.data
    own = (event.time, data.starts_at, data.ends_at, data.detected_at, data.compared_with)
    return (
        *own,
        data.notification.acked_at,
        data.notification.silenced_until,
        data.command.until if data.command else None,
    )
