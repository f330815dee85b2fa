"""One session of chaos.

It is workers under load, the faults of a script at their instants, calm, and the judgement.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.chaos.archive import Archive
from tests.chaos.chaos_session import RATES, ROLES, ChaosSession
from tests.chaos.commit_watch import CommitWatch
from tests.chaos.faults import FAULTS
from tests.chaos.load import Load
from tests.chaos.redis_copies import Copies
from tests.chaos.script import Script
from tests.chaos.supervisor import Expected, Supervisor, unexpected
from tests.chaos.verdicts import SessionCheck
from tests.support.fleet import Fleet, wait_until
from tests.support.stack import Stack, create_flow_topics, settings_for

COMMAND = ("tests.chaos.mixed_stage",)
START_SECONDS, DRAIN_SECONDS = 120.0, 60.0
CALM_SECONDS = {"real": 120.0, "embedded": 240.0}
"""Until a partition counts as stuck.

Poison takes half a minute, and a worker as long to start on a busy machine; the embedded broker may
leave a JoinGroup unanswered, which the client gives up after 90 s.
"""
REST = 1.5
"""Seconds of load after everything has recovered, so that every commit has a reason to move on."""


@dataclass
class SessionResult:
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


def play(
    stack: Stack,
    prefix: str,
    folder: Path,
    script: Script,
    command: tuple[str, ...] = COMMAND,
    calm: float | None = None,
) -> SessionResult:
    """Play a script with workers started by `command`.

    Logs stay in `folder`; `calm` are the seconds until a partition is stuck.
    """
    result = SessionResult(script.seed, stack.name)
    begun = time.monotonic()
    with _fleet(stack, prefix, folder) as fleet, ExitStack() as things:
        load, archive = Load(fleet, ROLES, RATES), Archive(fleet)
        static = 0.5 if stack.name == "real" else 0.0
        supervisor = things.enter_context(
            Supervisor(fleet, script.workers, random.Random(script.seed), command, static)
        )
        load.start()
        things.callback(load.stop)
        watch = things.enter_context(CommitWatch(fleet))
        copies = Copies(
            stack.redis, Path(things.enter_context(TemporaryDirectory(prefix="copies-")))
        )
        session = ChaosSession(
            stack, fleet, supervisor, load, archive, copies, random.Random(script.seed)
        )
        session.refusal_seconds = calm or session.refusal_seconds
        try:
            wait_until(lambda: _works(fleet), START_SECONDS, "every partition has a watermark")
            _inflict(session, watch, script, result, begun)
            _calm(session, result, calm or CALM_SECONDS[stack.name])
            _judge(archive, load, watch, result)
        except AssertionError as error:
            result.violations.append(str(error))
        _note_ends(supervisor, script, result)
    result.figures["seconds"] = round(time.monotonic() - begun, 1)
    return result


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
        fleet.redis.config_set(
            "auto-aof-rewrite-percentage", 0
        )  # a rollback copies the file while it is written
        yield fleet


def _works(fleet: Fleet) -> bool:
    return all(len(fleet.watermarks(role)) == partitions for role, partitions in ROLES.items())


def _inflict(
    session: ChaosSession, watch: CommitWatch, script: Script, result: SessionResult, begun: float
) -> None:
    for step in script.steps:
        session.copies.make()
        session.wait(step.pause)
        fault, at = FAULTS[step.fault], time.monotonic()
        session.rng = random.Random(step.chance)
        with watch.excused() if fault.forgets else nullcontext():
            fault.do(session, step.seconds)
        result.faults.append(
            {
                "fault": step.fault,
                "at": round(at - begun, 2),
                "lasted": round(time.monotonic() - at, 2),
            }
        )


def _calm(session: ChaosSession, result: SessionResult, seconds: float) -> None:
    """Every partition gets past where its log ended when the last fault was over.

    Then the load stops and all is worked off.
    """
    fleet, began = session.fleet, time.monotonic()
    ends = {role: fleet.ends(role, partitions) for role, partitions in ROLES.items()}
    wait_until(
        lambda: all(
            fleet.watermarks(role).get(p, -1) + 1 >= end
            for role in ROLES
            for p, end in ends[role].items()
        ),
        seconds,
        "every partition moves again",
    )
    result.figures["recovered_s"] = round(time.monotonic() - began, 1)
    time.sleep(REST)
    session.load.stop()
    for role, partitions in ROLES.items():
        wait_until(
            lambda r=role, n=partitions: fleet.drained(r, n),  # type: ignore[misc]
            DRAIN_SECONDS,
            f"{role} drained",
        )
        wait_until(
            lambda r=role, n=partitions: (  # type: ignore[misc]
                fleet.committed(r, n) == fleet.ends(r, n)
            ),
            DRAIN_SECONDS,
            f"{role}: commits at the ends",
        )
    wait_until(lambda: session.outboxes() == 0, DRAIN_SECONDS, "empty outboxes")
    session.supervisor.settle()


def _judge(archive: Archive, load: Load, watch: CommitWatch, result: SessionResult) -> None:
    judge = SessionCheck(archive, load.sent)
    judge.all()
    result.violations += judge.violations
    result.violations += [f"committed before its state: {one}" for one in watch.ahead[:3]]
    result.figures |= {**judge.figures, "looks": watch.looks, "sent_again": dict(load.refused)}


def _note_ends(supervisor: Supervisor, script: Script, result: SessionResult) -> None:
    kinds = [FAULTS[step.fault] for step in script.steps]
    expected = Expected(
        outages=any(kind.outage for kind in kinds),
        poison=any(kind.poison for kind in kinds),
        replaced=any(kind.replaces for kind in kinds),
    )
    for end in supervisor.ends:
        if complaint := unexpected(end, expected):
            result.violations.append(complaint)
    result.figures["ends"] = dict(Counter(str(end.code) for end in supervisor.ends))
