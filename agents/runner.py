"""The crew: a runner for every partition the worker owns, from takeover to handover."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from time import monotonic, time_ns
from typing import Any, NamedTuple

from redis.exceptions import RedisError

from agents.alerts.relay import Relay
from agents.alone import BYSTANDERS, Alone
from agents.assignment import Assignment, Partition
from agents.cadence import Cadence
from agents.dead_letter_limit import DeadLetterLimit, TooManyDeadLetters
from agents.exits import DOWN, INTERNAL, REFUSED, Down, Refusal, code_of, leave
from agents.log_marks import Mark, Seen
from agents.monitoring.status import PartitionStatus, Status
from agents.partition import PartitionRunner, Ticket
from agents.patience import Patience
from agents.plans import Plan
from agents.ports_of_app import AppPorts
from agents.producer import LogLostError
from agents.quiet import RENEW_SECONDS, idle_counts
from agents.record_times import bound
from agents.store.asking import verdict_on
from agents.store.keys import stage_keys
from agents.store.ledger import Checkpoint, Fenced, Ledger, Replaced, Store
from agents.takeover import ColdStart, confirmed, foreign, refuse_unknown, refused, skipped, start_offset

GRACE = 3.0
"""Seconds that work under way may take once partitions are to be given up."""
TAKEOVER_SECONDS = 80.0
"""Faust gives up on a takeover after its request timeout (90 s), and then hangs; we leave before."""

TELL_SECONDS = 60.0
"""Least time between two warnings of one kind."""

log = logging.getLogger(__name__)


class Post(NamedTuple):
    """One stage at work on one partition."""

    plan: Plan
    partition: int
    runner: PartitionRunner
    relay: Relay | None = None
    task: "asyncio.Task[None] | None" = None

    @property
    def inputs(self) -> list[Partition]:
        """The topic partitions it consumes."""
        return [Partition(topic, self.partition) for topic in self.plan.inputs]


class Owned(NamedTuple):
    """One stage and partition taken over, before it works."""

    plan: Plan
    partition: int
    ledger: Ledger
    checkpoint: Checkpoint

    @property
    def inputs(self) -> list[Partition]:
        """The topic partitions it consumes."""
        return [Partition(topic, self.partition) for topic in self.plan.inputs]

    def at(self, topic: str) -> tuple[int, Mark | None]:
        """The watermark of an input, and which log it is of."""
        return self.checkpoint.watermarks[topic], self.checkpoint.marks.get(topic)

    async def learn(self, seen: Mapping[Partition, Seen]) -> "Owned":
        """With marks where a release without them has committed, or a person has."""
        news = {}
        for tp in self.inputs:
            last, mark = self.at(tp.topic)
            if last >= 0 and (mark is None or mark.timestamp is None):
                news[tp.topic] = seen[tp].mark or Mark(last, seen[tp].topic_id)
        if news:
            await self.ledger.mark(news)
        return self._replace(checkpoint=self.checkpoint._replace(marks={**self.checkpoint.marks, **news}))


class Crew:
    """All posts of this worker. Every method belongs to the app's event loop."""

    def __init__(
        self,
        plans: Sequence[Plan],
        store: Store,
        ports: AppPorts,
        status: Status,
        *,
        idle_after: float | None,
        dead_letter_ratio: float = 1.0,
        cold: ColdStart = "checkpoint",
        live: bool = False,
    ) -> None:
        """`idle_after` None never declares a source idle (replays); `cold` is for partitions unknown to Redis.

        `live` says that event time is now: no record can be dated ahead of this process's clock.
        """
        self._plans = {topic: plan for plan in plans for topic in plan.inputs}
        self._store, self._ports, self._status = store, ports, status
        self._idle_after, self._dead_letter_ratio = idle_after, dead_letter_ratio
        self._cold, self._live = cold, live
        self.patience = Patience()
        self._alone = Alone()
        self._generation = -1
        self._told = -TELL_SECONDS
        self._topic_ids: dict[str, str] = {}
        self._posts: dict[Partition, Post] = {}

    @property
    def posts(self) -> list[Post]:
        """Each post once."""
        return list({id(post): post for post in self._posts.values()}.values())

    async def start(self, assignment: Assignment) -> Mapping[Partition, int]:
        """Take the assigned partitions over; answers where each starts. Does not return when it must not run."""
        if self._posts:  # assigned anew without a revocation
            await self.release()
        self.patience.renew()
        try:
            return await asyncio.wait_for(self._take_over(assignment), TAKEOVER_SECONDS)
        except Refusal as refusal:
            leave(REFUSED, str(refusal))
        except Down as down:
            leave(DOWN, str(down))
        except BYSTANDERS as verdict:
            self._give_up(verdict)
            return {}
        except TimeoutError:
            leave(DOWN, f"Redis has not let us take over within {TAKEOVER_SECONDS:.0f} s")
        except RedisError as error:
            leave(code_of(verdict_on(error)), "Redis refuses the takeover", error)

    async def _take_over(self, assignment: Assignment) -> dict[Partition, int]:
        self._generation = assignment.generation
        await self._ports.recount()
        wanted = sorted({(self._plans[tp.topic].inputs[0], tp.partition) for tp in assignment.end})
        taken = await asyncio.gather(*(self._acquire(self._plans[topic], p, assignment) for topic, p in wanted), return_exceptions=True)
        for one in taken:
            if isinstance(one, BaseException) and not isinstance(one, Refusal):
                raise one
        owned: Sequence[Owned] = [one for one in taken if not isinstance(one, BaseException)]
        owned = await self._of_the_same_logs(owned)
        for one in taken:
            if isinstance(one, BaseException):
                raise one
        posts = await asyncio.gather(*(self._post(one) for one in owned))
        target: dict[Partition, int] = {}
        for bare in posts:
            post = bare._replace(task=asyncio.create_task(self._relaying(bare.relay))) if bare.relay else bare
            for tp in post.inputs:
                if tp in assignment.end:
                    target[tp] = start_offset(tp, post.runner.applied[tp.topic], assignment)
                    self._posts[tp] = post
                    self._status.partitions[tp] = PartitionStatus(target[tp], assignment.end[tp], monotonic())
        self._ports.resumed(self._posts)
        self._status.enter("running")
        return target

    async def _acquire(self, plan: Plan, partition: int, assignment: Assignment) -> Owned:
        keys = stage_keys(plan.name, plan.inputs, partition, plan.indices)
        ledger = self._store.ledger(keys, assignment.generation, self.patience)
        waiting = [topic for topic in plan.inputs if _waits(Partition(topic, partition), assignment)]
        checkpoint = await ledger.acquire(waiting=waiting)
        if self._cold == "latest" and (steps := skipped(plan, partition, checkpoint, assignment)):
            await ledger.commit(steps, {})
            checkpoint = checkpoint._replace(watermarks={step.topic: step.last for step in steps}, commits=1)
        for topic in plan.inputs:
            refuse_unknown(Partition(topic, partition), checkpoint, assignment, self._cold)
        return Owned(plan, partition, ledger, checkpoint)

    async def _of_the_same_logs(self, owned: Sequence[Owned]) -> Sequence[Owned]:
        """Refuse for good what does not go on behind its watermark; learn which log the others are."""
        followed = {tp: one for one in owned for tp in one.inputs}
        seen: Mapping[Partition, Seen] = {}

        async def reasons() -> Mapping[Partition, str]:
            nonlocal seen
            seen = await self._ports.look({tp: one.checkpoint.watermarks[tp.topic] for tp, one in followed.items()})
            return {tp: foreign(one.plan, tp, *one.at(tp.topic), seen[tp]) for tp, one in followed.items()}

        if found := await confirmed(reasons):
            await _note({tp: followed[tp].ledger for tp in found}, found)
            raise refused(list(found.values()))
        self._topic_ids = {tp.topic: look.topic_id for tp, look in seen.items()}
        return await asyncio.gather(*(one.learn(seen) for one in owned))

    async def _post(self, owned: Owned) -> Post:
        plan, partition, ledger, checkpoint = owned.plan, owned.partition, owned.ledger, owned.checkpoint
        keys = ledger.keys
        effects = self._ports.effects(plan, self.patience, partition)
        publisher = self._ports.publisher(self.patience)
        try:
            stage = plan.make(partition, self._ports.partition_counts)
            runner = PartitionRunner(
                stage,
                publisher,
                ledger,
                checkpoint,
                Cadence(plan.policy),
                effects,
                DeadLetterLimit(self._dead_letter_ratio),
                self._alone,
                self._topic_ids,
            )
        except ValueError as error:
            raise Refusal(
                f"the checkpoint {keys.tag} in Redis was written by another version ({error}): "
                "run that version, or delete its keys and run with a new kafka.group"
            ) from error
        if runner.careful:
            log.error("%s: started %d times at the same watermark; going record by record", keys.tag, max(checkpoint.starts.values()))
        await runner.begin()
        if not plan.has_outbox:
            return Post(plan, partition, runner)
        relay = self._ports.relay(partition, ledger, self._ports.publisher(self.patience), stage)
        effects.relay = relay
        return Post(plan, partition, runner, relay)

    def marks(self) -> Mapping[Partition, Mark]:
        """Which log each partition is of."""
        unmarked = {tp: Mark(-1, self._topic_ids.get(tp.topic, "")) for tp in self._posts}
        known = {tp: post.runner.marks[tp.topic] for tp, post in self._posts.items() if tp.topic in post.runner.marks}
        return {**unmarked, **known}

    def judge(self, tp: Partition, last: int, mark: Mark | None, seen: Seen) -> str:
        """Why a partition must not go on behind an offset; empty when it may."""
        reason = foreign(self._plans[tp.topic], tp, last, mark, seen)
        if last < 0:  # nothing has been applied: the topic may be made anew
            self._topic_ids[tp.topic] = seen.topic_id
        return reason

    async def foreign(self, reasons: Mapping[Partition, str]) -> None:
        """Note partitions as refused, until a person clears them, and end the process without a commit."""
        self.patience.wind_down(GRACE)
        await _note({tp: post.runner.ledger for tp in reasons if (post := self._posts.get(tp)) is not None}, reasons)
        leave(REFUSED, str(refused(list(reasons.values()))))

    async def _relaying(self, relay: Relay) -> None:
        try:
            await relay.run()
        except BYSTANDERS as verdict:
            self._give_up(verdict)
        except Exception as error:  # noqa: BLE001 - the outermost frame of a task: nobody else would see it
            leave(_code(error), "the relay failed", error)

    async def handle(self, topic: str, partition: int, generation: int, records: list[Any], ticket: Ticket) -> None:
        """One batch for one partition. Never raises; an unknown failure ends the process without a commit."""
        post = self._posts.get(Partition(topic, partition))
        try:
            if post is None or generation != self._generation or self.patience.winding_down:
                ticket.discard()
            else:
                stored = records[-1]  # before its timestamp is bounded: by the log's own it is known again
                self._bound(topic, partition, records)
                await post.runner.consume(topic, records, ticket, stored)
                status = self._status.partitions.get(Partition(topic, partition))
                if status is not None:  # else handed over while the batch waited for its turn
                    status.following, status.progressed = post.runner.applied[topic] + 1, post.runner.progressed
        except BYSTANDERS as verdict:
            assert post is not None
            post.runner.drop()
            self._give_up(verdict)
        except TooManyDeadLetters as verdict:
            why = await self._ports.acceptance.last_words(Partition(topic, partition))
            told = f"{verdict}; {why}" if why else str(verdict)
            leave(REFUSED, f"{topic} partition {partition}: {told}; look at the dead letters, mend the producer, start again")
        except Exception as error:  # noqa: BLE001 - poison: whatever it is, it must not reach Faust, which would commit
            await self._note_crash(post, records, error)
            leave(_code(error), f"{topic} partition {partition}, offsets {records[0].offset} to {records[-1].offset}", error)
        finally:
            records.clear()  # the unacknowledged event must not keep its records alive

    def _bound(self, topic: str, partition: int, records: list[Any]) -> None:
        wrong = bound(records, time_ns() // 1_000_000, live=self._live)
        if wrong and monotonic() - self._told >= TELL_SECONDS:
            self._told = monotonic()
            log.warning("%s partition %d: %d records bear a Kafka timestamp that no clock can have given", topic, partition, wrong)

    async def _note_crash(self, post: Post | None, records: list[Any], error: Exception) -> None:
        """For people: what the process died of. The count of starts, not this note, decides what happens next."""
        if post is None or isinstance(error, RedisError):
            return
        self.patience.wind_down(1.0)
        note = f"{type(error).__name__} at offsets {records[0].offset}-{records[-1].offset}"
        try:
            await post.runner.ledger.note(crash=note)
        except (*BYSTANDERS, RedisError):
            log.warning("the crash could not be noted in Redis")

    def _give_up(self, verdict: Exception) -> None:
        """Leave a partition to whoever owns it now: unless its revocation is under way, the group is joined anew for another."""
        if isinstance(verdict, Fenced):
            self._ports.fenced()
        if isinstance(verdict, Replaced) and self._status.phase != "draining":  # its own revocation too is the other's doing
            leave(REFUSED, f"another worker of our name has taken a partition ({verdict}): give each worker a kafka.instance_id of its own")
        if self.patience.winding_down:
            log.info("batch given back: %s", str(verdict) or "out of time")
            return
        log.warning("lost a partition (%s): joining the group anew", str(verdict) or "out of time")
        self._status.enter("rebalancing")
        self._ports.join_anew()

    async def release(self) -> bool:
        """Make the final checkpoints and give everything back; the partitions go to somebody else. Whether all were made."""
        self._status.enter("rebalancing" if self._status.phase != "draining" else "draining")
        self.patience.wind_down(GRACE)
        posts, self._posts = self.posts, {}
        self._ports.released(list(self._status.partitions))
        self._status.partitions.clear()
        outcomes = await asyncio.gather(*(post.runner.settle() for post in posts), return_exceptions=True)
        for post, outcome in zip(posts, outcomes, strict=True):
            if outcome is not None:
                log.warning("no final checkpoint of %s: %r", post.runner.ledger.keys.tag, outcome)
        for post in posts:
            if post.relay is not None and post.task is not None:
                await post.relay.flush()
                post.task.cancel()
        return not any(outcomes)

    async def tick(self) -> None:
        """Overdue checkpoints, leases and idle marks; called a few times a second."""
        try:
            for post in self.posts:
                await self._keep(post)
            await self._declare_idle()
        except BYSTANDERS as verdict:
            self._give_up(verdict)
        except Exception as error:  # noqa: BLE001 - see handle
            leave(_code(error), "a timer of the worker failed", error)

    async def _keep(self, post: Post) -> None:
        try:
            await post.runner.checkpoint()
            if monotonic() - post.runner.committed > self._store.lease_seconds / 3:
                await post.runner.renew()
        except BYSTANDERS as verdict:
            post.runner.drop()
            self._give_up(verdict)

    async def _declare_idle(self) -> None:
        if self._idle_after is None:
            return
        now, silent = time_ns(), list[tuple[Post, float]]()
        for post in self.posts:
            runner = post.runner
            said = runner.idle_declared and monotonic() - runner.declared < RENEW_SECONDS
            quiet = not said and monotonic() - runner.heard >= self._idle_after
            if post.plan.owns_source and quiet and idle_counts(now, getattr(runner.stage, "last_event_ns", None)):
                silent.append((post, runner.heard))
        ends = await self._ports.ends([post.inputs[0] for post, _ in silent]) if silent else {}
        for post, heard in silent:
            end, tp = ends.get(post.inputs[0]), post.inputs[0]
            following = self._ports.following(tp, post.runner.applied[tp.topic] + 1)
            if end is not None and end <= following and not post.runner.closed:
                await post.runner.idle(heard, now)


def _code(error: Exception) -> int:
    """A permission that is missing in Redis is a person's to give, what a broker has lost its own fault; all else is a bug of ours."""
    if isinstance(error, LogLostError):
        return DOWN
    return code_of(verdict_on(error)) if isinstance(error, RedisError) else INTERNAL


def _waits(tp: Partition, assignment: Assignment) -> bool:
    """Whether a partition holds something that its group has not committed."""
    return assignment.end.get(tp, 0) > (assignment.committed.get(tp) or assignment.first.get(tp, 0))


async def _note(ledgers: Mapping[Partition, Ledger], reasons: Mapping[Partition, str]) -> None:
    """Refuse partitions until a person decides; of a stage with several foreign inputs the first one's note stands."""
    first: dict[int, Partition] = {}
    for tp in sorted(ledgers, key=lambda tp: ledgers[tp].keys.inputs.index(tp.topic)):
        first.setdefault(id(ledgers[tp]), tp)
    notes = (ledgers[tp].refuse(tp.topic, reasons[tp]) for tp in first.values())
    for outcome in await asyncio.gather(*notes, return_exceptions=True):
        if isinstance(outcome, BaseException):
            log.error("the refusal could not be noted in Redis: %r", outcome)
