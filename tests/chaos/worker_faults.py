"""What happens to workers: they die, freeze, come back from the dead, come and go."""

import signal
import time
from contextlib import suppress

from kafka import KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError

from agents.kafka.client import kafka_python_options
from tests.chaos.chaos_session import ROLES, ChaosSession

COMMIT_SECONDS = 30.0
"""How long to wait for a worker's next commit: one that was just killed has to start first."""


def kill(session: ChaosSession, _seconds: float) -> None:
    """`kill -9` of one."""
    session.supervisor.kill(session.supervisor.pick(session.rng))


def kill_all(session: ChaosSession, _seconds: float) -> None:
    """`kill -9` of all, as a power cut would."""
    for slot in list(session.supervisor.slots):
        session.supervisor.kill(slot)


def kill_in_commit(session: ChaosSession, seconds: float) -> None:
    """`kill -9` after Redis has committed and before the worker knows."""
    slot = session.supervisor.pick(session.rng)
    made = slot.proxy.hold()
    made.wait(COMMIT_SECONDS)
    session.wait(seconds)
    session.supervisor.kill(slot)
    slot.proxy.release()


def stop(session: ChaosSession, _seconds: float) -> None:
    """SIGTERM, as a deployment sends it."""
    slot = session.supervisor.pick(session.rng)
    session.supervisor.send(slot, signal.SIGTERM, 0, -signal.SIGTERM)


def pause(session: ChaosSession, seconds: float) -> None:
    """SIGSTOP for less than a session."""
    _freeze(session, seconds)


def zombie(session: ChaosSession, seconds: float) -> None:
    """SIGSTOP past the session: when it wakes up its partitions are somebody else's."""
    _freeze(session, session.session_timeout + seconds)


def _freeze(session: ChaosSession, seconds: float) -> None:
    slot = session.supervisor.pick(session.rng)
    process = slot.process
    session.supervisor.send(slot, signal.SIGSTOP)
    session.wait(seconds)
    if slot.process is process:
        session.supervisor.send(slot, signal.SIGCONT)


def join(session: ChaosSession, seconds: float) -> None:
    """One more worker comes, and goes by SIGTERM or `kill -9`."""
    slot = session.supervisor.add_worker()
    session.wait(seconds)
    session.supervisor.retire(slot, session.rng.choice((signal.SIGTERM, signal.SIGKILL)))


def storm(session: ChaosSession, seconds: float) -> None:
    """Guests join the group and leave again in quick succession, without doing any work."""
    settings = session.fleet.settings
    end = time.monotonic() + seconds
    while time.monotonic() < end and not session.over.is_set():
        with suppress(KafkaError):
            guest = KafkaConsumer(
                **kafka_python_options(settings),
                group_id=settings.kafka.group,
                enable_auto_commit=False,
                partition_assignment_strategy=[RangePartitionAssignor],
                session_timeout_ms=int(settings.kafka.session_timeout * 1000),
                heartbeat_interval_ms=int(settings.kafka.heartbeat_interval * 1000),
            )
            guest.subscribe([session.fleet.topics.name(role) for role in ROLES])
            guest.poll(timeout_ms=int(session.rng.uniform(100, 1000)), max_records=1)
            guest.close(autocommit=False)
