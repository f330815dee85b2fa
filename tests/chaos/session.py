"""One session: workers under load, the faults of a script at their instants, calm, and the judgement."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kafka.errors import KafkaError
from redis.exceptions import RedisError

from tests.chaos.commit_watch import CommitWatch
from tests.chaos.faults import FAULTS
from tests.chaos.scene import ROLES, Scene
from tests.chaos.script import Script
from tests.chaos.staff import Staff, unexpected
from tests.chaos.verdicts import Judge
from tests.support.fleet import Fleet, Pacer, wait_until
from tests.support.stack import Stack, create_flow_topics, settings_for

COMMAND = ("tests.support.counting",)
PER_SECOND = 300
START_SECONDS, DRAIN_SECONDS = 120.0, 60.0
CALM_SECONDS = {"real": 120.0, "embedded": 240.0}
"""Until a partition counts as stuck. Poison takes half a minute, and a worker as long to start on a busy machine; the embedded broker
may leave a JoinGroup unanswered, which the client gives up after 90 s."""
REST = 1.5
"""Seconds of load after everything has recovered, so that every commit has a reason to move on."""


@dataclass
class Played:
    """What happened."""

    seed: int
    stack: str
    faults: list[dict[str, Any]] = field(default_factory=list)
    """Name, instant and duration in seconds since the session's start."""
    violations: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)


def play(stack: Stack, prefix: str, folder: Path, script: Script, command: tuple[str, ...] = COMMAND) -> Played:
    """Play a script with workers started by `command`. Logs stay in `folder`."""
    played = Played(script.seed, stack.name)
    begun = time.monotonic()
    with _fleet(stack, prefix, folder) as fleet, ExitStack() as things:
        pacer = Pacer(fleet, dict(ROLES), PER_SECOND)
        static = 0.5 if stack.name == "real" else 0.0
        staff = things.enter_context(Staff(fleet, script.workers, random.Random(script.seed), command, static))
        pacer.start()
        things.callback(pacer.stop)
        watch = things.enter_context(CommitWatch(fleet))
        scene = Scene(stack, fleet, staff, random.Random(script.seed))
        try:
            wait_until(lambda: _works(fleet), START_SECONDS, "every partition has a watermark")
            _inflict(scene, watch, script, played, begun)
            _calm(fleet, staff, pacer, played)
            _judge(fleet, pacer, watch, played)
        except AssertionError as error:
            played.violations.append(str(error))
        _note_ends(staff, script, played)
    played.figures["seconds"] = round(time.monotonic() - begun, 1)
    return played


@contextmanager
def _fleet(stack: Stack, prefix: str, folder: Path) -> Iterator[Fleet]:
    settings = settings_for(
        stack,
        prefix,
        kafka={"partitions": {"quotes": ROLES["quotes"], "ticks": 1, "results": ROLES["readings"]}},
        redis={"checkpoint_seconds": 1.0, "lease_seconds": 3, "operation_timeout": 3.0},
    )
    create_flow_topics(stack, settings)
    with Fleet(settings, stack.redis.url, folder) as fleet:
        fleet.redis.config_set("auto-aof-rewrite-percentage", 0)  # a rollback copies the file while it is written
        yield fleet


def _works(fleet: Fleet) -> bool:
    return all(len(fleet.watermarks(role)) == partitions for role, partitions in ROLES.items())


def _inflict(scene: Scene, watch: CommitWatch, script: Script, played: Played, begun: float) -> None:
    for step in script.steps:
        scene.wait(step.pause)
        fault, at = FAULTS[step.fault], time.monotonic()
        scene.rng = random.Random(step.chance)
        if fault.forgets:
            watch.excuse()
        fault.do(scene, step.seconds)
        if fault.forgets:
            watch.excuse()
        played.faults.append({"fault": step.fault, "at": round(at - begun, 2), "lasted": round(time.monotonic() - at, 2)})


def _calm(fleet: Fleet, staff: Staff, pacer: Pacer, played: Played) -> None:
    """Every partition gets past where its log ended when the last fault was over; then the load stops and all is worked off."""
    began = time.monotonic()
    ends = {role: fleet.ends(role, partitions) for role, partitions in ROLES.items()}
    wait_until(
        lambda: all(fleet.watermarks(role).get(p, -1) + 1 >= end for role in ROLES for p, end in ends[role].items()),
        CALM_SECONDS[played.stack],
        "every partition moves again",
    )
    played.figures["recovered_s"] = round(time.monotonic() - began, 1)
    time.sleep(REST)
    pacer.stop()
    for role, partitions in ROLES.items():
        wait_until(lambda r=role, n=partitions: fleet.drained(r, n), DRAIN_SECONDS, f"{role} drained")  # type: ignore[misc]
        wait_until(
            lambda r=role, n=partitions: fleet.committed(r, n) == fleet.ends(r, n),  # type: ignore[misc]
            DRAIN_SECONDS,
            f"{role}: commits at the ends",
        )
    wait_until(lambda: _outboxes(fleet) == 0, DRAIN_SECONDS, "empty outboxes")
    staff.settle()


def _outboxes(fleet: Fleet) -> int:
    with suppress(KafkaError, RedisError):
        client = fleet.redis
        return sum(client.xlen(key) for key in client.keys(f"dispersion:v1:{{quick:{fleet.topics.name('readings')}:*}}:out"))
    return -1


def _judge(fleet: Fleet, pacer: Pacer, watch: CommitWatch, played: Played) -> None:
    judge = Judge(fleet, pacer.sent)
    judge.all()
    played.violations += judge.violations
    played.violations += [f"committed before its state: {one}" for one in watch.ahead[:3]]
    played.figures |= {**judge.figures, "looks": watch.looks}


def _note_ends(staff: Staff, script: Script, played: Played) -> None:
    kinds = [FAULTS[step.fault] for step in script.steps]
    outages, poison = any(kind.outage for kind in kinds), any(kind.poison for kind in kinds)
    for end in staff.ends:
        if complaint := unexpected(end, outages=outages, poison=poison):
            played.violations.append(complaint)
    played.figures["ends"] = dict(Counter(str(end.code) for end in staff.ends))
