"""What happens to Redis: it stops, dies, forgets, hangs, is slow, breaks off an answer, or has no room."""

import signal
import tempfile
from contextlib import closing
from pathlib import Path

from agents.store.estimate import redis_bytes
from tests.chaos import redis_copies
from tests.chaos.redis_copies import copy
from tests.chaos.scene import Scene
from tests.support.redis import full_disk

FILLER = "tests:filler"


def stop(scene: Scene, seconds: float) -> None:
    """An orderly shutdown, and a start over the append-only file."""
    scene.stack.redis.stop()
    try:
        scene.wait(seconds)
    finally:
        scene.stack.redis.start()


def kill(scene: Scene, seconds: float) -> None:
    """`kill -9`, and a start over the append-only file."""
    scene.stack.redis.kill()
    try:
        scene.wait(seconds)
    finally:
        scene.stack.redis.start()


def roll_back(scene: Scene, seconds: float) -> None:
    """The last seconds are lost, as by a crash of the host between two fsyncs: it starts over an older append-only file."""
    server = scene.stack.redis
    with tempfile.TemporaryDirectory(prefix="older-") as folder:
        older = Path(folder)
        copy(server.directory, older)
        scene.wait(seconds)
        server.kill()
        try:
            copy(older, server.directory)
        finally:
            server.start()


def set_back(scene: Scene, seconds: float) -> None:
    """A restore from a copy of a minute ago, or the oldest there is: readings and commands mix anew."""
    redis_copies.set_back(scene.stack.redis, scene.copies, lambda: scene.wait(seconds))


def hang(scene: Scene, seconds: float) -> None:
    """SIGSTOP, SIGCONT: what was sent is carried out later, when nobody waits for it any more."""
    scene.stack.redis.signal(signal.SIGSTOP)
    try:
        scene.wait(seconds)
    finally:
        scene.stack.redis.signal(signal.SIGCONT)


def slow(scene: Scene, seconds: float) -> None:
    """Every answer to every worker comes late."""
    delay, seats = scene.rng.uniform(0.05, 0.4), list(scene.staff.seats)
    for seat in seats:
        seat.proxy.delay = delay
    scene.wait(seconds)
    for seat in seats:
        seat.proxy.release()


def cut(scene: Scene, seconds: float) -> None:
    """Answers to commits break off in the middle: the worker must ask again, and the script must not commit twice."""
    seats, times = list(scene.staff.seats), scene.rng.randint(1, 4)
    for seat in seats:
        seat.proxy.cut(times)
    scene.wait(seconds)
    for seat in seats:
        seat.proxy.release()


def memory_full(scene: Scene, seconds: float) -> None:
    """Something else has filled the memory: every write is refused."""
    limit = redis_bytes(scene.fleet.settings)  # a lower one is refused at start
    with closing(scene.fleet.redis) as client:
        client.setrange(FILLER, limit, b"x")
        client.config_set("maxmemory", limit)
        try:
            scene.wait(seconds)
        finally:
            client.config_set("maxmemory", 0)
            client.delete(FILLER)


def disk_full(scene: Scene, seconds: float) -> None:
    """The append-only file cannot grow: Redis refuses every write until it can."""
    with full_disk(scene.stack.redis):
        scene.wait(seconds)


def both_away(scene: Scene, seconds: float) -> None:
    """Redis and Kafka die together and come back one after the other, in drawn order."""
    scene.stack.kafka_down()
    scene.stack.redis.kill()
    scene.wait(seconds)
    back = [scene.stack.kafka_up, scene.stack.redis.start]
    scene.rng.shuffle(back)
    for start in back:
        start()
