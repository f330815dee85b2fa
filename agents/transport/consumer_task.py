"""Faust's consumer in the app's own loop, with a guard over its group coordinator."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any

from aiokafka.consumer.fetcher import OffsetResetStrategy
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    CommitFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from mode.utils.futures import maybe_async

from agents.process.await_within import await_within
from agents.transport.assignment import Partition
from agents.transport.broker_log import look, topic_ids
from agents.transport.fetched_records import use_fetched_records
from agents.transport.log_identity import LogState
from agents.transport.pins import check_pins

log = logging.getLogger(__name__)

FETCH_BYTES = 4 * 2**20
"""Of one answer of the broker: what a processor's cache holds."""
PARTITION_BYTES = 2 * 2**20
"""Of one partition in it: more than a producer's batch (1 MB for librdkafka).

Of these the broker gives one only to the first partition that has any. With less than a batch,
every answer would hold a single partition's.
"""
FETCH_WAIT_MS = 200
"""How long a broker may hold a fetch that finds nothing.

aiokafka has one fetch a broker under way. A partition that was drained meanwhile waits for it, and
Faust lets it last 1.5 s. Records that come now and then would be that late at each of three stages.
"""

GUARD_INTERVAL = 1.0
GUARD_LIMIT = 30
"""Coordinator errors in a row after which the worker gives up."""
COMMIT_TRIES = 3
COMMIT_PAUSE = 0.5
"""Seconds between tries of a commit.

One that fails for good costs nothing but the group's lag as Kafka shows it: the truth is in Redis.
"""
DENIED = (GroupAuthorizationFailedError, TopicAuthorizationFailedError)

LOOK_SECONDS = 10.0
"""How long a look at the logs may last before it is begun again."""
LOOK_PAUSE = 0.3

check_pins()
use_fetched_records()


class _InLoop:
    """What Faust takes for its consumer's thread: a task of the loop that starts it."""

    def __init__(self, service: Any) -> None:
        self._service = service
        self._task: Any = None

    def start(self) -> None:
        """Serve."""
        self._task = asyncio.ensure_future(self._service._serve())
        self._task.add_done_callback(self._served)

    def stop(self) -> None:
        """Whoever stops the service has waited for its shutdown already."""

    def _served(self, task: Any) -> None:
        if not task.cancelled() and task.exception() is not None:
            log.error("the consumer did not end in order: %r", task.exception())
        # Where it could not even close: nobody must wait for it.
        self._service.set_shutdown()


class GuardedConsumer(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer with the range assignor, a watch on the group coordinator, and no thread.

    It takes committed records only.

    In a thread of its own it would take turns with the stages for the interpreter's lock. Each
    record would cross from one processor's cache to the other's: a fifth of what a quote costs.
    Stages hold the loop for milliseconds. A loop that hangs misses its heartbeats and loses its
    partitions, as it should.

    The range assignor gives partition p of every topic with equal counts to the same worker, so
    that the readings and the commands of an index meet. aiokafka reports an unexpected group error
    by waiting for the user to ask; Faust never asks.
    """

    mundane_level = "debug"
    Worker = _InLoop

    def __init__(self, consumer: Any, loop: asyncio.AbstractEventLoop, beacon: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, beacon=beacon)
        self.brokers_heard = 0

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._partition_assignment_strategy = [RangePartitionAssignor]
        consumer._isolation_level = "read_committed"
        consumer._fetch_max_bytes, consumer._max_partition_fetch_bytes = (
            FETCH_BYTES,
            PARTITION_BYTES,
        )
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer

    def close(self) -> None:
        """Faust asks for it where a rebalance meets a stop, whose own end of the consumer follows.

        Stock closes the client under the coordinator. Its join is then waited for by nobody, and
        what it assigns by a queue that nobody serves.
        """

    async def call_thread(self, fun: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what a thread would have been asked to call."""
        return await maybe_async(fun(*args, **kwargs))

    async def on_thread_started(self) -> None:
        """There is no queue of calls to serve."""

    async def _gather_remaining_tasks(self) -> None:
        """The loop's other tasks are not ours to end."""

    def highwater(self, tp: Any) -> Any:
        """Where the log ends for us: an open transaction is not there yet."""
        consumer = self._ensure_consumer()
        stable = consumer.last_stable_offset(tp)
        return stable if stable is not None and stable >= 0 else consumer.highwater(tp)

    def positions(self) -> Mapping[Partition, int]:
        """Next offset to fetch by partition.

        Markers of transactions and places without a record are behind it.
        """
        subscription = self._ensure_consumer()._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        states = (
            {tp: assignment.state_value(tp) for tp in assignment.tps}
            if assignment is not None
            else {}
        )
        return {tp: state.position for tp, state in states.items() if state.has_valid_position}

    def join_anew(self) -> None:
        """Ask the group for a rebalance; the coordinator does it when it can."""
        self._ensure_consumer()._coordinator.request_rejoin()

    def reset_silently(self, *, allowed: bool) -> None:
        """Whether an offset that the log lacks is replaced by the log's start, or told as error."""
        strategy = OffsetResetStrategy.EARLIEST if allowed else OffsetResetStrategy.NONE
        self._ensure_consumer()._fetcher._default_reset_strategy = strategy

    async def look(
        self, offsets: Mapping[Partition, int], live: Callable[[], bool] = lambda: True
    ) -> Mapping[Partition, LogState]:
        """How partitions look now, and what is at the offset given for each.

        It is asked until brokers answer or nobody cares any more.
        """
        while live():
            try:
                return await await_within(LOOK_SECONDS, look(self._ensure_consumer(), offsets))
            except (KafkaError, TimeoutError) as error:
                log.info("no look at the logs yet: %r", error)
                await asyncio.sleep(LOOK_PAUSE)
        return {}

    async def topic_ids(self, topics: Collection[str]) -> Mapping[str, str]:
        """Kafka's ids of topics; without an answer none."""
        with suppress(KafkaError, TimeoutError):
            return await await_within(
                LOOK_SECONDS, topic_ids(self._ensure_consumer()._client, topics)
            )
        return {}

    def verify_event_path(self, now: float, tp: Any) -> None:
        """Whether records move is for our watchdog to say.

        Faust's look ends the process where an offset is just being reset.
        """

    async def on_start(self) -> None:
        """Start the consumer, then the watch."""
        await super().on_start()
        self._check_errors = errors_for_guard(self._consumer)
        self._ensure_consumer()._client.cluster.add_listener(self._heard_of_brokers)
        self._guard = asyncio.ensure_future(self._watch())

    def _heard_of_brokers(self, _cluster: Any) -> None:
        """Metadata has come anew.

        It comes once a minute, and after every error that a topic made anew or a broker's restart
        causes.
        """
        self.brokers_heard += 1

    async def on_thread_stop(self) -> None:
        """End the watch before the consumer."""
        # Absent when the consumer failed to start.
        guard = getattr(self, "_guard", None)
        if guard is not None:
            guard.cancel()
        await super().on_thread_stop()

    async def _commit(self, offsets: Mapping[Any, int]) -> bool:
        """Whether the offsets of what is still ours were committed.

        Stock ends the process at the first error that it does not know.
        """
        for attempt in range(COMMIT_TRIES):
            if attempt:
                await asyncio.sleep(COMMIT_PAUSE)
            owned = self.assignment()
            ours = {
                driver.ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, "")
                for tp, offset in offsets.items()
                if tp in owned
            }
            if not ours:
                return False
            try:
                await self._ensure_consumer().commit(ours)
            except DENIED as error:
                self.consumer.callbacks.refuse(
                    f"the group coordinator refuses commits: {error!r}; "
                    "grant Read on the group and on its topics"
                )
            except CommitFailedError:
                # The group has been rebalanced: the partitions' next owner asks Redis.
                return False
            except KafkaError as error:
                self.consumer.callbacks.coordinator_error(error)
            else:
                return True
        return False

    async def _watch(self) -> None:
        callbacks, in_a_row = self.consumer.callbacks, 0
        while True:
            await asyncio.sleep(GUARD_INTERVAL)
            try:
                # Asking also lets the parked coordinator go on.
                self._check_errors()
            except DENIED as error:
                callbacks.refuse(
                    f"the group coordinator refuses us: {error!r}; "
                    "grant Read on the group and on its topics"
                )
            # Whatever it is, it is counted and the limit decides.
            except Exception as error:  # noqa: BLE001
                callbacks.coordinator_error(error)
                in_a_row += 1
                if self._consumer._coordinator._coordination_task.done():
                    callbacks.give_up(f"the group coordinator has ended: {error!r}")
                elif in_a_row >= GUARD_LIMIT:
                    callbacks.down(
                        f"the group coordinator does not recover: {error!r}; see the broker's log"
                    )
            else:
                in_a_row = 0
                # Topics assigned to nobody: Kafka had just started.
                if 0 in self._consumer._coordinator._metadata_snapshot.values():
                    # Once their partitions are known, the group is joined anew.
                    self._consumer._client.force_metadata_update()


def errors_for_guard(consumer: Any) -> Callable[[], None]:
    """Keep the coordinator's errors for one that asks; the answer is how to ask.

    aiokafka gives them to whoever is next to wait for an assignment, for records or for a position.
    In Faust that is the fetch loop or a seek, and either ends the process. Without them both wait
    until the group has an assignment again.
    """
    check: Callable[[], None] = consumer._coordinator.check_errors
    consumer._coordinator.check_errors = lambda: None
    consumer._subscription.abort_waiters = lambda _error: None
    return check
