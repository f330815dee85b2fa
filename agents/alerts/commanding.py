"""Sending a command, and hearing its echo as every subscriber does."""

from contextlib import closing
from time import monotonic
from typing import Any

import msgspec

from agents.alerts.tail import AlertRecord, assign, poll_alerts, reader
from agents.kafka_client import kafka_failures
from agents.publishing import FramePublisher
from config.settings import Settings
from streams.detection.commands import Command, encode_command
from streams.stage import Message
from streams.topics import Topics


class _Data(msgspec.Struct):
    command: dict[str, Any] = {}


class _Echo(msgspec.Struct):
    data: _Data


_decode = msgspec.json.Decoder(_Echo).decode


def send(settings: Settings, command: Command, partition: int, wait_seconds: float) -> AlertRecord | None:
    """Publish a command on the partition of its index; its echo, or None when none came in time.

    Raises:
        ConfigError, Refusal, Down: Kafka may not, or cannot, be used.
    """
    with kafka_failures(settings), closing(reader(settings)) as consumer:
        assign(consumer, Topics(settings.kafka.topic_prefix).name("alerts"), from_beginning=False, partition=partition)
        with FramePublisher(settings) as publisher:
            publisher.publish_message(Message("commands", command.index.encode(), encode_command(command), partition=partition))
        deadline = monotonic() + wait_seconds
        while monotonic() < deadline:
            for alert in poll_alerts(consumer):
                if _command_id(alert.value) == str(command.command_id):
                    return alert
    return None


def _command_id(value: bytes) -> str:
    """Of an echo; empty for everything else."""
    try:
        return str(_decode(value).data.command.get("command_id", ""))
    except msgspec.MsgspecError:
        return ""
