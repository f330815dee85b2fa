"""What happens to a log and to what stands beside it: it is made anew, its disk is set back, its group is deleted."""

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

from agents.exits import UnavailableError
from agents.refused_partitions import take_over
from agents.topics.admin import create_topics
from streams.stage import Role
from tests.chaos.scene import ROLES, Scene
from tests.support.fleet import wait_until
from tests.support.stack import RealStack

QUIET_SECONDS = 90.0
"""Until everything that was sent is applied."""
PAUSE = 0.5
OUTPUTS: Sequence[Role] = ("alerts", "alerts_state", "dead_letters")


def feed_pauses(scene: Scene, seconds: float) -> None:
    """The feed is silent for longer than it takes to be declared idle."""
    with scene.load.held():
        scene.wait(scene.fleet.settings.worker.idle_after + seconds)


def clock_off(scene: Scene, seconds: float) -> None:
    """One more worker comes whose clock is half a minute off, and goes again."""
    offset = scene.rng.choice((-30.0, 30.0))
    seat = scene.staff.hire(clock_offset=offset)
    scene.wait(seconds)
    scene.staff.kill(seat)
    seat.leaving = True


def group_deleted(scene: Scene, _seconds: float) -> None:
    """All workers die at once, and the group with all its commits is deleted before they are back."""
    group = scene.fleet.settings.kafka.group
    admin = AdminClient({"bootstrap.servers": scene.fleet.settings.kafka.bootstrap_servers})
    with scene.staff.away():
        wait_until(lambda: _deleted(admin, group), QUIET_SECONDS, "group deleted")


def _deleted(admin: Any, group: str) -> bool:
    """A group can be deleted once its dead members are given up."""
    try:
        admin.delete_consumer_groups([group])[group].result()
    except KafkaException as refusal:
        return bool(refusal.args[0].name() == "GROUP_ID_NOT_FOUND")
    return True


def topic_made_anew(scene: Scene, seconds: float) -> None:
    """Somebody deletes an input topic and makes it anew, and its producer goes on. A person has to say how to go on."""
    role = scene.rng.choice(list(ROLES))
    topic = scene.fleet.topics.name(role)
    admin = AdminClient({"bootstrap.servers": scene.fleet.settings.kafka.bootstrap_servers})
    with scene.load.held():
        _quiet(scene)
        for partition in range(ROLES[role]):
            scene.archive.keep(role, partition)
        admin.delete_topics([topic])[topic].result()
        wait_until(lambda: _made(scene, topic), QUIET_SECONDS, f"{topic} made anew")
        for partition in range(ROLES[role]):
            scene.archive.cut(role, partition, 0)
            if role != "commands":
                scene.archive.begin_anew(role, partition, from_log=True)
            if role == "readings":
                scene.archive.begin_anew("commands", partition, from_log=True)
    scene.wait(seconds)
    _decide(scene, [role], "earliest")


def _made(scene: Scene, topic: str) -> bool:
    """The broker deletes in its own time."""
    try:
        made = create_topics(scene.fleet.settings).topics
    except (KafkaError, UnavailableError):
        return False
    return any(one.name == topic and one.status == "created" for one in made)


def disk_set_back(scene: Scene, seconds: float) -> None:
    """The broker comes back over an older copy of its disk. A person has to say how to go on."""
    assert isinstance(scene.stack, RealStack)
    server = scene.stack.kafka
    data = server.directory / "data"
    with tempfile.TemporaryDirectory(prefix="older-log-") as folder:
        older = Path(folder) / "data"
        with scene.load.held():
            _quiet(scene)
            server.stop()
            shutil.copytree(data, older)
            server.start()
        scene.wait(seconds)
        with scene.load.held():
            _quiet(scene)
            for role in (*ROLES, *OUTPUTS):
                for partition in range(ROLES.get(role, ROLES["readings"])):
                    scene.archive.keep(role, partition)
            server.kill()
            shutil.rmtree(data)
            shutil.copytree(older, data)
            server.start()
            for role in (*ROLES, *OUTPUTS):
                for partition, end in scene.fleet.ends(role, ROLES.get(role, ROLES["readings"])).items():
                    scene.archive.cut(role, partition, end)
            for role, partitions in ROLES.items():
                for partition in range(partitions):
                    scene.archive.begin_anew(role, partition, from_log=False)
            _decide(scene, list(ROLES), "latest")
            _quiet(scene)


def _quiet(scene: Scene) -> None:
    """Everything that was sent is stored and applied: what the log loses is then known."""
    time.sleep(PAUSE)
    for role, partitions in ROLES.items():
        wait_until(lambda r=role, n=partitions: scene.fleet.drained(r, n), QUIET_SECONDS, f"{role} drained")  # type: ignore[misc]
    wait_until(lambda: scene.outboxes() == 0, QUIET_SECONDS, "empty outboxes")


def _decide(scene: Scene, roles: Sequence[Role], way: Literal["earliest", "latest"]) -> None:
    """Clear what stands refused, until every partition of some inputs was refused and all are worked off."""
    settings, topics = scene.fleet.settings, scene.fleet.topics
    inputs = {
        "slow": (topics.name("quotes"),),
        "quick": (topics.name("readings"), topics.name("commands")),
    }
    left = {(topics.name(role), p) for role in roles for p in range(ROLES[role])}

    def decided() -> bool:
        with suppress(UnavailableError):
            found = take_over(settings, way=way)
            left.difference_update((one.topic, one.partition) for one in found if one.outcome == "cleared")
        return not left

    with patch("agents.refused_partitions.inputs_of", return_value=inputs):
        wait_until(decided, scene.patience, f"a refusal of each partition of {', '.join(roles)}")
    scene.copies.forget()
