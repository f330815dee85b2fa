"""The Faust app: one thin agent a topic over the batch transport, everything else switched off."""

import logging
from collections.abc import Sequence
from typing import Any

import faust

from agents.kafka.credentials import faust_credentials
from agents.plan import Plan
from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_INTERNAL, EXIT_UNAVAILABLE, exit_now
from agents.transport.assignment import AssignmentCallbacks
from agents.transport.consumer import broker_urls, install
from agents.worker.faust_adapter import FaustAdapter
from agents.worker.partitions import PartitionManager
from config.settings import Settings

BUFFERED_BATCHES = 2
"""Events a stream may hold; each is a whole batch."""
REQUEST_SECONDS = 90.0
PRODUCE_SECONDS = 30.0
METADATA_SECONDS = 60
"""How long a topic may have grown before a member of the group notices and asks for a rebalance."""
LINGER_MS = 0


class EventAckHandle:
    """Acknowledges a Faust event, or takes it out of what a rebalance waits for."""

    def __init__(self, app: faust.App, event: Any) -> None:
        self._app = app
        self._event = event

    def ack(self) -> None:
        """The batch may be committed."""
        self._event.ack()

    def discard(self) -> None:
        """The batch comes again after a seek; nobody waits for it."""
        self._app.consumer.unacked.discard(self._event.message)


def build(
    settings: Settings, plans: Sequence[Plan], partitions: PartitionManager, adapter: FaustAdapter
) -> faust.App:
    """A fresh app whose agents hand every batch to the partition manager.

    Raises `ConfigError` on unusable credentials.
    """
    app = faust.App(settings.kafka.group, **app_options(settings))
    adapter.attach(app, plans)
    install(
        app,
        AssignmentCallbacks(
            partitions.start,
            partitions.release,
            adapter.coordinator_error,
            give_up=lambda reason: exit_now(EXIT_INTERNAL, reason),
            down=lambda reason: exit_now(EXIT_UNAVAILABLE, reason),
            refuse=lambda reason: exit_now(EXIT_ACTION_NEEDED, reason),
            marks=partitions.marks,
            mismatch=partitions.mismatch,
            refuse_partitions=partitions.refuse_partitions,
        ),
    )
    for plan in plans:
        for topic in plan.inputs:
            _agent(app, topic, partitions)
    return app


def app_options(settings: Settings) -> dict[str, Any]:
    """Faust's settings: no tables, no topics of its own, no web server, nothing printed."""
    kafka = settings.kafka
    return {
        "broker": broker_urls(kafka.bootstrap_servers),
        "broker_credentials": faust_credentials(kafka),
        "broker_client_id": "dispersion",
        "broker_commit_interval": kafka.commit_interval,
        "broker_session_timeout": kafka.session_timeout,
        "broker_heartbeat_interval": kafka.heartbeat_interval,
        "broker_request_timeout": max(REQUEST_SECONDS, kafka.session_timeout),
        "broker_max_poll_records": kafka.max_poll_records,
        "broker_check_crcs": kafka.check_crcs,
        "consumer_auto_offset_reset": "earliest",
        "consumer_metadata_max_age_ms": METADATA_SECONDS * 1000,
        "consumer_group_instance_id": kafka.instance_id or None,
        "producer_acks": -1,
        "producer_linger": LINGER_MS / 1000,
        "producer_request_timeout": PRODUCE_SECONDS,
        "producer_max_request_size": kafka.max_message_bytes,
        "stream_wait_empty": True,
        "stream_buffer_maxsize": BUFFERED_BATCHES,
        "table_standby_replicas": 0,
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "worker_redirect_stdouts": False,
        "web_enabled": False,
        "web_bind": "127.0.0.1",
        "autodiscover": False,
        "datadir": str(settings.worker.data_dir),
    }


def _agent(app: faust.App, topic: str, partitions: PartitionManager) -> None:
    channel = app.topic(
        topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
    )

    async def consume(stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            await partitions.handle(
                topic,
                message.partition,
                message.generation_id,
                event.value,
                EventAckHandle(app, event),
            )
            # A live frame must not hold a batch.
            del event, message

    app.agent(channel, name=f"consume-{topic}")(consume)


logging.getLogger("faust").setLevel(logging.WARNING)
