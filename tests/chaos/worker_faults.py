"""What happens to workers: they die, freeze, come back from the dead, come and go."""

import signal
import time
from contextlib import suppress

from kafka import KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError

from agents.kafka_client import kafka_python_options
from tests.chaos.scene import ROLES, Scene

COMMIT_SECONDS = 8.0
"""How long to wait for a worker's next commit."""


def kill(scene: Scene, _seconds: float) -> None:
    """`kill -9` of one."""
    scene.staff.kill(scene.staff.pick(scene.rng))


def kill_all(scene: Scene, _seconds: float) -> None:
    """`kill -9` of all, as a power cut would."""
    for seat in list(scene.staff.seats):
        scene.staff.kill(seat)


def kill_in_commit(scene: Scene, seconds: float) -> None:
    """`kill -9` after Redis has committed and before the worker knows."""
    seat = scene.staff.pick(scene.rng)
    made = seat.proxy.hold()
    made.wait(COMMIT_SECONDS)
    scene.wait(seconds)
    scene.staff.kill(seat)
    seat.proxy.release()


def stop(scene: Scene, _seconds: float) -> None:
    """SIGTERM, as a deployment sends it."""
    seat = scene.staff.pick(scene.rng)
    scene.staff.send(seat, signal.SIGTERM, 0, -signal.SIGTERM)


def pause(scene: Scene, seconds: float) -> None:
    """SIGSTOP for less than a session."""
    _freeze(scene, seconds)


def zombie(scene: Scene, seconds: float) -> None:
    """SIGSTOP past the session: when it wakes up its partitions are somebody else's."""
    _freeze(scene, scene.session_timeout + seconds)


def _freeze(scene: Scene, seconds: float) -> None:
    seat = scene.staff.pick(scene.rng)
    process = seat.process
    scene.staff.send(seat, signal.SIGSTOP)
    scene.wait(seconds)
    if seat.process is process:
        scene.staff.send(seat, signal.SIGCONT)


def join(scene: Scene, seconds: float) -> None:
    """One more worker comes, and goes by SIGTERM or `kill -9`."""
    seat = scene.staff.hire()
    scene.wait(seconds)
    scene.staff.dismiss(seat, scene.rng.choice((signal.SIGTERM, signal.SIGKILL)))


def storm(scene: Scene, seconds: float) -> None:
    """Guests join the group and leave again in quick succession, without doing any work."""
    settings = scene.fleet.settings
    end = time.monotonic() + seconds
    while time.monotonic() < end and not scene.over.is_set():
        with suppress(KafkaError):
            guest = KafkaConsumer(
                **kafka_python_options(settings),
                group_id=settings.kafka.group,
                enable_auto_commit=False,
                partition_assignment_strategy=[RangePartitionAssignor],
                session_timeout_ms=int(settings.kafka.session_timeout * 1000),
                heartbeat_interval_ms=int(settings.kafka.heartbeat_interval * 1000),
            )
            guest.subscribe([scene.fleet.topics.name(role) for role in ROLES])
            guest.poll(timeout_ms=int(scene.rng.uniform(100, 1000)), max_records=1)
            guest.close(autocommit=False)
