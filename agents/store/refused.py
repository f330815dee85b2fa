"""Partitions that stand refused: a note in their owner record, which only a person removes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from time import time
from typing import NamedTuple

import msgspec
from redis import Redis

from agents.process.exits import ActionNeededError
from agents.store.keys import StageKeys, stage_keys
from agents.store.scripts import source

REFUSED_FIELD = "refused"
"""Field of the owner record."""
AT_ONCE = 32
"""Partitions asked for at a time."""
NEXT = "`dispersion takeover` shows what stands refused and what each way on costs"


class RefusalNote(msgspec.Struct, frozen=True):
    """Why nobody may own a partition."""

    topic: str
    """The input topic that is not what the watermark was taken from."""
    reason: str
    """In words; names the topic and the partition."""
    at: float
    """Seconds since the epoch."""


def refusal_note(topic: str, reason: str) -> str:
    """A note for the owner record."""
    return msgspec.json.encode(RefusalNote(topic, reason, round(time(), 3))).decode()


def read(keys: StageKeys, text: bytes) -> RefusalNote:
    """A note back; one that cannot be read still refuses, on behalf of the first input."""
    try:
        return msgspec.json.decode(text, type=RefusalNote)
    except msgspec.MsgspecError:
        return RefusalNote(
            keys.inputs[0], "the note in Redis cannot be read: a later release wrote it", 0.0
        )


def refusal_error(keys: StageKeys, text: bytes) -> ActionNeededError:
    """What a worker says that finds a note."""
    return ActionNeededError(
        f"{read(keys, text).reason}; it stands refused in Redis until a person decides: {NEXT}"
    )


class RefusedPartition(NamedTuple):
    """One stage and partition that nobody may own."""

    keys: StageKeys
    partition: int
    text: bytes
    """The note as it stands in Redis."""
    note: RefusalNote


class WatermarkMove(NamedTuple):
    """Where an input goes on."""

    topic: str
    watermark: int
    """Last offset that counts as applied; -1 for none."""


def refused_partitions(
    redis: Redis, inputs: Mapping[str, Sequence[str]], counts: Mapping[str, int]
) -> Iterator[RefusedPartition]:
    """What stands refused, of stages by name with their input topics, and partitions by topic.

    Raises `RedisError`.
    """
    for stage, topics in inputs.items():
        for partition in range(counts.get(topics[0], 0)):
            keys = stage_keys(stage, topics, partition)
            text = redis.hget(keys.key("own"), REFUSED_FIELD)
            if isinstance(text, bytes):
                yield RefusedPartition(keys, partition, text, read(keys, text))


def refused_count(redis: Redis, stage: str, topic: str) -> int:
    """Partitions of a stage that stand refused, by Redis alone.

    Partitions end where nobody has ever owned one. Raises `RedisError`.

    `topic` is the first input of the stage.
    """
    refused = 0
    for first in count(0, AT_ONCE):
        notes = _notes(
            redis, [stage_keys(stage, [topic], p).key("own") for p in range(first, first + AT_ONCE)]
        )
        refused += sum(note is not None for _, note in notes)
        if not any(generation for generation, _ in notes):
            return refused
    raise AssertionError


def _notes(
    redis: Redis, owner_records: Sequence[str]
) -> Sequence[tuple[bytes | None, bytes | None]]:
    """By owner record the generation that had it last, and the note."""
    with redis.pipeline(transaction=False) as pipeline:
        for key in owner_records:
            pipeline.hmget(key, "gen", REFUSED_FIELD)
        return pipeline.execute()


def watermark(redis: Redis, refused_partition: RefusedPartition, topic: str) -> int:
    """Last applied offset of an input; -1 for none. Raises `RedisError`."""
    return int(redis.get(refused_partition.keys.watermark(topic)) or -1)


def clear(
    redis: Redis,
    refused_partition: RefusedPartition,
    moves: Sequence[WatermarkMove],
    *,
    forget: bool,
) -> bool:
    """Let a partition be owned again, with its inputs where they are moved to.

    Returns False where the note is another one by now.

    `forget` drops the state and the alerts; daily facts and the outbox stay. Raises `RedisError`.
    """
    keys = refused_partition.keys
    arguments: list[bytes | str | int] = [refused_partition.text, int(forget)]
    for move in moves:
        arguments += [5 + keys.inputs.index(move.topic), move.watermark, keys.mark(move.topic)]
    answer = redis.register_script(source("takeover"))(keys=keys.all, args=arguments)
    return isinstance(answer, list) and answer[0] == b"OK"
