"""Partitions that stand refused: a note in their owner record, which only a person removes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from time import time
from typing import NamedTuple

import msgspec
from redis import Redis

from agents.exits import Refusal
from agents.store.keys import StageKeys, stage_keys
from agents.store.scripts import source

REFUSED = "refused"
"""Field of the owner record."""
AT_ONCE = 32
"""Partitions asked for at a time."""
NEXT = "`dispersion takeover` shows what stands refused and what each way on costs"


class Note(msgspec.Struct, frozen=True):
    """Why nobody may own a partition."""

    topic: str
    """The input topic that is not what the watermark was taken from."""
    reason: str
    """In words; names the topic and the partition."""
    at: float
    """Seconds since the epoch."""


def refusal(topic: str, reason: str) -> str:
    """A note for the owner record."""
    return msgspec.json.encode(Note(topic, reason, round(time(), 3))).decode()


def read(keys: StageKeys, text: bytes) -> Note:
    """A note back; one that cannot be read still refuses, on behalf of the first input."""
    try:
        return msgspec.json.decode(text, type=Note)
    except msgspec.MsgspecError:
        return Note(keys.inputs[0], "the note in Redis cannot be read: a later release wrote it", 0.0)


def standing(keys: StageKeys, text: bytes) -> Refusal:
    """What a worker says that finds a note."""
    return Refusal(f"{read(keys, text).reason}; it stands refused in Redis until a person decides: {NEXT}")


class Standing(NamedTuple):
    """One stage and partition that nobody may own."""

    keys: StageKeys
    partition: int
    text: bytes
    """The note as it stands in Redis."""
    note: Note


class Move(NamedTuple):
    """Where an input goes on."""

    topic: str
    watermark: int
    """Last offset that counts as applied; -1 for none."""


def standing_in(redis: Redis, inputs: Mapping[str, Sequence[str]], counts: Mapping[str, int]) -> Iterator[Standing]:
    """What stands refused, of stages by name with their input topics, and partitions by topic. Raises `RedisError`."""
    for stage, topics in inputs.items():
        for partition in range(counts.get(topics[0], 0)):
            keys = stage_keys(stage, topics, partition)
            text = redis.hget(keys.key("own"), REFUSED)
            if isinstance(text, bytes):
                yield Standing(keys, partition, text, read(keys, text))


def refused_count(redis: Redis, stage: str, topic: str) -> int:
    """Partitions of a stage that stand refused, by Redis alone: partitions end where nobody has ever owned one. Raises `RedisError`.

    `topic` is the first input of the stage.
    """
    refused = 0
    for first in count(0, AT_ONCE):
        notes = _notes(redis, [stage_keys(stage, [topic], p).key("own") for p in range(first, first + AT_ONCE)])
        refused += sum(note is not None for _, note in notes)
        if not any(generation for generation, _ in notes):
            return refused
    raise AssertionError


def _notes(redis: Redis, owner_records: Sequence[str]) -> Sequence[tuple[bytes | None, bytes | None]]:
    """By owner record the generation that had it last, and the note."""
    with redis.pipeline(transaction=False) as pipeline:
        for key in owner_records:
            pipeline.hmget(key, "gen", REFUSED)
        return pipeline.execute()


def watermark(redis: Redis, standing: Standing, topic: str) -> int:
    """Last applied offset of an input; -1 for none. Raises `RedisError`."""
    return int(redis.get(standing.keys.watermark(topic)) or -1)


def clear(redis: Redis, standing: Standing, moves: Sequence[Move], *, forget: bool) -> bool:
    """Let a partition be owned again, with its inputs where they are moved to; False where the note is another one by now.

    `forget` drops the state and the alerts; daily facts and the outbox stay. Raises `RedisError`.
    """
    keys = standing.keys
    arguments: list[bytes | str | int] = [standing.text, int(forget)]
    for move in moves:
        arguments += [5 + keys.inputs.index(move.topic), move.watermark, keys.mark(move.topic)]
    answer = redis.register_script(source("takeover"))(keys=keys.all, args=arguments)
    return isinstance(answer, list) and answer[0] == b"OK"
