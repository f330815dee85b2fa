"""Echoes: a command that was applied, told to every subscriber as an event of its alert.

An echo repeats the alert's latest event with its sequence number; only the transition, the
notification and `command` differ. Its id is a hash of its content, its time that of the command's
Kafka record. Where commands and readings mix another way, after Redis has lost its last seconds,
the echo of one command may be another event, and then it has another id.
"""

from msgspec.structs import replace

from streams.detection.alerts.alert_event import AlertEvent, EchoedCommand, encode_event
from streams.detection.alerts.commands import ECHOES, TimedCommand
from streams.detection.alerts.events import event_type, hashed
from streams.detection.alerts.notification import Notification
from streams.stage import OutboxEntry


def earlier_echo_id(fingerprint: str, transition: str, command_id: str) -> str:
    """Identity of an echo as earlier versions made it: 20 hex digits."""
    return hashed(fingerprint, transition, command_id)[:20]


def id_of_content(value: bytes, own: str) -> str:
    """Identity of an echo with these bytes, in which the id is `own`.

    It is 20 hex digits over all else.
    """
    return hashed(value.replace(b'"id":"%s"' % own.encode(), b'"id":""', 1).decode())[:20]


def identified(event: AlertEvent) -> OutboxEntry:
    """The entry of an event whose id is a hash of its content."""
    name = id_of_content(encode_event(replace(event, id="")), "")
    return OutboxEntry(name, encode_event(replace(event, id=name)))


def echo(latest: AlertEvent, timed: TimedCommand, notification: Notification) -> OutboxEntry:
    """The echo of a command.

    `latest` is the latest event of its alert, `notification` what the command has made of it.
    """
    command, data = timed.command, latest.data
    transition = ECHOES[command.command]
    event = replace(
        latest,
        type=event_type(transition),
        time=timed.at,
        data=replace(
            data,
            transition=transition,
            previous_status=data.status,
            notification=notification,
            command=EchoedCommand(str(command.command_id), command.who, command.why, command.until),
        ),
    )
    return identified(event)
