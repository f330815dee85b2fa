"""A log that is not the one a watermark is of, on a real Kafka and Redis.

Topics are made anew, a broker's disk is set back, a group is deleted.
"""

import json
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from agents.cli.main import main
from agents.monitoring import refused_partitions
from agents.monitoring.refused_gauge import RefusedGauge
from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_OK
from config.settings import Settings
from streams.stage import Role
from streams.topics import topic_config
from tests.support.counting import counting_plans, record_value
from tests.support.fleet import Fleet, judge_once, wait_until
from tests.support.kafka import KafkaServer
from tests.support.stack import RealStack, create_flow_topics, environment_for, settings_for

if TYPE_CHECKING:
    import subprocess

pytestmark = [pytest.mark.stack, pytest.mark.chaos, pytest.mark.timeout(280)]
START = 90.0
COUNTING = ("tests.support.counting", "--commands")


def settings_of(stack: RealStack, prefix: str) -> Settings:
    return settings_for(
        stack,
        prefix,
        kafka={"partitions": {"quotes": 1, "ticks": 1, "results": 1}},
        redis={"checkpoint_seconds": 0.5, "lease_seconds": 2},
    )


@pytest.fixture
def fleet(real_stack: RealStack, topic_prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    settings = settings_of(real_stack, topic_prefix)
    create_flow_topics(real_stack, settings)
    with Fleet(settings, real_stack.redis.url, tmp_path) as fleet:
        yield fleet


@pytest.fixture
def command(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> "Command":
    return Command(fleet, monkeypatch, capsys)


class Command:
    """`dispersion …` for the counting stages, as a person runs it."""

    def __init__(
        self, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for name, value in environment_for(fleet.settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(refused_partitions, "inputs_of", self._inputs)
        self._capsys = capsys
        self.first: Role = "readings"
        """What the quick stage consumes besides commands."""

    def _inputs(self, settings: Settings) -> dict[str, Sequence[str]]:
        return {
            plan.name: plan.inputs
            for plan in counting_plans(settings, commands=True, first=self.first)
        }

    def __call__(self, *arguments: str) -> tuple[int, str]:
        """Exit code, and what it wrote."""
        self._capsys.readouterr()
        code = main(arguments)
        out, err = self._capsys.readouterr()
        return code, out + err

    def takeover(self, *arguments: str) -> tuple[int, list[Any]]:
        """Exit code, and what it found."""
        code, text = self("takeover", "--json", *arguments)
        return code, json.loads(text)


def numbers(first: int, behind: int) -> list[bytes]:
    return [record_value(n) for n in range(first, behind)]


def drained(fleet: Fleet, worker: "subprocess.Popen[bytes]", *roles: Role) -> None:
    wait_until(
        lambda: all(fleet.drained(role, 1) for role in roles),
        START,
        f"drained: {fleet.log(worker)}",
    )


def run_dry(fleet: Fleet, first: Role = "readings") -> None:
    worker = fleet.start(*COUNTING, "--first", first)
    drained(fleet, worker, first, "quotes")
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)


def refused(fleet: Fleet, worker: "subprocess.Popen[bytes] | None" = None) -> str:
    """The last words of a worker that refuses; of a new one unless it is named."""
    worker = worker or fleet.start(*COUNTING)
    assert worker.wait(START) == EXIT_ACTION_NEEDED, fleet.log(worker)
    last = fleet.log(worker).rstrip().rpartition("\n")[2]
    assert "dispersion takeover" in last
    return last


def make_anew(fleet: Fleet, *roles: Role) -> None:
    """Delete topics, and create them as they were."""
    names = {fleet.topics.name(role): role for role in roles}
    admin = KafkaAdminClient(bootstrap_servers=fleet.settings.kafka.bootstrap_servers)
    try:
        admin.delete_topics(list(names))
        for name, role in names.items():
            limit, mode = fleet.settings.kafka.max_message_bytes, fleet.settings.mode
            configs = topic_config(role, limit, mode)
            wait_until(
                lambda name=name, configs=configs: _created(  # type: ignore[misc]
                    admin,
                    name,
                    configs,
                ),
                START,
                f"{name} made anew",
            )
        admin.wait_for_topics(list(names))
    finally:
        admin.close()


def _created(admin: KafkaAdminClient, name: str, configs: dict[str, str]) -> bool:
    try:
        admin.create_topics(
            {name: {"num_partitions": 1, "replication_factor": 1, "configs": configs}}
        )
    except KafkaError:  # the deletion is under way
        return False
    return True


@contextmanager
def unreached(
    fleet: Fleet, worker: "subprocess.Popen[bytes]", role: Role, spent: int
) -> Iterator[None]:
    """Hold a drained worker still.

    What is published meanwhile does not reach it, but for the record `spent`, which may.

    The brokers may still hold a fetch of it, and would answer that with whatever is published
    first.
    """
    fleet.freeze(worker)
    fleet.put(role, numbers(spent, spent + 1))
    yield
    worker.send_signal(signal.SIGCONT)


def applied_but(fleet: Fleet, role: Role, spent: int) -> list[int]:
    """The ids that were applied, without the one that may or may not have been."""
    return [number for number in fleet.applied(role).nonzero()[0].tolist() if number != spent]


def refused_by_stage(fleet: Fleet) -> dict[str, float]:
    """By stage, as an exporter tells it."""
    first_inputs = {"slow": fleet.topics.name("quotes"), "quick": fleet.topics.name("readings")}
    (family,) = RefusedGauge(fleet.redis, first_inputs).collect()
    return {sample.labels["stage"]: sample.value for sample in family.samples}


def owner_field(fleet: Fleet, role: Role, field: str) -> tuple[str, bytes | None]:
    """Key of the owner record, and one of its fields."""
    client = fleet.redis
    (key,) = client.keys(f"dispersion:v1:{{*:{fleet.topics.name(role)}:0}}:own")
    return key, client.hget(key, field)


def test_topics_made_anew_are_refused_until_a_person_decides(
    fleet: Fleet, command: Command
) -> None:
    fleet.put("readings", numbers(0, 302))
    fleet.put("quotes", numbers(0, 300))
    fleet.put("commands", numbers(1000, 1005))
    run_dry(fleet)
    assert command("takeover") == (0, "nothing stands refused\n")
    assert refused_by_stage(fleet) == {"slow": 0, "quick": 0}

    make_anew(fleet, "readings", "quotes", "commands")
    assert "made anew" in refused(fleet), "while the new log is shorter than the watermark"
    fleet.put("readings", numbers(0, 703))
    fleet.put("quotes", numbers(0, 400))
    fleet.put("commands", numbers(1000, 1009))
    last = refused(fleet)
    assert "it stands refused in Redis until a person decides" in last, (
        "and when it has outgrown it"
    )

    assert refused_by_stage(fleet) == {"slow": 1, "quick": 1}

    code, found = command.takeover()
    assert code == EXIT_ACTION_NEEDED
    assert [(one["stage"], one["applied"], one["first"], one["end"]) for one in found] == [
        ("slow", 299, 0, 400),
        ("quick", 301, 0, 703),
    ]
    assert "the 302 records up to offset 301 count as applied" in found[1]["costs"]["checkpoint"]
    assert "all 703 records" in found[1]["costs"]["earliest"]
    assert "none of the 703 records" in found[1]["costs"]["latest"]
    code, shown = command("takeover", "--from", "latest")
    assert (code, "nothing is changed yet" in shown) == (EXIT_ACTION_NEEDED, True)
    code, shown = command("doctor")
    assert f"{fleet.topics.name('readings')} partition 0" in shown
    assert "workers refuse it: `dispersion takeover`" in shown

    code, found = command.takeover(
        "--from", "latest", "--yes", "--topic", fleet.topics.name("quotes")
    )
    assert (code, [one["outcome"] for one in found]) == (EXIT_OK, ["cleared"])
    assert refused_by_stage(fleet) == {"slow": 0, "quick": 1}
    code, found = command.takeover("--from", "earliest", "--yes")
    assert (code, [one["stage"] for one in found]) == (EXIT_OK, ["quick"])
    fleet.put("quotes", numbers(400, 420))
    run_dry(fleet)
    assert fleet.applied("readings")[:703].tolist() == [1] * 703, (
        "each reading of the new log is judged"
    )
    assert fleet.applied("readings")[1000:1010].tolist() == [1] * 9 + [0]
    assert fleet.applied("quotes").nonzero()[0].tolist() == list(range(400, 420))


def test_without_ids_the_record_at_the_watermark_tells(fleet: Fleet, command: Command) -> None:
    """As on a broker older than topic ids.

    A checkpoint of a release without marks gets them too, even where nothing comes any more.
    """
    fleet.put("readings", numbers(0, 299))
    producer = fleet.producer()
    producer.send(
        fleet.topics.name("readings"), record_value(299), partition=0, timestamp_ms=0
    )  # which no stage sees: it is bounded
    producer.close()
    run_dry(fleet)
    key, mark = owner_field(fleet, "readings", "mark")
    fleet.redis.hdel(key, "mark")
    worker = fleet.start(*COUNTING)
    wait_until(
        lambda: owner_field(fleet, "readings", "mark")[1] is not None, START, fleet.log(worker)
    )
    assert fleet.stop(worker) == EXIT_OK, fleet.log(worker)
    assert json.loads(owner_field(fleet, "readings", "mark")[1] or b"") == json.loads(
        mark or b""
    ), "what it was, read from the log"
    bare = {name: value for name, value in json.loads(mark or b"").items() if name != "topic_id"}
    fleet.redis.hset(key, "mark", json.dumps(bare))
    make_anew(fleet, "readings")
    fleet.put("readings", numbers(0, 400))
    assert "the record at offset 299 is another one: timestamp 1" in refused(fleet)
    assert "not 0" in fleet.log(fleet.workers[-1])
    code, _ = command.takeover("--from", "checkpoint", "--yes")
    assert code == EXIT_OK
    run_dry(fleet)
    assert fleet.applied("readings")[:400].tolist() == [1] * 400, (
        "a person has vouched for what was behind the watermark"
    )


def test_a_topic_made_anew_under_a_running_worker_ends_it(fleet: Fleet, command: Command) -> None:
    command.first = "points"
    fleet.put("points", numbers(0, 300))
    worker = fleet.start(*COUNTING, "--first", "points")
    drained(fleet, worker, "points")
    make_anew(fleet, "quotes", "commands")
    fleet.put("quotes", numbers(0, 100))
    fleet.put("commands", numbers(1000, 1005))
    drained(fleet, worker, "quotes")
    assert worker.poll() is None, "of those nothing had been applied"
    make_anew(fleet, "points")
    fleet.put("points", numbers(0, 703))
    assert "made anew" in refused(fleet, worker)
    assert command.takeover("--from", "earliest", "--yes")[0] == EXIT_OK
    run_dry(fleet, "points")
    judge_once(fleet, "points", 703)
    judge_once(fleet, "quotes", 100)


def test_retention_may_outrun_an_input_and_not_our_own_topics(
    real_stack: RealStack, fleet: Fleet, command: Command
) -> None:
    fleet.put("readings", numbers(0, 100))
    fleet.put("quotes", numbers(0, 100))
    worker = fleet.start(*COUNTING)
    drained(fleet, worker, "readings", "quotes")
    assert fleet.stop(worker) == EXIT_OK
    fleet.put("quotes", numbers(100, 200))
    real_stack.delete_records(fleet.topics.name("quotes"), 0, 150)
    real_stack.delete_records(fleet.topics.name("readings"), 0, 100)
    worker = fleet.start(*COUNTING)
    drained(fleet, worker, "readings", "quotes")
    with unreached(fleet, worker, "quotes", 200):
        fleet.put("quotes", numbers(201, 300))
        real_stack.delete_records(fleet.topics.name("quotes"), 0, 250)
    drained(fleet, worker, "readings", "quotes")
    assert worker.poll() is None
    assert applied_but(fleet, "quotes", 200) == [*range(100), *range(150, 200), *range(250, 300)]

    with unreached(fleet, worker, "readings", 100):
        fleet.put("readings", numbers(101, 200))
        real_stack.delete_records(fleet.topics.name("readings"), 0, 150)
    assert "the log starts at 150: records were deleted before they were applied" in refused(
        fleet, worker
    )
    code, found = command.takeover("--from", "checkpoint", "--yes")
    assert (
        code,
        f"the {149 - found[0]['applied']} records deleted before they"
        in found[0]["costs"]["checkpoint"],
    ) == (EXIT_OK, True)
    run_dry(fleet)
    assert applied_but(fleet, "readings", 100) == [*range(100), *range(150, 200)]


def test_a_deleted_group_costs_nothing(fleet: Fleet) -> None:
    admin = KafkaAdminClient(bootstrap_servers=fleet.settings.kafka.bootstrap_servers)
    try:
        fleet.put("readings", numbers(0, 200))
        fleet.put("quotes", numbers(0, 200))
        worker = fleet.start(*COUNTING)
        drained(fleet, worker, "readings", "quotes")
        group = fleet.settings.kafka.group
        assert admin.delete_groups([group]) == {group: "NonEmptyGroupError"}
        assert fleet.stop(worker) == EXIT_OK
        assert admin.delete_groups([group]) == {group: "OK"}
        assert fleet.committed("readings", 1) == {0: None}
        fleet.put("readings", numbers(200, 300))
        run_dry(fleet)
        judge_once(fleet, "readings", 300)
        judge_once(fleet, "quotes", 200)
        assert fleet.committed("readings", 1) == {0: 300}
    finally:
        admin.close()


def test_a_copy_of_redis_from_before_the_first_command_will_do(fleet: Fleet) -> None:
    fleet.put("readings", numbers(0, 200))
    run_dry(fleet)
    client = fleet.redis
    saved = {
        name: client.dump(name)
        for name in client.keys(f"dispersion:v1:{{*{fleet.settings.kafka.topic_prefix}*")
    }
    fleet.put("commands", numbers(1000, 1010))
    worker = fleet.start(*COUNTING)
    wait_until(lambda: fleet.committed("commands", 1) == {0: 10}, START, fleet.log(worker))
    assert fleet.stop(worker) == EXIT_OK
    client.delete(*client.keys(f"dispersion:v1:{{*{fleet.settings.kafka.topic_prefix}*"))
    for name, value in saved.items():
        client.restore(name, 0, value)
    fleet.put("readings", numbers(200, 300))
    fleet.put("commands", numbers(1010, 1015))
    worker = fleet.start(*COUNTING)
    drained(fleet, worker, "readings")
    wait_until(lambda: fleet.committed("commands", 1) == {0: 15}, START, fleet.log(worker))
    assert fleet.stop(worker) == EXIT_OK
    judge_once(fleet, "readings", 300)
    assert fleet.applied("readings")[1000:1016].tolist() == [1] * 15 + [0]


class SetBack:
    """A broker of its own, whose disk can be put back to an earlier state."""

    def __init__(self, kafka: KafkaServer, copy: Path) -> None:
        self.kafka, self._copy = kafka, copy

    def remember(self) -> None:
        """Copy the disk; the broker is away for that while."""
        self.kafka.stop()
        shutil.copytree(self.kafka.directory / "data", self._copy)
        self.kafka.start()

    def restore(self) -> None:
        """The disk as it was then."""
        self.kafka.kill()
        shutil.rmtree(self.kafka.directory / "data")
        shutil.copytree(self._copy, self.kafka.directory / "data")
        self.kafka.start()


def test_a_brokers_disk_set_back_is_refused_and_a_restart_is_not(
    topic_prefix: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (
        RealStack() as stack,
        Fleet(settings_of(stack, topic_prefix), stack.redis.url, tmp_path) as fleet,
    ):
        create_flow_topics(stack, fleet.settings)
        disk, command = SetBack(stack.kafka, tmp_path / "copy"), Command(fleet, monkeypatch, capsys)
        fleet.put("readings", numbers(0, 300))
        worker = fleet.start(*COUNTING)
        drained(fleet, worker, "readings")
        disk.remember()
        fleet.put("readings", numbers(300, 502))
        drained(fleet, worker, "readings")
        stack.kafka.kill()
        stack.kafka.start()
        fleet.put("readings", numbers(502, 510))
        drained(fleet, worker, "readings")
        assert worker.poll() is None, "two restarts, the second after a kill: nothing was lost"
        judge_once(fleet, "readings", 510)

        disk.restore()
        fleet.put("readings", numbers(600, 900))
        last = refused(fleet, worker)
        assert "the log ends at" in last or "is another one" in last or "was made anew" in last
        assert "the log is not the one" in last or "has lost the end of it" in last
        assert "stands refused" in refused(fleet)
        assert command.takeover("--from", "earliest", "--yes")[0] == EXIT_OK
        run_dry(fleet)
        held = [*range(300), *range(600, 900)]
        assert fleet.applied("readings").nonzero()[0].tolist() == held
        judge_once(fleet, "readings", 300)

        disk.restore()  # while no worker is there, and outgrown before one comes
        time.sleep(0.01)
        fleet.put("readings", numbers(1000, 1700))
        assert "the record at offset 599 is another one" in refused(
            fleet
        )  # of the same leader epoch, for the copy is the same
        assert command.takeover("--from", "earliest", "--yes")[0] == EXIT_OK
        run_dry(fleet)
        assert fleet.applied("readings").nonzero()[0].tolist() == [*range(300), *range(1000, 1700)]
