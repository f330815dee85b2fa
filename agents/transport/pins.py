"""What `agents.transport.consumer` leans on inside Faust and aiokafka.

It is checked at import instead of failing at midnight.
"""

import inspect
from importlib.metadata import version
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher, FetchResult, PartitionRecords
from aiokafka.consumer.group_coordinator import BaseCoordinator, GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState
from faust.transport import consumer as base
from faust.transport.drivers import aiokafka as driver
from mode import Service
from mode.threads import QueueServiceThread, ServiceThread

RELEASES = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1"}

SIGNATURES: tuple[tuple[Any, str, tuple[str, ...]], ...] = (
    (base.Consumer, "_drain_messages", ("fetcher",)),
    (base.Consumer, "_wait_next_records", ("timeout",)),
    (base.Consumer, "_get_active_partitions", ()),
    (base.Consumer, "_new_offset", ("tp",)),
    (base.Consumer, "ack", ("message",)),
    (base.Consumer, "on_buffer_drop", ("tp",)),
    (base.Consumer, "perform_seek", ()),
    (base.Consumer, "on_partitions_revoked", ("revoked",)),
    (driver.Consumer, "_new_consumer_thread", ()),
    (driver.AIOKafkaConsumerThread, "_create_worker_consumer", ("transport",)),
    (driver.AIOKafkaConsumerThread, "_ensure_consumer", ()),
    (driver.AIOKafkaConsumerThread, "close", ()),
    (driver.AIOKafkaConsumerThread, "highwater", ("tp",)),
    (driver.AIOKafkaConsumerThread, "seek_wait", ("partitions",)),
    (driver.AIOKafkaConsumerThread, "verify_event_path", ("now", "tp")),
    (ServiceThread, "__init__", ("executor", "loop", "thread_loop", "Worker", "kwargs")),
    (ServiceThread, "_serve", ()),
    (ServiceThread, "set_shutdown", ()),
    (ServiceThread, "_gather_remaining_tasks", ()),
    (QueueServiceThread, "call_thread", ("fun", "args", "kwargs")),
    (QueueServiceThread, "on_thread_started", ()),
    (driver.Producer, "_settings_extra", ()),
    (driver.AIOKafkaConsumerThread, "_commit", ("offsets",)),
    (GroupCoordinator, "check_errors", ()),
    (GroupCoordinator, "request_rejoin", ()),
    (GroupCoordinator, "_push_error_to_user", ("exc",)),
    (SubscriptionState, "abort_waiters", ("exc",)),
    (AIOKafkaClient, "force_metadata_update", ()),
    (AIOKafkaClient, "get_random_node", ()),
    (AIOKafkaClient, "send", ("node_id", "request", "group")),
    (ClusterMetadata, "add_listener", ("listener",)),
    (ClusterMetadata, "leader_for_partition", ("partition",)),
    (Assignment, "state_value", ("tp",)),
    (PartitionRecords, "_unpack_records", ()),
    (PartitionRecords, "_consume_aborted_up_to", ("batch_offset",)),
    (PartitionRecords, "_contains_abort_marker", ("next_batch",)),
    (FetchResult, "getall", ("max_records",)),
    (FetchResult, "getone", ()),
    (FetchResult, "check_assignment", ("tp",)),
    (FetchResult, "has_more", ()),
    (FetchResult, "_update_position", ()),
)

ATTRIBUTES: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        base.Consumer,
        (
            "_acked",
            "_acked_index",
            "_read_offset",
            "_committed_offset",
            "_unacked_messages",
            "callback",
            "suspend_flow",
        ),
    ),
    (base.Consumer, ("_buffered_partitions",)),
    (base.ThreadDelegateConsumer, ("_thread",)),
    (AIOKafkaConsumer, ("_partition_assignment_strategy", "_isolation_level")),
    (AIOKafkaConsumer, ("_fetch_max_wait_ms", "_fetch_max_bytes", "_max_partition_fetch_bytes")),
    (AIOKafkaConsumer, ("_subscription", "_coordinator", "_client")),
    (AIOKafkaConsumer, ("_fetcher",)),
    (Fetcher, ("_default_reset_strategy",)),
    (BaseCoordinator, ("_metadata_snapshot",)),
    (GroupCoordinator, ("_coordination_task",)),
    (
        PartitionRecords,
        ("_tp", "_records", "_aborted_producers", "_check_crcs", "_isolation_level"),
    ),
    (PartitionRecords, ("next_fetch_offset", "_records_iterator")),
    (FetchResult, ("_topic_partition", "_partition_records")),
    (Service, ("_stopped",)),
)
"""Set by the constructor of each class."""


class TransportMismatchError(ImportError):
    """Faust or aiokafka is not the release that `agents.transport.consumer` is written for."""


def check_pins() -> None:
    """Raise `TransportMismatchError` unless releases, signatures and attributes are known ones."""
    for package, wanted in RELEASES.items():
        if version(package) != wanted:
            raise TransportMismatchError(
                f"agents/transport is written for {package} {wanted}, found {version(package)}"
            )
    for owner, name, parameters in SIGNATURES:
        found = getattr(owner, name, None)
        have = tuple(inspect.signature(found).parameters)[1:] if found is not None else None
        if have != parameters:
            raise TransportMismatchError(
                f"{owner.__qualname__}.{name} takes {have}, "
                f"agents/transport/consumer.py expects {parameters}"
            )
    for owner, names in ATTRIBUTES:
        source = inspect.getsource(owner.__init__)
        for name in names:
            if f"self.{name} = " not in source and f"self.{name}: " not in source:
                raise TransportMismatchError(
                    f"{owner.__qualname__}.{name} is gone, agents/transport/consumer.py needs it"
                )
