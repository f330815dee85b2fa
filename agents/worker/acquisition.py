"""Stages and partitions are taken over: their state from Redis, their logs in Kafka compared.

Nothing works before the logs are known to be those that its watermarks are of.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agents.alerts.relay import Relay
from agents.plan import Plan
from agents.process.exits import ActionNeededError
from agents.process.release_deadline import Deadline
from agents.store.checkpoint_store import Checkpoint, CheckpointStore, StoreClient
from agents.store.keys import stage_keys
from agents.transport.assignment import Assignment, Partition
from agents.transport.confirmation import confirmed
from agents.transport.log_identity import LogState, Mark
from agents.worker.checkpoint_schedule import CheckpointSchedule
from agents.worker.dead_letter_limit import DeadLetterLimit
from agents.worker.faust_adapter import FaustAdapter
from agents.worker.isolation import IsolationLock
from agents.worker.stage_runner import StageRunner
from agents.worker.takeover import ColdStart, log_mismatch, refusal_error, refuse_unknown, skipped

log = logging.getLogger(__name__)


class AssignedStage(NamedTuple):
    """One stage on one partition, taken over and at work."""

    plan: Plan
    partition: int
    runner: StageRunner
    relay: Relay | None = None
    task: "asyncio.Task[None] | None" = None

    @property
    def inputs(self) -> list[Partition]:
        """The topic partitions it consumes."""
        return [Partition(topic, self.partition) for topic in self.plan.inputs]


class AcquiredStage(NamedTuple):
    """One stage and partition taken over, before it works."""

    plan: Plan
    partition: int
    checkpoints: CheckpointStore
    checkpoint: Checkpoint

    @property
    def inputs(self) -> list[Partition]:
        """The topic partitions it consumes."""
        return [Partition(topic, self.partition) for topic in self.plan.inputs]

    def at(self, topic: str) -> tuple[int, Mark | None]:
        """The watermark of an input, and which log it is of."""
        return self.checkpoint.watermarks[topic], self.checkpoint.marks.get(topic)

    async def with_marks(self, seen: Mapping[Partition, LogState]) -> "AcquiredStage":
        """With marks where a release without them has committed, or a person has."""
        news = {}
        for tp in self.inputs:
            last, mark = self.at(tp.topic)
            if last >= 0 and (mark is None or mark.timestamp is None):
                news[tp.topic] = seen[tp].mark or Mark(last, seen[tp].topic_id)
        if news:
            await self.checkpoints.mark(news)
        return self._replace(
            checkpoint=self.checkpoint._replace(marks={**self.checkpoint.marks, **news})
        )


class StageAcquisition:
    """Takes stages and partitions over for the manager of a worker's partitions."""

    def __init__(
        self,
        plans: Sequence[Plan],
        store_client: StoreClient,
        adapter: FaustAdapter,
        deadline: Deadline,
        *,
        dead_letter_ratio: float,
        cold: ColdStart,
    ) -> None:
        """`cold` is for partitions unknown to Redis."""
        self.plans = {topic: plan for plan in plans for topic in plan.inputs}
        """By input topic."""
        self.topic_ids: dict[str, str] = {}
        """Which log each topic is, as the brokers say."""
        self._store_client = store_client
        self._adapter = adapter
        self._deadline = deadline
        self._dead_letter_ratio = dead_letter_ratio
        self._cold = cold
        self._isolation = IsolationLock()

    async def take_over(self, assignment: Assignment) -> Sequence[AssignedStage]:
        """Every stage of an assignment, ready to work.

        Raises:
            ActionNeededError: one of them must not go on; the others were taken over before.
        """
        wanted = sorted({(self.plans[tp.topic].inputs[0], tp.partition) for tp in assignment.end})
        taken = await asyncio.gather(
            *(self._acquire(self.plans[topic], p, assignment) for topic, p in wanted),
            return_exceptions=True,
        )
        for one in taken:
            if isinstance(one, BaseException) and not isinstance(one, ActionNeededError):
                raise one
        owned: Sequence[AcquiredStage] = [
            one for one in taken if not isinstance(one, BaseException)
        ]
        owned = await self._on_the_same_logs(owned)
        for one in taken:
            if isinstance(one, BaseException):
                raise one
        return await asyncio.gather(*(self._assign(one) for one in owned))

    async def _acquire(self, plan: Plan, partition: int, assignment: Assignment) -> AcquiredStage:
        keys = stage_keys(plan.name, plan.inputs, partition, plan.indices)
        checkpoints = self._store_client.checkpoints(keys, assignment.generation, self._deadline)
        waiting = [
            topic for topic in plan.inputs if _waits(Partition(topic, partition), assignment)
        ]
        checkpoint = await checkpoints.acquire(waiting=waiting)
        if self._cold == "latest" and (steps := skipped(plan, partition, checkpoint, assignment)):
            await checkpoints.commit(steps, {})
            checkpoint = checkpoint._replace(
                watermarks={step.topic: step.last for step in steps}, commits=1
            )
        for topic in plan.inputs:
            refuse_unknown(Partition(topic, partition), checkpoint, assignment, self._cold)
        return AcquiredStage(plan, partition, checkpoints, checkpoint)

    async def _on_the_same_logs(self, owned: Sequence[AcquiredStage]) -> Sequence[AcquiredStage]:
        """Refuse for good what does not go on behind its watermark.

        Learn which log the others are.
        """
        followed = {tp: one for one in owned for tp in one.inputs}
        seen: Mapping[Partition, LogState] = {}

        async def reasons() -> Mapping[Partition, str]:
            nonlocal seen
            seen = await self._adapter.look(
                {tp: one.checkpoint.watermarks[tp.topic] for tp, one in followed.items()}
            )
            return {
                tp: log_mismatch(one.plan, tp, *one.at(tp.topic), seen[tp])
                for tp, one in followed.items()
            }

        if found := await confirmed(reasons):
            await note_refusals({tp: followed[tp].checkpoints for tp in found}, found)
            raise refusal_error(list(found.values()))
        self.topic_ids = {tp.topic: look.topic_id for tp, look in seen.items()}
        return await asyncio.gather(*(one.with_marks(seen) for one in owned))

    async def _assign(self, owned: AcquiredStage) -> AssignedStage:
        plan, partition, checkpoints, checkpoint = (
            owned.plan,
            owned.partition,
            owned.checkpoints,
            owned.checkpoint,
        )
        keys = checkpoints.keys
        observer = self._adapter.observer(plan, self._deadline, partition)
        publisher = self._adapter.publisher(self._deadline)
        try:
            stage = plan.make(partition, self._adapter.partition_counts)
            runner = StageRunner(
                stage,
                publisher,
                checkpoints,
                checkpoint,
                CheckpointSchedule(plan.policy),
                observer,
                DeadLetterLimit(self._dead_letter_ratio),
                self._isolation,
                self.topic_ids,
            )
        except ValueError as error:
            raise ActionNeededError(
                f"the checkpoint {keys.tag} in Redis was written by another version ({error}): "
                "run that version, or delete its keys and run with a new kafka.group"
            ) from error
        if runner.record_by_record:
            log.error(
                "%s: started %d times at the same watermark; going record by record",
                keys.tag,
                max(checkpoint.starts.values()),
            )
        await runner.begin()
        if not plan.has_outbox:
            return AssignedStage(plan, partition, runner)
        relay = self._adapter.relay(
            partition, checkpoints, self._adapter.publisher(self._deadline), stage
        )
        observer.relay = relay
        return AssignedStage(plan, partition, runner, relay)


def _waits(tp: Partition, assignment: Assignment) -> bool:
    """Whether a partition holds something that its group has not committed."""
    return assignment.end.get(tp, 0) > (assignment.committed.get(tp) or assignment.first.get(tp, 0))


async def note_refusals(
    stores: Mapping[Partition, CheckpointStore], reasons: Mapping[Partition, str]
) -> None:
    """Refuse partitions until a person decides.

    Of a stage with several foreign inputs the first one's note stands.
    """
    first: dict[int, Partition] = {}
    for tp in sorted(stores, key=lambda tp: stores[tp].keys.inputs.index(tp.topic)):
        first.setdefault(id(stores[tp]), tp)
    notes = (stores[tp].refuse(tp.topic, reasons[tp]) for tp in first.values())
    for outcome in await asyncio.gather(*notes, return_exceptions=True):
        if isinstance(outcome, BaseException):
            log.error("the refusal could not be noted in Redis: %r", outcome)
