"""What may break, how it is mended, and what the wall and the pager must say of it."""

import signal
from collections.abc import Callable, Mapping
from typing import NamedTuple

from tests.drill.scene import Scene

Act = Callable[[Scene], None]
STOP, CONT, KILL = signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL


WORDS: Mapping[str, Mapping[str, str]] = {
    "DispersionDown": {
        "status": "DispersionDown fires",
        "doctor": "answer; start",
        "top": "DispersionDown fires",
    },
    "DispersionWorkerMissing": {
        "status": "1 of 2 workers",
        "doctor": "1 of 2 answer; start",
        "top": "1 of 2 workers",
    },
    "DispersionRedisDown": {"status": "Redis", "doctor": "FAIL redis", "top": "Redis"},
    "DispersionKafkaDown": {"status": "Kafka", "doctor": "FAIL kafka", "top": "Kafka"},
    "DispersionStale": {
        "status": "DispersionStale fires",
        "doctor": "the newest reading is",
        "top": "STALE",
    },
}
ENDS: Mapping[str, frozenset[int]] = {
    "status": frozenset({1, 3}),
    "doctor": frozenset({1, 3}),
    "top": frozenset({0, 3}),
}
"""Exit codes of a command that has seen what is wrong; a picture of it is well."""


class Fault(NamedTuple):
    """One kind of it."""

    apply: Act
    mend: Act
    alert: str
    """The alert that must fire, and no other of its severity."""
    severity: str = "critical"
    stale: bool = True
    """Whether the numbers of the wall must go."""

    @property
    def words(self) -> Mapping[str, str]:
        """What each command says of it."""
        return WORDS[self.alert]


def _workers(number: int) -> Act:
    def act(scene: Scene) -> None:
        for worker in scene.workers:
            worker.signal(number)

    return act


def _one_worker(scene: Scene) -> None:
    scene.workers[0].signal(STOP)


def _worker_again(scene: Scene) -> None:
    scene.workers[0].again()


def _workers_again(scene: Scene) -> None:
    """Frozen ones have lost their partitions and end; their supervisor starts them."""
    for worker in scene.workers:
        worker.again()


def _redis_again(scene: Scene) -> None:
    scene.stack.redis.start()


def _redis_full(scene: Scene) -> None:
    scene.fleet.redis.config_set("maxmemory", "1")


def _redis_room(scene: Scene) -> None:
    scene.fleet.redis.config_set("maxmemory", "0")


FAULTS: Mapping[str, Fault] = {
    "exporter killed": Fault(
        lambda scene: scene.exporter.signal(KILL),
        lambda scene: scene.exporter.again(),
        "DispersionDown",
    ),
    "exporter frozen": Fault(
        lambda scene: scene.exporter.signal(STOP),
        lambda scene: scene.exporter.signal(CONT),
        "DispersionDown",
    ),
    "all workers frozen": Fault(_workers(STOP), _workers_again, "DispersionDown"),
    "all workers killed": Fault(_workers(KILL), _workers_again, "DispersionDown"),
    "redis hung": Fault(
        lambda scene: scene.stack.redis.signal(STOP),
        lambda scene: scene.stack.redis.signal(CONT),
        "DispersionRedisDown",
    ),
    "redis killed": Fault(
        lambda scene: scene.stack.redis.kill(), _redis_again, "DispersionRedisDown"
    ),
    "redis full": Fault(_redis_full, _redis_room, "DispersionRedisDown"),
    "broker hung": Fault(
        lambda scene: scene.stack.kafka.signal(STOP),
        lambda scene: scene.stack.kafka.signal(CONT),
        "DispersionKafkaDown",
    ),
    "broker killed": Fault(
        lambda scene: scene.stack.kafka_down(),
        lambda scene: scene.stack.kafka_up(),
        "DispersionKafkaDown",
    ),
    "feed silent": Fault(
        lambda scene: scene.feed.send_signal(STOP),
        lambda scene: scene.feed.send_signal(CONT),
        "DispersionStale",
    ),
    "bridge killed": Fault(
        lambda scene: scene.bridge.signal(KILL),
        lambda scene: scene.bridge.again(),
        "DispersionDown",
        stale=False,
    ),
    "ingest killed": Fault(
        lambda scene: scene.ingest.signal(KILL),
        lambda scene: scene.ingest.again(),
        "DispersionDown",
        stale=False,
    ),
    "one worker frozen": Fault(
        _one_worker, _worker_again, "DispersionWorkerMissing", "warning", stale=False
    ),
}
SHORT = ("exporter frozen", "all workers frozen", "redis hung", "broker hung")
"""Those that the tests play."""
