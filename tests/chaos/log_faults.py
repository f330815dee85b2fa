"""What happens to a log and to what stands beside it.

It is made anew, its disk is set back, its group is deleted.
"""

import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from kafka.errors import KafkaError

from agents.monitoring.refused_partitions import take_over
from agents.process.exits import UnavailableError
from agents.topics.admin import create_topics
from streams.stage import Role
from tests.chaos.chaos_session import ROLES, ChaosSession
from tests.support.fleet import wait_until
from tests.support.stack import RealStack

QUIET_SECONDS = 90.0
"""Until everything that was sent is applied."""
PAUSE = 0.5
OUTPUTS: Sequence[Role] = ("alerts", "alerts_state", "dead_letters")


def feed_pauses(session: ChaosSession, seconds: float) -> None:
    """The feed is silent for longer than it takes to be declared idle."""
    with session.load.held():
        session.wait(session.fleet.settings.worker.idle_after + seconds)


def clock_off(session: ChaosSession, seconds: float) -> None:
    """One more worker comes whose clock is half a minute off, and goes again."""
    offset = session.rng.choice((-30.0, 30.0))
    slot = session.supervisor.add_worker(clock_offset=offset)
    session.wait(seconds)
    session.supervisor.kill(slot)
    slot.leaving = True


def group_deleted(session: ChaosSession, _seconds: float) -> None:
    """All workers die at once.

    The group with all its commits is deleted before they are back.
    """
    group = session.fleet.settings.kafka.group
    admin = AdminClient({"bootstrap.servers": session.fleet.settings.kafka.bootstrap_servers})
    with session.supervisor.all_stopped():
        wait_until(lambda: _deleted(admin, group), QUIET_SECONDS, "group deleted")


def _deleted(admin: Any, group: str) -> bool:
    """A group can be deleted once its dead members are given up."""
    try:
        admin.delete_consumer_groups([group])[group].result()
    except KafkaException as refusal:
        return bool(refusal.args[0].name() == "GROUP_ID_NOT_FOUND")
    return True


def topic_made_anew(session: ChaosSession, seconds: float) -> None:
    """Somebody deletes an input topic and makes it anew, and its producer goes on.

    A person has to say how to go on.
    """
    role = session.rng.choice(list(ROLES))
    topic = session.fleet.topics.name(role)
    admin = AdminClient({"bootstrap.servers": session.fleet.settings.kafka.bootstrap_servers})
    with session.load.held():
        _quiet(session)
        for partition in range(ROLES[role]):
            session.archive.keep(role, partition)
        admin.delete_topics([topic])[topic].result()
        wait_until(lambda: _made(session, topic), QUIET_SECONDS, f"{topic} made anew")
        for partition in range(ROLES[role]):
            session.archive.cut(role, partition, 0)
            if role != "commands":
                session.archive.begin_anew(role, partition, from_log=True)
            if role == "readings":
                session.archive.begin_anew("commands", partition, from_log=True)
    session.wait(seconds)
    _decide(session, [role], "earliest")


def _made(session: ChaosSession, topic: str) -> bool:
    """The broker deletes in its own time."""
    try:
        made = create_topics(session.fleet.settings).topics
    except (KafkaError, UnavailableError):
        return False
    return any(one.name == topic and one.status == "created" for one in made)


def disk_set_back(session: ChaosSession, seconds: float) -> None:
    """The broker comes back over an older copy of its disk. A person has to say how to go on."""
    assert isinstance(session.stack, RealStack)
    server = session.stack.kafka
    data = server.directory / "data"
    with tempfile.TemporaryDirectory(prefix="older-log-") as folder:
        older = Path(folder) / "data"
        with session.load.held():
            _quiet(session)
            copied = _ends(session)
            server.stop()
            shutil.copytree(data, older)
            server.start()
        session.wait(seconds)
        # On a busy machine little is sent, and a partition that loses nothing is not refused.
        wait_until(
            lambda: all(end > copied[place] for place, end in _ends(session).items()),
            QUIET_SECONDS,
            "every log has grown since its copy",
        )
        with session.load.held():
            _quiet(session)
            for role in (*ROLES, *OUTPUTS):
                for partition in range(ROLES.get(role, ROLES["readings"])):
                    session.archive.keep(role, partition)
            server.kill()
            shutil.rmtree(data)
            shutil.copytree(older, data)
            server.start()
            for role in (*ROLES, *OUTPUTS):
                for partition, end in session.fleet.ends(
                    role, ROLES.get(role, ROLES["readings"])
                ).items():
                    session.archive.cut(role, partition, end)
            for role, partitions in ROLES.items():
                for partition in range(partitions):
                    session.archive.begin_anew(role, partition, from_log=False)
            _decide(session, list(ROLES), "latest")
            _quiet(session)


def _ends(session: ChaosSession) -> dict[tuple[Role, int], int]:
    """Where the log of each input ends, by partition."""
    return {
        (role, partition): end
        for role, partitions in ROLES.items()
        for partition, end in session.fleet.ends(role, partitions).items()
    }


def _quiet(session: ChaosSession) -> None:
    """Everything that was sent is stored and applied: what the log loses is then known."""
    time.sleep(PAUSE)
    for role, partitions in ROLES.items():
        wait_until(
            lambda r=role, n=partitions: session.fleet.drained(r, n),  # type: ignore[misc]
            QUIET_SECONDS,
            f"{role} drained",
        )
    wait_until(lambda: session.outboxes() == 0, QUIET_SECONDS, "empty outboxes")


def _decide(
    session: ChaosSession, roles: Sequence[Role], way: Literal["earliest", "latest"]
) -> None:
    """Clear what stands refused.

    It ends when every partition of some inputs was refused and all are worked off.
    """
    settings, topics = session.fleet.settings, session.fleet.topics
    inputs = {
        "slow": (topics.name("quotes"),),
        "quick": (topics.name("readings"), topics.name("commands")),
    }
    left = {(topics.name(role), p) for role in roles for p in range(ROLES[role])}

    def decided() -> bool:
        with suppress(UnavailableError):
            found = take_over(settings, way=way)
            left.difference_update(
                (one.topic, one.partition) for one in found if one.outcome == "cleared"
            )
        return not left

    with patch("agents.monitoring.refused_partitions.inputs_of", return_value=inputs):
        wait_until(
            decided, session.refusal_seconds, f"a refusal of each partition of {', '.join(roles)}"
        )
    session.copies.forget()
