"""Echoes: a command that was applied, told to every subscriber as an event of its alert.

An echo repeats the alert's latest event with its sequence number; only the transition, the notification and `command` differ.
Its id is a hash of fingerprint, transition and command id, its time that of the command's Kafka record.
"""

from msgspec.structs import replace

from streams.detection.alert_event import AlertEvent, EchoedCommand, encode_event
from streams.detection.commands import ECHOES, Issued
from streams.detection.events import event_type, hashed
from streams.detection.notification import Notification
from streams.stage import OutboxEntry


def echo_id(fingerprint: str, transition: str, command_id: str) -> str:
    """Identity of an echo: 20 hex digits."""
    return hashed(fingerprint, transition, command_id)[:20]


def echo(latest: AlertEvent, told: Issued, notification: Notification) -> OutboxEntry:
    """The echo of a command; `latest` is the latest event of its alert, `notification` what the command has made of it."""
    command, data = told.command, latest.data
    transition = ECHOES[command.command]
    event = replace(
        latest,
        id=echo_id(data.fingerprint, transition, str(command.command_id)),
        type=event_type(transition),
        time=told.at,
        data=replace(
            data,
            transition=transition,
            previous_status=data.status,
            notification=notification,
            command=EchoedCommand(str(command.command_id), command.who, command.why, command.until),
        ),
    )
    return OutboxEntry(event.id, encode_event(event))
