"""Sending a command, and hearing its echo as every subscriber does."""

from contextlib import closing
from time import monotonic

from agents.alerts.read_event import read_event
from agents.alerts.tail import AlertRecord, TailedEvent, assigned, poll_alerts
from agents.kafka.client import kafka_failures
from agents.kafka.frame_publisher import FramePublisher
from agents.process.call_timeout import CALL_SECONDS
from config.settings import Settings
from streams.detection.alerts.commands import Command, encode_command
from streams.stage import Message
from streams.topics import Topics


def send(
    settings: Settings, command: Command, partition: int, wait_seconds: float
) -> TailedEvent | None:
    """Publish a command on the partition of its index; its echo, or None when none came in time.

    Raises:
        ConfigError, ActionNeededError, UnavailableError: Kafka may not, or cannot, be used.
    """
    topic = Topics(settings.kafka.topic_prefix).name("alerts")
    with (
        kafka_failures(settings),
        closing(
            assigned(settings, topic, from_beginning=False, partition=partition)[0]
        ) as consumer,
    ):
        with FramePublisher(settings, delivery_seconds=CALL_SECONDS) as publisher:
            publisher.publish_message(
                Message(
                    "commands", command.index.encode(), encode_command(command), partition=partition
                )
            )
        deadline = monotonic() + wait_seconds
        while monotonic() < deadline:
            for alert in poll_alerts(consumer):
                echo = _echo(alert, str(command.command_id))
                if echo is not None:
                    return echo
    return None


def _echo(record: AlertRecord, command_id: str) -> TailedEvent | None:
    """The record as the echo of a command; None when it is anything else."""
    try:
        event = read_event(record.value)
    except ValueError:
        return None
    told = event.data.command if event.data else None
    return TailedEvent(record, event) if told and told.command_id == command_id else None
