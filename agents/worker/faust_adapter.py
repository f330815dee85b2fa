"""What the partition manager needs from the Faust app.

That is a producer, log ends, partition counts, and observers.
"""

import asyncio
import logging
from collections import ChainMap
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from time import monotonic, time_ns
from typing import Any

import faust
from aiokafka.errors import KafkaError
from redis.asyncio import Redis

from agents.alerts.foreign_records import ForeignRecords
from agents.alerts.relay import Relay
from agents.alerts.topic_tail import TopicTail
from agents.kafka.client import until_reached
from agents.kafka.credentials import client_options
from agents.kafka.publisher import Publisher
from agents.monitoring.acceptance import Acceptance
from agents.monitoring.metrics import Metrics
from agents.monitoring.metrics_observer import MetricsObserver
from agents.plan import Plan
from agents.process.await_within import await_within
from agents.process.exits import ActionNeededError, UnavailableError
from agents.process.release_deadline import Deadline
from agents.store.checkpoint_store import CheckpointStore
from agents.store.views import Views
from agents.topics.admin import check_topics, partition_counts
from agents.transport.assignment import Partition
from agents.transport.log_identity import LogState
from agents.worker.partition_growth import grown_topics, refuse_moved_indices
from agents.worker.stage_observer import WorkerStageObserver
from config.settings import Settings
from streams.stage import Stage
from streams.topics import Topics

ENDS_SECONDS = 5.0
"""How long to wait for log ends; without an answer nothing is declared idle."""

RECOUNT_SECONDS = 5.0
"""Least time between two questions for partition counts."""

log = logging.getLogger(__name__)


class FaustAdapter:
    """The app and the metrics as the partition manager sees them."""

    def __init__(
        self, settings: Settings, metrics: Metrics, redis: Redis, counts: Mapping[str, int]
    ) -> None:
        """`counts` has the partitions of every topic, as the cluster has them."""
        self.metrics = metrics
        self.metrics_observer = MetricsObserver(metrics)
        self.app: faust.App | None = None
        self._settings = settings
        self._topics = Topics(settings.kafka.topic_prefix)
        self._foreign = ForeignRecords(
            lambda topic, reason: metrics.foreign_records.labels(topic, reason).inc()
        )
        self._redis = redis
        self._views = Views(redis, settings.kafka.topic_prefix)
        self.acceptance = Acceptance(self._views)
        self._plans: Sequence[Plan] = ()
        self._known = dict(counts)
        self._asked: dict[str, int] = {}
        self.partition_counts: Mapping[str, int] = ChainMap(self._asked, self._known)
        """By topic; what was asked since the last takeover first."""
        self._counted = -RECOUNT_SECONDS
        self._released: float | None = None
        self._given_back: Sequence[tuple[Plan, Partition]] = ()
        self.publishers: list[Publisher] = []

    def attach(self, app: faust.App, plans: Sequence[Plan]) -> None:
        """Called once, when the app is built."""
        self.app, self._plans = app, plans

    @property
    def running_app(self) -> faust.App:
        """The app."""
        assert self.app is not None
        return self.app

    async def recount(self) -> None:
        """Learn the partition counts anew when a topic has grown.

        Raises `ActionNeededError` where they no longer fit, or `UnavailableError`.
        """
        consumer = self.running_app.consumer
        seen = {
            topic: consumer.topic_partitions(topic) for plan in self._plans for topic in plan.inputs
        }
        if not (more := grown_topics(self._known, seen)):
            return
        report = await asyncio.to_thread(
            until_reached, lambda: check_topics(self._settings), self._settings.worker.start_seconds
        )
        report.refuse()
        counts = {topic.name: topic.partitions for topic in report.topics}
        readings = self._topics.name("readings")
        indices = [index.symbol for index in self._settings.market.indices]
        await refuse_moved_indices(
            self._redis,
            readings,
            counts[readings],
            indices,
            seconds=self._settings.worker.start_seconds,
        )
        log.warning(
            "topics have grown: %s",
            ", ".join(
                f"{topic} from {self.partition_counts[topic]} to {n}" for topic, n in more.items()
            ),
        )
        self._known.update(counts)
        self._asked.clear()

    async def recount_inputs(self, deadline: Deadline) -> None:
        """Learn the present partition counts, but no more often than every few seconds.

        Raises `DeadlineExceededError`.
        """
        while monotonic() - self._counted >= RECOUNT_SECONDS:
            try:
                counts = await asyncio.to_thread(
                    partition_counts, self._settings, list(self._known)
                )
            except (UnavailableError, ActionNeededError) as error:
                log.warning("cannot ask how many partitions there are: %s", error)
                await deadline.sleep(1.0)
            else:
                self._counted = monotonic()
                self._asked.update(
                    {topic: count for topic, count in counts.items() if count > self._known[topic]}
                )

    def join_anew(self) -> None:
        """Ask for a rebalance: what we own is revoked, and assigned anew."""
        self.running_app.consumer.join_anew()

    def publisher(self, deadline: Deadline) -> Publisher:
        """A publisher over the app's idempotent producer."""
        publisher = Publisher(
            self.running_app.producer,
            self._topics,
            deadline,
            lambda topic, n: self.metrics.published.labels(topic).inc(n),
            lambda: time_ns() // 1_000_000,
        )
        self.publishers.append(publisher)
        return publisher

    def relay(
        self, partition: int, checkpoints: CheckpointStore, publisher: Publisher, stage: Stage
    ) -> Relay:
        """The relay of one readings partition."""
        options, mode = client_options(self._settings.kafka), self._settings.mode
        history = TopicTail(
            options,
            self._topics.name("alerts"),
            self._topics.name("alerts_state"),
            mode,
            self._foreign,
        )

        def judged() -> Mapping[str, datetime]:
            return stage.evaluated_until

        return Relay(
            partition, checkpoints, publisher, history, self.metrics_observer, mode, judged
        )

    def observer(self, plan: Plan, deadline: Deadline, partition: int) -> WorkerStageObserver:
        """The observer of one stage on one partition."""
        return WorkerStageObserver(
            self.metrics,
            self._views,
            plan,
            self._topics,
            live=self._settings.mode == "live",
            recount=lambda: self.recount_inputs(deadline),
            noted=partial(self.acceptance.took, Partition(plan.inputs[0], partition))
            if plan.owns_source
            else None,
        )

    async def ends(self, tps: Collection[Partition]) -> Mapping[Partition, int]:
        """Log ends fresh from the broker; empty when it does not answer."""
        try:
            return dict(
                await await_within(ENDS_SECONDS, self.running_app.consumer.highwaters(*tps))
            )
        except (KafkaError, TimeoutError) as error:
            log.info("no log ends: %r", error)
            return {}

    async def look(self, offsets: Mapping[Partition, int]) -> Mapping[Partition, LogState]:
        """How partitions look now, and what is at the offset given for each; -1 asks for none.

        Waits for the brokers.
        """
        looked: Mapping[Partition, LogState] = await self.running_app.consumer.look(offsets)
        return looked

    def fenced(self) -> None:
        """A write was refused because somebody else owns the partition."""
        self.metrics.fenced.inc()

    def coordinator_error(self, error: Exception) -> None:
        """The guard found the coordinator in trouble."""
        self.metrics.coordinator_errors.inc()
        log.warning("group coordinator: %r", error)

    def released(self, tps: Collection[Partition]) -> None:
        """Partitions are being given back."""
        self._released = monotonic()
        self.publishers.clear()
        self._given_back = [
            (plan, tp) for tp in tps for plan in self._plans if tp.topic in plan.inputs
        ]
        for plan, tp in self._given_back:
            self.metrics.forget(tp.topic, tp.partition, plan.name)
            self.acceptance.forget(tp)

    def resumed(self, tps: Collection[Partition]) -> None:
        """A new assignment is at work."""
        self.metrics.rebalances.labels("completed").inc()
        # Their relays have spoken until now.
        for plan, tp in self._given_back:
            if plan.has_outbox and tp not in tps:
                self.metrics.forget_outbox(tp.partition)
        self._given_back = []
        if self._released is not None:
            self.metrics.rebalance_duration.observe(monotonic() - self._released)
        counts: dict[str, int] = {topic: 0 for plan in self._plans for topic in plan.inputs}
        for tp in tps:
            counts[tp.topic] += 1
        for topic, count in counts.items():
            self.metrics.assigned.labels(topic).set(count)

    @property
    def publishing_held(self) -> bool:
        """Whether some runner waits for the broker's acknowledgement."""
        return any(publisher.waiting for publisher in self.publishers)

    def highwater(self, tp: Partition) -> int | None:
        """Log end as of the last fetch; None when unknown."""
        try:
            value: Any = self.running_app.consumer.highwater(tp)
        except (AssertionError, KafkaError, LookupError):
            # Not assigned any more.
            return None
        return None if value is None else int(value)

    def following(self, tp: Partition, offset: int) -> int:
        """The next offset that may hold a record, when `offset` is the next to apply."""
        return int(self.running_app.consumer.following(tp, offset))
