"""The partitions of this worker, from takeover to handover.

Each stage and partition that it owns has a runner.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from time import monotonic, time_ns
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from agents.alerts.relay import Relay
from agents.kafka.publisher import LogLostError, RefusedMessageError
from agents.monitoring.status import PartitionStatus, WorkerStatus
from agents.plans import Plan
from agents.process.await_within import await_within
from agents.process.exits import (
    EXIT_ACTION_NEEDED,
    EXIT_INTERNAL,
    EXIT_UNAVAILABLE,
    ActionNeededError,
    UnavailableError,
    exit_code_of,
    exit_now,
)
from agents.process.release_deadline import Deadline
from agents.store.checkpoint_store import (
    Checkpoint,
    CheckpointStore,
    FencedError,
    ReplacedError,
    StoreClient,
)
from agents.store.keys import stage_keys
from agents.store.retry import redis_failure
from agents.transport.assignment import Assignment, Partition
from agents.transport.confirmation import confirmed
from agents.transport.log_identity import LogState, Mark
from agents.transport.record_times import bound
from agents.worker.checkpoint_schedule import CheckpointSchedule
from agents.worker.dead_letter_limit import DeadLetterLimit, TooManyDeadLettersError
from agents.worker.faust_adapter import FaustAdapter
from agents.worker.idle import RENEW_SECONDS, may_declare_idle
from agents.worker.isolation import NOT_POISON, IsolationLock
from agents.worker.stage_runner import AckHandle, StageRunner
from agents.worker.takeover import (
    ColdStart,
    log_mismatch,
    refusal_error,
    refuse_unknown,
    skipped,
    start_offset,
)

GRACE = 3.0
"""Seconds that work under way may take once partitions are to be given up."""
TAKEOVER_SECONDS = 80.0
"""Faust gives up on a takeover after its request timeout (90 s), and then hangs.

We leave before.
"""

WARN_SECONDS = 60.0
"""Least time between two warnings of one kind."""

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


class PartitionManager:
    """All stages and partitions of this worker. Every method belongs to the app's event loop."""

    def __init__(
        self,
        plans: Sequence[Plan],
        store_client: StoreClient,
        adapter: FaustAdapter,
        status: WorkerStatus,
        *,
        idle_after: float | None,
        dead_letter_ratio: float = 1.0,
        cold: ColdStart = "checkpoint",
        live: bool = False,
    ) -> None:
        """`idle_after` None never declares a source idle (replays).

        `cold` is for partitions unknown to Redis.

        `live` says that event time is now: no record can be dated ahead of this process's clock.
        """
        self._plans = {topic: plan for plan in plans for topic in plan.inputs}
        self._store_client = store_client
        self._adapter = adapter
        self._status = status
        self._idle_after = idle_after
        self._dead_letter_ratio = dead_letter_ratio
        self._cold = cold
        self._live = live
        self.deadline = Deadline()
        self._isolation = IsolationLock()
        self._generation = -1
        self._warned_at = -WARN_SECONDS
        self._topic_ids: dict[str, str] = {}
        self._assigned_stages: dict[Partition, AssignedStage] = {}

    @property
    def assigned_stages(self) -> list[AssignedStage]:
        """Each stage and partition once."""
        return list(
            {id(assigned): assigned for assigned in self._assigned_stages.values()}.values()
        )

    async def start(self, assignment: Assignment) -> Mapping[Partition, int]:
        """Take the assigned partitions over; answers where each starts.

        Does not return when it must not run.
        """
        # Assigned anew without a revocation.
        if self._assigned_stages:
            await self.release()
        self.deadline.renew()
        try:
            return await await_within(TAKEOVER_SECONDS, self._take_over(assignment))
        except ActionNeededError as refusal:
            exit_now(EXIT_ACTION_NEEDED, str(refusal))
        except UnavailableError as down:
            exit_now(EXIT_UNAVAILABLE, str(down))
        except NOT_POISON as verdict:
            self._give_up(verdict)
            return {}
        except TimeoutError:
            exit_now(
                EXIT_UNAVAILABLE, f"Redis has not let us take over within {TAKEOVER_SECONDS:.0f} s"
            )
        except RedisError as error:
            exit_now(exit_code_of(redis_failure(error)), "Redis refuses the takeover", error)

    async def _take_over(self, assignment: Assignment) -> dict[Partition, int]:
        self._generation = assignment.generation
        await self._adapter.recount()
        wanted = sorted({(self._plans[tp.topic].inputs[0], tp.partition) for tp in assignment.end})
        taken = await asyncio.gather(
            *(self._acquire(self._plans[topic], p, assignment) for topic, p in wanted),
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
        assigned_stages = await asyncio.gather(*(self._assign(one) for one in owned))
        target: dict[Partition, int] = {}
        for bare in assigned_stages:
            assigned = (
                bare._replace(task=asyncio.create_task(self._relaying(bare.relay)))
                if bare.relay
                else bare
            )
            for tp in assigned.inputs:
                if tp in assignment.end:
                    target[tp] = start_offset(tp, assigned.runner.applied[tp.topic], assignment)
                    self._assigned_stages[tp] = assigned
                    self._status.partitions[tp] = PartitionStatus(
                        target[tp], assignment.end[tp], monotonic()
                    )
        self._adapter.resumed(self._assigned_stages)
        self._status.enter("running")
        return target

    async def _acquire(self, plan: Plan, partition: int, assignment: Assignment) -> AcquiredStage:
        keys = stage_keys(plan.name, plan.inputs, partition, plan.indices)
        checkpoints = self._store_client.checkpoints(keys, assignment.generation, self.deadline)
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
            await _note({tp: followed[tp].checkpoints for tp in found}, found)
            raise refusal_error(list(found.values()))
        self._topic_ids = {tp.topic: look.topic_id for tp, look in seen.items()}
        return await asyncio.gather(*(one.with_marks(seen) for one in owned))

    async def _assign(self, owned: AcquiredStage) -> AssignedStage:
        plan, partition, checkpoints, checkpoint = (
            owned.plan,
            owned.partition,
            owned.checkpoints,
            owned.checkpoint,
        )
        keys = checkpoints.keys
        observer = self._adapter.observer(plan, self.deadline, partition)
        publisher = self._adapter.publisher(self.deadline)
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
                self._topic_ids,
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
            partition, checkpoints, self._adapter.publisher(self.deadline), stage
        )
        observer.relay = relay
        return AssignedStage(plan, partition, runner, relay)

    def marks(self) -> Mapping[Partition, Mark]:
        """Which log each partition is of."""
        unmarked = {tp: Mark(-1, self._topic_ids.get(tp.topic, "")) for tp in self._assigned_stages}
        known = {
            tp: assigned.runner.marks[tp.topic]
            for tp, assigned in self._assigned_stages.items()
            if tp.topic in assigned.runner.marks
        }
        return {**unmarked, **known}

    def mismatch(self, tp: Partition, last: int, mark: Mark | None, seen: LogState) -> str:
        """Why a partition must not go on behind an offset; empty when it may."""
        reason = log_mismatch(self._plans[tp.topic], tp, last, mark, seen)
        # Nothing has been applied: the topic may be made anew.
        if last < 0:
            self._topic_ids[tp.topic] = seen.topic_id
        return reason

    async def refuse_partitions(self, reasons: Mapping[Partition, str]) -> None:
        """Note partitions as refused, until a person clears them.

        Then the process ends without a commit.
        """
        self.deadline.wind_down(GRACE)
        await _note(
            {
                tp: assigned.runner.checkpoints
                for tp in reasons
                if (assigned := self._assigned_stages.get(tp)) is not None
            },
            reasons,
        )
        exit_now(EXIT_ACTION_NEEDED, str(refusal_error(list(reasons.values()))))

    async def _relaying(self, relay: Relay) -> None:
        try:
            await relay.run()
        except NOT_POISON as verdict:
            self._give_up(verdict)
        # This is the outermost frame of a task: nobody else would see the error.
        except Exception as error:  # noqa: BLE001
            exit_now(_exit_code_of(error), "the relay failed", error)

    async def handle(
        self, topic: str, partition: int, generation: int, records: list[Any], ack_handle: AckHandle
    ) -> None:
        """One batch for one partition.

        Never raises; an unknown failure ends the process without a commit.
        """
        assigned = self._assigned_stages.get(Partition(topic, partition))
        try:
            if assigned is None or generation != self._generation or self.deadline.winding_down:
                ack_handle.discard()
            else:
                # Before its timestamp is bounded: by the log's own it is known again.
                stored = records[-1]
                self._bound(topic, partition, records)
                await assigned.runner.consume(topic, records, ack_handle, stored)
                status = self._status.partitions.get(Partition(topic, partition))
                # Else handed over while the batch waited for its turn.
                if status is not None:
                    status.following, status.progressed = (
                        assigned.runner.applied[topic] + 1,
                        assigned.runner.progressed,
                    )
        except NOT_POISON as verdict:
            assert assigned is not None
            assigned.runner.drop()
            self._give_up(verdict)
        except TooManyDeadLettersError as verdict:
            why = await self._adapter.acceptance.rejection_summary(Partition(topic, partition))
            message = f"{verdict}; {why}" if why else str(verdict)
            exit_now(
                EXIT_ACTION_NEEDED,
                f"{topic} partition {partition}: {message}; "
                "look at the dead letters, mend the producer, start again",
            )
        # Poison: whatever it is, it must not reach Faust, which would commit.
        except Exception as error:  # noqa: BLE001
            await self._note_crash(assigned, records, error)
            exit_now(
                _exit_code_of(error),
                f"{topic} partition {partition}, "
                f"offsets {records[0].offset} to {records[-1].offset}",
                error,
            )
        finally:
            # The unacknowledged event must not keep its records alive.
            records.clear()

    def _bound(self, topic: str, partition: int, records: list[Any]) -> None:
        wrong = bound(records, time_ns() // 1_000_000, live=self._live)
        if wrong and monotonic() - self._warned_at >= WARN_SECONDS:
            self._warned_at = monotonic()
            log.warning(
                "%s partition %d: %d records bear a Kafka timestamp that no clock can have given",
                topic,
                partition,
                wrong,
            )

    async def _note_crash(
        self, assigned: AssignedStage | None, records: list[Any], error: Exception
    ) -> None:
        """For people: what the process died of.

        The count of starts, not this note, decides what happens next.
        """
        if assigned is None or isinstance(error, RedisError):
            return
        self.deadline.wind_down(1.0)
        note = f"{type(error).__name__} at offsets {records[0].offset}-{records[-1].offset}"
        try:
            await assigned.runner.checkpoints.note(crash=note)
        except (*NOT_POISON, RedisError):
            log.warning("the crash could not be noted in Redis")

    def _give_up(self, verdict: Exception) -> None:
        """Leave a partition to whoever owns it now.

        Unless its revocation is under way, the group is joined anew for another.
        """
        if isinstance(verdict, FencedError):
            self._adapter.fenced()
        if (
            isinstance(verdict, ReplacedError) and self._status.phase != "draining"
        ):  # its own revocation too is the other's doing
            exit_now(
                EXIT_ACTION_NEEDED,
                f"another worker of our name has taken a partition ({verdict}): "
                "give each worker a kafka.instance_id of its own",
            )
        if self.deadline.winding_down:
            log.info("batch given back: %s", str(verdict) or "out of time")
            return
        log.warning("lost a partition (%s): joining the group anew", str(verdict) or "out of time")
        self._status.enter("rebalancing")
        self._adapter.join_anew()

    async def release(self) -> bool:
        """Make the final checkpoints and give everything back.

        The partitions go to somebody else. Returns whether all were made.
        """
        self._status.enter("rebalancing" if self._status.phase != "draining" else "draining")
        self.deadline.wind_down(GRACE)
        assigned_stages, self._assigned_stages = self.assigned_stages, {}
        self._adapter.released(list(self._status.partitions))
        self._status.partitions.clear()
        outcomes = await asyncio.gather(
            *(assigned.runner.settle() for assigned in assigned_stages), return_exceptions=True
        )
        for assigned, outcome in zip(assigned_stages, outcomes, strict=True):
            if outcome is not None:
                log.warning(
                    "no final checkpoint of %s: %r", assigned.runner.checkpoints.keys.tag, outcome
                )
        for assigned in assigned_stages:
            if assigned.relay is not None and assigned.task is not None:
                await assigned.relay.flush()
                assigned.task.cancel()
        return not any(outcomes)

    async def tick(self) -> None:
        """Overdue checkpoints, leases and idle marks; called a few times a second."""
        try:
            for assigned in self.assigned_stages:
                await self._keep(assigned)
            await self._declare_idle()
        except NOT_POISON as verdict:
            self._give_up(verdict)
        except Exception as error:  # noqa: BLE001 - see handle
            exit_now(_exit_code_of(error), "a timer of the worker failed", error)

    async def _keep(self, assigned: AssignedStage) -> None:
        try:
            await assigned.runner.checkpoint()
            if monotonic() - assigned.runner.committed > self._store_client.lease_seconds / 3:
                await assigned.runner.renew()
        except NOT_POISON as verdict:
            assigned.runner.drop()
            self._give_up(verdict)

    async def _declare_idle(self) -> None:
        if self._idle_after is None:
            return
        now, silent = time_ns(), list[tuple[AssignedStage, float]]()
        for assigned in self.assigned_stages:
            runner = assigned.runner
            said = runner.idle_declared and monotonic() - runner.declared < RENEW_SECONDS
            quiet = not said and monotonic() - runner.heard >= self._idle_after
            if (
                assigned.plan.owns_source
                and quiet
                and may_declare_idle(now, runner.stage.last_event_ns)
            ):
                silent.append((assigned, runner.heard))
        ends = (
            await self._adapter.ends([assigned.inputs[0] for assigned, _ in silent])
            if silent
            else {}
        )
        for assigned, heard in silent:
            end, tp = ends.get(assigned.inputs[0]), assigned.inputs[0]
            following = self._adapter.following(tp, assigned.runner.applied[tp.topic] + 1)
            if end is not None and end <= following and not assigned.runner.closed:
                await assigned.runner.idle(heard, now)


def _exit_code_of(error: Exception) -> int:
    """A permission that is missing in Redis is a person's to give, and a topic's limit to raise.

    What a broker has lost is its own fault. All else is a bug of ours.
    """
    if isinstance(error, RefusedMessageError):
        return EXIT_ACTION_NEEDED
    if isinstance(error, LogLostError):
        return EXIT_UNAVAILABLE
    return exit_code_of(redis_failure(error)) if isinstance(error, RedisError) else EXIT_INTERNAL


def _waits(tp: Partition, assignment: Assignment) -> bool:
    """Whether a partition holds something that its group has not committed."""
    return assignment.end.get(tp, 0) > (assignment.committed.get(tp) or assignment.first.get(tp, 0))


async def _note(
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
