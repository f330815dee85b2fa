"""The partitions of this worker, from takeover to handover.

Each stage and partition that it owns has a runner.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from time import monotonic, time_ns
from typing import Any

from redis.exceptions import RedisError

from agents.alerts.relay import Relay
from agents.kafka.publisher import LogLostError, RefusedMessageError
from agents.monitoring.status import PartitionStatus, WorkerStatus
from agents.plan import Plan
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
from agents.store.checkpoint_store import FencedError, ReplacedError, StoreClient
from agents.store.retry import redis_failure
from agents.transport.assignment import Assignment, Partition
from agents.transport.log_identity import LogState, Mark
from agents.transport.record_times import bound
from agents.worker.acquisition import AssignedStage, StageAcquisition, note_refusals
from agents.worker.batch_pieces import PieceAckHandle, in_pieces
from agents.worker.dead_letter_limit import TooManyDeadLettersError
from agents.worker.faust_adapter import FaustAdapter
from agents.worker.idle import RENEW_SECONDS, may_declare_idle
from agents.worker.isolation import NOT_POISON
from agents.worker.stage_runner import AckHandle, StageRunner
from agents.worker.takeover import ColdStart, log_mismatch, refusal_error, start_offset

GRACE = 3.0
"""Seconds that work under way may take once partitions are to be given up."""
TAKEOVER_SECONDS = 80.0
"""Faust gives up on a takeover after its request timeout (90 s), and then hangs.

We leave before.
"""

WARN_SECONDS = 60.0
"""Least time between two warnings of one kind."""

log = logging.getLogger(__name__)


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
        self._store_client = store_client
        self._adapter = adapter
        self._status = status
        self._idle_after = idle_after
        self._live = live
        self.deadline = Deadline()
        self._acquisition = StageAcquisition(
            plans,
            store_client,
            adapter,
            self.deadline,
            dead_letter_ratio=dead_letter_ratio,
            cold=cold,
        )
        self._generation = -1
        self._warned_at = -WARN_SECONDS
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
        target: dict[Partition, int] = {}
        for bare in await self._acquisition.take_over(assignment):
            assigned = bare
            if bare.relay:
                assigned = bare._replace(task=asyncio.create_task(self._relaying(bare.relay)))
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

    def marks(self) -> Mapping[Partition, Mark]:
        """Which log each partition is of."""
        unmarked = {
            tp: Mark(-1, self._acquisition.topic_ids.get(tp.topic, ""))
            for tp in self._assigned_stages
        }
        known = {
            tp: assigned.runner.marks[tp.topic]
            for tp, assigned in self._assigned_stages.items()
            if tp.topic in assigned.runner.marks
        }
        return {**unmarked, **known}

    def mismatch(self, tp: Partition, last: int, mark: Mark | None, seen: LogState) -> str:
        """Why a partition must not go on behind an offset; empty when it may."""
        reason = log_mismatch(self._acquisition.plans[tp.topic], tp, last, mark, seen)
        # Nothing has been applied: the topic may be made anew.
        if last < 0:
            self._acquisition.topic_ids[tp.topic] = seen.topic_id
        return reason

    async def refuse_partitions(self, reasons: Mapping[Partition, str]) -> None:
        """Note partitions as refused, until a person clears them.

        Then the process ends without a commit.
        """
        self.deadline.wind_down(GRACE)
        await note_refusals(
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
                runner = assigned.runner
                suspected = topic in runner.record_by_record
                pieces = in_pieces(records) if suspected else [records]
                await self._apply(runner, Partition(topic, partition), pieces, ack_handle)
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

    async def _apply(
        self,
        runner: StageRunner,
        tp: Partition,
        pieces: Sequence[list[Any]],
        ack_handle: AckHandle,
    ) -> None:
        """Apply a batch; what is left of it when partitions are given up is given back."""
        for number, piece in enumerate(pieces, start=1):
            if number > 1 and self.deadline.winding_down:
                ack_handle.discard()
                return
            # Before its timestamp is bounded: by the log's own it is known again.
            stored = piece[-1]
            self._bound(*tp, piece)
            more = number < len(pieces)
            handle = PieceAckHandle(ack_handle) if more else ack_handle
            await runner.consume(tp.topic, piece, handle, stored, more=more)
            status = self._status.partitions.get(tp)
            # Else handed over while the batch waited for its turn.
            if status is not None:
                status.following, status.progressed = (
                    runner.applied[tp.topic] + 1,
                    runner.progressed,
                )

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
            declared = runner.idle_declared and monotonic() - runner.declared < RENEW_SECONDS
            quiet = not declared and monotonic() - runner.heard >= self._idle_after
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
