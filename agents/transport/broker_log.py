"""What the brokers say of a log: its topic's id, its start and end, which record is at an offset.

The modules of this room are the only ones that know private parts of aiokafka. aiokafka's own
requests are too old to tell a topic's id.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    LeaderNotAvailableError,
    NodeNotReadyError,
    OffsetOutOfRangeError,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from agents.transport.assignment import Partition
from agents.transport.fetched_records import FetchedBytes, FetchedRecords
from agents.transport.log_identity import LogState, Mark, mark_of

METADATA = 3
VERSION = 12
"""Of the metadata request; brokers since 3.1 know it, and older ones are asked for no ids."""
ASKED_AT_ONCE = 8
"""Records asked for at a time.

An answer holds a whole batch, of `kafka.max_message_bytes` at most.
"""


class _Id(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


NAME = CompactString("utf-8")
NUMBERS = CompactArray(Int32)


class _Metadata(Response):  # type: ignore[misc]
    API_KEY = METADATA
    API_VERSION = VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", NAME),
                ("port", Int32),
                ("rack", NAME),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", NAME),
                ("topic_id", _Id),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", NUMBERS),
                        ("isr", NUMBERS),
                        ("offline_replicas", NUMBERS),
                        ("tags", TaggedFields),
                    ),
                ),
                ("operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _MetadataStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = METADATA
    API_VERSION = VERSION
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _Metadata
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Id), ("topic", NAME), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataStruct]):  # type: ignore[misc]
    API_KEY = METADATA

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:
        return request_struct_class(
            [(bytes(16), topic, {}) for topic in self._topics], False, False, {}
        )


async def topic_ids(client: Any, topics: Collection[str]) -> Mapping[str, str]:
    """Ids by topic, of those that exist and have one. Raises `KafkaError`."""
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError
    try:
        answer = await client.send(node, _MetadataRequest(sorted(topics)))
    except (NotImplementedError, IncompatibleBrokerVersion):
        return {}
    return {
        name: UUID(bytes=number).hex
        for error, name, number, *_ in answer.topics
        if not error and any(number)
    }


async def look(consumer: Any, offsets: Mapping[Partition, int]) -> Mapping[Partition, LogState]:
    """How partitions look now: bounds, topic, and what is at the offset given for each.

    -1 asks for none. Raises `KafkaError`.
    """
    ids = await topic_ids(consumer._client, {tp.topic for tp in offsets})
    places = [TopicPartition(*tp) for tp in offsets]
    first, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    room = asyncio.Semaphore(ASKED_AT_ONCE)

    async def seen(tp: Partition, offset: int) -> LogState:
        bare = LogState(ids.get(tp.topic, ""), first[tp], end[tp])
        if not first[tp] <= offset < end[tp]:
            return bare
        async with room:
            return _at(tp, offset, bare, await _fetch(consumer._client, tp, offset))

    answers = await asyncio.gather(*(seen(tp, offset) for tp, offset in offsets.items()))
    return dict(zip(offsets, answers, strict=True))


async def _fetch(client: Any, tp: Partition, offset: int) -> bytes:
    """The batch at an offset, open and aborted ones too; empty where there is none."""
    node = client.cluster.leader_for_partition(TopicPartition(*tp))
    if node is None or node < 0:
        client.force_metadata_update()
        raise LeaderNotAvailableError
    answer = await client.send(
        node, FetchRequest(0, 0, 1, READ_UNCOMMITTED, [(tp.topic, [(tp.partition, offset, 1)])])
    )
    ((_, ((_, code, *_, data),)),) = answer.topics
    error = for_code(code)
    if error is OffsetOutOfRangeError:
        return b""
    if code:
        client.force_metadata_update()
        raise error
    return data or b""


def _at(tp: Partition, offset: int, bare: LogState, data: bytes) -> LogState:
    batches = FetchedBytes(data)
    while batches.has_next():
        batch = batches.next_batch()
        if batch.base_offset <= offset < batch.next_offset and batch.is_control_batch:
            return bare._replace(kind="marker")
    mark = _record(tp, offset, bare.topic_id, data)
    return bare if mark is None else bare._replace(kind="record", mark=mark)


def _record(tp: Partition, offset: int, topic_id: str, data: bytes) -> Mark | None:
    """By the way that the consumer itself takes.

    Whatever stands for a record there stands for it here.
    """
    with suppress(MemoryError):
        records, _ = FetchedRecords(
            tp, FetchedBytes(data), None, offset, None, None, False, READ_UNCOMMITTED
        ).take(1)
        if (
            records
            and records[0].offset == offset
            and (mark := mark_of(records[0], topic_id)).timestamp is not None
        ):
            return mark
    return None
