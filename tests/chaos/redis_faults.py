"""What happens to Redis.

It stops, dies, forgets, hangs, is slow, breaks off an answer, or has no room.
"""

import signal
import tempfile
from contextlib import closing
from pathlib import Path

from agents.store.estimate import redis_bytes
from tests.chaos import redis_copies
from tests.chaos.chaos_session import ChaosSession
from tests.chaos.redis_copies import copy
from tests.support.redis import full_disk

FILLER = "tests:filler"


def stop(session: ChaosSession, seconds: float) -> None:
    """An orderly shutdown, and a start over the append-only file."""
    session.stack.redis.stop()
    try:
        session.wait(seconds)
    finally:
        session.stack.redis.start()


def kill(session: ChaosSession, seconds: float) -> None:
    """`kill -9`, and a start over the append-only file."""
    session.stack.redis.kill()
    try:
        session.wait(seconds)
    finally:
        session.stack.redis.start()


def roll_back(session: ChaosSession, seconds: float) -> None:
    """The last seconds are lost, as by a crash of the host between two fsyncs.

    Redis starts over an older append-only file.
    """
    server = session.stack.redis
    with tempfile.TemporaryDirectory(prefix="older-") as folder:
        older = Path(folder)
        copy(server.directory, older)
        session.wait(seconds)
        server.kill()
        try:
            copy(older, server.directory)
        finally:
            server.start()


def set_back(session: ChaosSession, seconds: float) -> None:
    """A restore from a copy of a minute ago, or the oldest there is.

    Readings and commands mix anew.
    """
    redis_copies.set_back(session.stack.redis, session.copies, lambda: session.wait(seconds))


def hang(session: ChaosSession, seconds: float) -> None:
    """SIGSTOP, SIGCONT: what was sent is carried out later, when nobody waits for it any more."""
    session.stack.redis.signal(signal.SIGSTOP)
    try:
        session.wait(seconds)
    finally:
        session.stack.redis.signal(signal.SIGCONT)


def slow(session: ChaosSession, seconds: float) -> None:
    """Every answer to every worker comes late."""
    delay, slots = session.rng.uniform(0.05, 0.4), list(session.supervisor.slots)
    for slot in slots:
        slot.proxy.delay = delay
    session.wait(seconds)
    for slot in slots:
        slot.proxy.release()


def cut(session: ChaosSession, seconds: float) -> None:
    """Answers to commits break off in the middle.

    The worker must ask again, and the script must not commit twice.
    """
    slots, times = list(session.supervisor.slots), session.rng.randint(1, 4)
    for slot in slots:
        slot.proxy.cut(times)
    session.wait(seconds)
    for slot in slots:
        slot.proxy.release()


def memory_full(session: ChaosSession, seconds: float) -> None:
    """Something else has filled the memory: every write is refused."""
    limit = redis_bytes(session.fleet.settings)  # a lower one is refused at start
    with closing(session.fleet.redis) as client:
        client.setrange(FILLER, limit, b"x")
        client.config_set("maxmemory", limit)
        try:
            session.wait(seconds)
        finally:
            client.config_set("maxmemory", 0)
            client.delete(FILLER)


def disk_full(session: ChaosSession, seconds: float) -> None:
    """The append-only file cannot grow: Redis refuses every write until it can."""
    with full_disk(session.stack.redis):
        session.wait(seconds)


def both_away(session: ChaosSession, seconds: float) -> None:
    """Redis and Kafka die together and come back one after the other, in drawn order."""
    session.stack.kafka_down()
    session.stack.redis.kill()
    session.wait(seconds)
    back = [session.stack.kafka_up, session.stack.redis.start]
    session.rng.shuffle(back)
    for start in back:
        start()
