"""What Redis holds of one stage and partition: ownership, checkpoints and outbox.

Each step is one idempotent script.
"""

from collections.abc import Collection, Mapping, Sequence
from time import time
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import uuid4

from redis.asyncio import Redis

from agents.process.release_deadline import Deadline
from agents.store.client import RedisCaller, RedisObserver
from agents.store.keys import DAY_CHUNK, RecordPosition, StageKeys
from agents.store.refused import REFUSED_FIELD, refusal_error, refusal_note
from agents.store.scripts import Scripts
from agents.transport.log_identity import Mark, pack, unpack
from streams.stage import OutboxEntry

HELD_PAUSE = 0.3
"""Seconds between attempts to take a partition whose former owner's lease still runs."""
SUSPICIOUS_STARTS = 2
"""Starts at one watermark after which records are processed alone.

A record that is alone at two deaths is skipped (`docs/design/decisions/0012`).
"""


class FencedError(Exception):
    """Somebody else owns the partition, or Redis has lost data.

    Drop its memory, acknowledge nothing.
    """


class ReplacedError(FencedError):
    """A running worker of the same name (`kafka.instance_id`) owns the partition.

    To join again would drive that one out in turn.
    """


class Checkpoint(NamedTuple):
    """What Redis knows about a partition when it is taken."""

    watermarks: dict[str, int]
    """Last applied offset by input topic; -1 for none."""
    chunks: dict[str, bytes]
    commits: int
    starts: dict[str, int]
    """How often it was started at its watermark with input waiting, by input topic."""
    skip: tuple[RecordPosition, ...]
    """Records that killed the process twice when they were processed alone."""
    marks: Mapping[str, Mark] = MappingProxyType({})
    """Which log each watermark is of, by input topic.

    There is none where no release with marks has committed yet.
    """


class WatermarkStep(NamedTuple):
    """The step of one input that a commit records.

    One commit takes those of all inputs, which share the state.
    """

    topic: str
    expected: int
    """Watermark before."""
    last: int
    """Watermark after; equal for a commit without new input."""


class OutboxRecord(NamedTuple):
    """One outbox entry as the relay reads it."""

    entry_id: str
    seq: int
    event_id: str
    value: bytes


class Outbox(NamedTuple):
    """What waits to be published."""

    length: int
    entries: list[OutboxRecord]
    """The first of them."""
    newest: int
    """The last number that was given; 0 for none."""


class StoreClient:
    """The client and its scripts; makes one `CheckpointStore` per stage and partition."""

    def __init__(
        self, redis: Redis, observer: RedisObserver, *, lease_seconds: int, instance: str = ""
    ) -> None:
        self.redis = redis
        self.caller = RedisCaller(observer)
        self.lease_seconds = lease_seconds
        self.instance = instance
        self.scripts = Scripts(redis)
        self.uuid = uuid4().hex

    def checkpoints(
        self, keys: StageKeys, generation: int, deadline: Deadline
    ) -> "CheckpointStore":
        """The checkpoints of one partition for one generation."""
        return CheckpointStore(self, keys, generation, deadline)


class CheckpointStore:
    """The checkpoints and the outbox of one stage and partition under one owner."""

    def __init__(
        self, store_client: StoreClient, keys: StageKeys, generation: int, deadline: Deadline
    ) -> None:
        self.keys = keys
        self.deadline = deadline
        self._store_client = store_client
        self._owner = [str(generation), store_client.uuid, str(store_client.lease_seconds)]
        self._commits = 0

    async def _run(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        answer = await self._store_client.caller.until_answered(
            script,
            lambda: self._store_client.scripts.run(script, keys, [*self._owner, *arguments]),
            self.deadline,
        )
        verdict = answer[0].decode()
        if verdict in {"FENCED", "MOVED"}:
            kind = (
                ReplacedError
                if verdict == "FENCED" and await self._by_a_namesake()
                else FencedError
            )
            raise kind(f"{self.keys.tag}: {verdict} {answer[1]!r}")
        if verdict == "REFUSED":
            raise refusal_error(self.keys, answer[1])
        return answer

    async def _by_a_namesake(self) -> bool:
        """Whether another process of our name owns the partition now.

        False where a Redis set back merely remembers one.
        """
        instance = self._store_client.instance
        if not instance:
            return False
        key, client = self.keys.key("own"), self._store_client.redis
        fields = ["gen", "uuid", "inst", "exp"]
        found = await self._store_client.caller.until_answered(
            "owner", lambda: client.hmget(key, fields), self.deadline
        )
        generation, uuid, name, until = (value.decode() if value else "" for value in found)
        younger = bool(uuid) and int(generation) >= int(self._owner[0])
        return younger and name == instance and int(until) > time()

    async def acquire(self, *, waiting: Collection[str]) -> Checkpoint:
        """Own the partition and learn its state; waits while another owner's lease runs.

        Args:
            waiting: inputs on whose partition something waits to be applied.

        Raises:
            ActionNeededError: the partition stands refused until a person clears it.
        """
        flags = "".join(str(int(topic in waiting)) for topic in self.keys.inputs)
        while True:
            answer = await self._run(
                "acquire",
                self.keys.all,
                [self._store_client.instance, flags, *map(self.keys.mark, self.keys.inputs)],
            )
            if answer[0] != b"HELD":
                break
            await self.deadline.sleep(HELD_PAUSE)
        _, watermarks, commits, starts, skip, state, alerts, days, logs = answer
        self._commits = int(commits)
        chunks = {**_chunks(state), **_chunks(alerts)}
        for index, facts in zip(self.keys.indices, days, strict=True):
            chunks |= {
                f"{DAY_CHUNK}{index}/{session}": fact for session, fact in _chunks(facts).items()
            }
        applied = dict(zip(self.keys.inputs, map(int, watermarks), strict=True))
        marks = {
            topic: unpack(text, applied[topic])
            for topic, text in zip(self.keys.inputs, logs, strict=True)
        }
        return Checkpoint(
            watermarks=applied,
            chunks=chunks,
            commits=self._commits,
            starts=dict(zip(self.keys.inputs, map(int, starts), strict=True)),
            skip=tuple(self.keys.position_of(name) for name in skip.decode().split(",") if name),
            marks={topic: mark for topic, mark in marks.items() if mark is not None},
        )

    async def commit(
        self,
        steps: Sequence[WatermarkStep],
        chunks: Mapping[str, bytes],
        outbox: Sequence[OutboxEntry] = (),
        skip: Sequence[RecordPosition] = (),
        marks: Mapping[str, Mark] = MappingProxyType({}),
    ) -> int:
        """Write state, watermarks with their marks, and outbox at once.

        The outbox length. Raises `FencedError` or `DeadlineExceededError`.
        """
        number = self._commits + 1
        arguments: list[Any] = [number, ",".join(map(self.keys.name_of, skip)), len(steps)]
        for step in steps:
            arguments += [5 + self.keys.inputs.index(step.topic), step.expected, step.last]
        arguments.append(len(marks))
        for topic, mark in marks.items():
            arguments += [self.keys.mark(topic), pack(mark)]
        arguments.append(len(chunks))
        for name, value in chunks.items():
            arguments += [*self.keys.home(name), value]
        for entry in outbox:
            arguments += [entry.event_id, entry.value]
        answer = await self._run("commit", self.keys.all, arguments)
        self._commits = number
        return int(answer[1])

    async def mark(self, marks: Mapping[str, Mark]) -> None:
        """Note which log the watermarks are of, where nothing is known of it yet."""
        await self.note(
            **{self.keys.mark(topic): pack(mark).decode() for topic, mark in marks.items()}
        )

    async def stay_suspicious(self, watermarks: Mapping[str, int]) -> None:
        """Let the starts that were counted at earlier watermarks count at these."""
        await self.note(start_wm=",".join(str(watermarks[topic]) for topic in self.keys.inputs))

    async def refuse(self, topic: str, reason: str) -> None:
        """Let the partition stand refused until a person clears it; nobody owns it until then."""
        await self.note(**{REFUSED_FIELD: refusal_note(topic, reason)})

    async def note(self, **fields: str) -> None:
        """Renew the lease and note fields in the owner record; an empty text removes one."""
        await self._run(
            "note", [self.keys.key("own")], [part for field in fields.items() for part in field]
        )

    async def outbox(self, published: str, count: int, floor: int = 0) -> Outbox:
        """Drop entries up to `published` (an entry id or empty) and read the next ones.

        Numbers go on above `floor`.
        """
        if published:
            milliseconds, _, number = published.partition("-")
            published = f"{milliseconds}-{int(number) + 1}"
        answer = await self._run(
            "outbox", [self.keys.key("own"), self.keys.key("out")], [published, count, floor]
        )
        entries = []
        for entry_id, pairs in answer[2]:
            fields = _chunks(pairs)
            entries.append(
                OutboxRecord(
                    entry_id.decode(), int(fields["seq"]), fields["id"].decode(), fields["v"]
                )
            )
        return Outbox(int(answer[1]), entries, int(answer[3]))


def _chunks(pairs: Any) -> dict[str, bytes]:
    if isinstance(pairs, dict):
        return {name.decode(): value for name, value in pairs.items()}
    return {name.decode(): value for name, value in zip(pairs[::2], pairs[1::2], strict=True)}
