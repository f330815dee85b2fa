"""The whole over SCRAM, TLS and permissions.

Each process has what the documentation lists for it, and nothing more.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from kafka import KafkaAdminClient

from agents.alerts.cloud_event import event_message
from agents.cli.main import main
from agents.kafka.frame_publisher import FramePublisher
from agents.process.ports import free_ports
from agents.topics.admin import create_topics
from config.settings import Settings
from streams.detection.alerts.events import fingerprint
from streams.records import InputRecord
from streams.refusals.dead_letters import dead_letter
from streams.stage import Message, Role
from streams.topics import Topics
from tests.integration.test_dead_letters import QUOTE, SENT_MS
from tests.support.alert_values import event_value
from tests.support.command import Finished, Running, run, start, stop
from tests.support.counted_event import counted_event
from tests.support.fleet import wait_until
from tests.support.kafka import KafkaServer
from tests.support.kafka_jars import JarsUnavailableError
from tests.support.monitor import QUOTES
from tests.support.need import missing
from tests.support.pages import get
from tests.support.secured import (
    PASSWORD,
    Gate,
    SecuredRedis,
    documented,
    secured_kafka,
    secured_redis,
)
from tests.support.stack import environment_for
from tests.support.tls import Certificate, certificate

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]
SCENARIO = ("--quotes", str(QUOTES[-1]), "--scenario", "unwind_2018_02", "--refresh", "300")
SECTIONS = {
    "worker": "What a worker must be allowed",
    "ingest": "What an ingest must be allowed",
    "desk": "What the commands must be allowed",
}


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The certificate of both servers, and of the clients of Redis."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def broker(issued: Certificate) -> Iterator[KafkaServer]:
    """A secured broker."""
    try:
        server = secured_kafka(issued)
    except JarsUnavailableError as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def redis(issued: Certificate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredRedis]:
    """A secured Redis."""
    with secured_redis(issued, tmp_path_factory.mktemp("redis")) as made:
        yield made


@dataclass
class Secured:
    """Settings of each user, and the processes that run."""

    broker: KafkaServer
    redis: SecuredRedis
    authority: Path
    prefix: str
    directory: Path
    ports: Mapping[str, int]
    running: dict[str, Running] = field(default_factory=dict)

    def settings(self, user: str, process: str = "worker") -> Settings:
        kafka: dict[str, Any] = {
            "bootstrap_servers": self.broker.address("SECURE"),
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": user,
            "sasl_password": PASSWORD,
            "ssl_cafile": self.authority,
        }
        store = "dispersion" if user == "worker" else "viewer"
        return self._settings(
            kafka, {"url": self.redis.url(store), "checkpoint_seconds": 0.5}, self.ports[process]
        )

    def plain(self) -> Settings:
        """Of whoever set it all up."""
        return self._settings(
            {"bootstrap_servers": self.broker.bootstrap_servers}, {"url": self.redis.server.url}, 0
        )

    def _settings(self, kafka: dict[str, Any], redis: dict[str, Any], port: int) -> Settings:
        return Settings.model_validate(
            {
                "mode": "scenario",
                "kafka": {
                    **kafka,
                    "topic_prefix": self.prefix,
                    "group": f"{self.prefix}group",
                    "partitions": {"quotes": 1, "ticks": 1, "results": 1},
                },
                "redis": redis,
                "metrics": {"port": port},
                "rules": {"cap_unknown": False},
                "worker": {"data_dir": self.directory / "data"},
                "ingest": {"topic": f"{self.prefix}feed"},
                "bridge": {"alertmanager_url": f"http://127.0.0.1:{self.ports['nobody']}"},
            }
        )

    def run(self, user: str, *command: str) -> Finished:
        return run(*command, env=environment_for(self.settings(user)))

    def start(self, user: str, *command: str) -> str:
        """The process's page."""
        process = command[0]
        self.running[process] = start(*command, env=environment_for(self.settings(user, process)))
        return f"http://127.0.0.1:{self.ports[process]}"

    def answers(self, process: str, path: str, what: str) -> bool:
        """Whether a process's page says so; it has not ended."""
        running = self.running[process]
        assert running.poll() is None, running.communicate()
        try:
            return what in get(f"http://127.0.0.1:{self.ports[process]}{path}")[2]
        except OSError:
            return False


@pytest.fixture
def secured(
    broker: KafkaServer, redis: SecuredRedis, issued: Certificate, topic_prefix: str, tmp_path: Path
) -> Iterator[Secured]:
    """Topics and users with what is documented."""
    processes = ("worker", "exporter", "bridge", "ingest", "nobody")
    ports = dict(zip(processes, free_ports(len(processes)), strict=True))
    made = Secured(broker, redis, issued.authority, topic_prefix, tmp_path, ports)
    plain = made.plain()
    create_topics(plain).refuse()
    admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap_servers)
    admin.create_topics({plain.ingest.topic: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    gate = Gate(broker.bootstrap_servers)
    gate.admit(*SECTIONS)
    for user, section in SECTIONS.items():
        gate.grant(user, documented(section, topic_prefix, plain.kafka.group, plain.ingest.topic))
    yield made
    for name, process in made.running.items():
        if process.poll() is None:
            sys.stderr.write(f"{name}: {stop(process).stderr[-3000:]}\n")


def test_every_process_works_with_what_is_documented_for_it(secured: Secured) -> None:
    secured.start("worker", "worker")
    secured.start("desk", "exporter")
    secured.start("desk", "bridge", "--all-modes")
    secured.start("ingest", "ingest")
    wait_until(lambda: secured.answers("worker", "/readyz?verbose", "ok"), 60, "a ready worker")
    for command in (("config", "check"), ("topics", "create"), ("doctor",)):
        done = secured.run("desk", *command)
        assert done.returncode == 0, (command, done)
    done = secured.run("desk", "replay", *SCENARIO)
    assert done.returncode == 0, done.stderr

    def events() -> list[dict[str, Any]]:
        told = secured.run("desk", "alerts", "tail", "--from-beginning", "--no-follow", "--json")
        assert told.returncode == 0, told.stderr
        return [json.loads(line) for line in told.stdout.splitlines()]

    wait_until(lambda: len(events()) >= 2, 60, "the alert")
    listed = secured.run("desk", "alerts", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    name = json.loads(listed.stdout.splitlines()[0])["data"]["fingerprint"]
    for words in (
        ("alerts", "ack", name, "--who", "ann", "--why", "seen"),
        ("alerts", "silence", name, "--who", "ann", "--why", "known", "--for", "1h"),
        ("alerts", "unsilence", name, "--who", "ann"),
        ("alerts", "show", name),
        ("explain", "SPY"),
        ("dead-letters", "tail", "--from-beginning", "--no-follow"),
        ("takeover",),
    ):
        ran = secured.run("desk", *words)
        assert ran.returncode == 0, (words, ran.stderr)
    status = secured.run("desk", "status", "--json")
    assert json.loads(status.stdout)["indices"], status
    wait_until(
        lambda: secured.answers("exporter", "/metrics", "dispersion_index_vol_ratio{"),
        30,
        "market gauges",
    )
    wait_until(
        lambda: secured.answers("bridge", "/metrics", "dispersion_bridge_active_alerts 1.0"),
        30,
        "an alert at the bridge",
    )
    with secured.redis.admin() as admin:
        assert admin.acl_log() == []
    assert all(running.poll() is None for running in secured.running.values())


UNGRANTED = {
    "alerts_state": ("Read", "alerts list", "status", "doctor"),
    "alerts": ("Read", "alerts tail --from-beginning --no-follow"),
    "readings": ("Read", "explain SPY"),
    "dead_letters": ("Read", "dead-letters tail --from-beginning --no-follow"),
}
"""What must be granted on which topic, and commands that say so."""


def as_user(secured: Secured, user: str, patch: pytest.MonkeyPatch, **kafka: str) -> None:
    """Commands of this process run as a user from here on."""
    for name, value in {**environment_for(secured.settings(user)), **kafka}.items():
        patch.setenv(name, value)


def test_what_is_not_granted_is_named_with_its_topic(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    gate = Gate(secured.broker.bootstrap_servers)
    topics = Topics(secured.prefix)
    everything = documented(SECTIONS["desk"], secured.prefix, secured.plain().kafka.group)
    gate.admit(*UNGRANTED)
    with FramePublisher(secured.plain()) as publisher:
        for role in ("alerts_state", "alerts", "readings", "dead_letters"):
            publisher.publish_message(Message(role, b"key", event_value("one"), (), 0))
    for role, (operation, *commands) in UNGRANTED.items():
        topic = topics.name(cast("Role", role))
        gate.grant(
            role, [one for one in everything if (one.name, one.operation) != (topic, operation)]
        )
        as_user(secured, role, monkeypatch)
        for command in commands:
            assert main(command.split()) == 1, command
            shown = "".join(capfd.readouterr())
            assert topic in shown
            assert f"grant user '{role}' {operation}" in shown, (command, shown)


def commands_of(secured: Secured) -> dict[str, list[str]]:
    """Every command that asks Kafka, by its name; what they speak of is there."""
    topics, alert = Topics(secured.prefix), counted_event(0, 1, {})
    refused = InputRecord(topics.name("quotes"), 0, 0, SENT_MS, b"AAPL", b"{", ())
    with FramePublisher(secured.plain()) as publisher:
        for role in ("alerts", "alerts_state"):
            publisher.publish_message(event_message(role, alert.value, 0, 1))
        publisher.publish_message(dead_letter(refused, "json", "no"))
        publisher.publish("readings", "SPY", b"{}")
    mended = secured.directory / "mended.jsonl"
    place = {"topic": refused.topic, "partition": 0, "offset": 0}
    mended.write_text(json.dumps({**place, "value": json.dumps(QUOTE)}))
    name = fingerprint("counting", "SPX", "30d", "alert-0")
    said = f"{name} --who ann --why seen"
    lines = (
        *("status", "doctor", "topics create", "takeover", "explain SPY", "alerts list"),
        *(f"alerts show {name}", "alerts tail --no-follow", f"alerts ack {said}"),
        *("dead-letters tail --no-follow", f"dead-letters show {refused.topic}/0/0"),
        *(f"dead-letters replay --mended {mended} --yes --again", f"replay {' '.join(SCENARIO)}"),
        *("bridge", "ingest", "worker", f"backfill --quotes {QUOTES[-1]}"),
    )
    return {" ".join(words[:2]): words for words in map(str.split, lines)}


TAKEN: tuple[tuple[str, Role, tuple[str, ...]], ...] = (
    ("Write", "commands", ("alerts ack",)),
    ("Write", "quotes", ("replay --quotes", "dead-letters replay")),
    ("Write", "dead_letters", ("dead-letters replay",)),
    ("Describe", "points", ("doctor", "topics create", "replay --quotes", "backfill --quotes")),
    ("DescribeConfigs", "quotes", ("doctor",)),
)
"""One grant that is taken away, of which topic, and the commands that say so."""


def test_each_kind_of_grant_is_named_by_who_lacks_it(
    secured: Secured,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    gate, commands = Gate(secured.broker.bootstrap_servers), commands_of(secured)

    def shown(user: str, name: str) -> str:
        as_user(secured, user, monkeypatch)
        caplog.clear()
        assert main(commands[name]) == 1, (user, name, capfd.readouterr())
        told = "".join((*capfd.readouterr(), caplog.text))
        assert "internal error" not in told
        return told

    gate.admit("nobody", "uncreative", *(f"{what}-{role}" for what, role, _ in TAKEN))
    for name in commands:
        told = shown("nobody", name)
        assert "Describe" in told, (name, told)
        assert "'nobody'" in told, (name, told)
        assert secured.prefix in told
    everything = documented(SECTIONS["desk"], secured.prefix, secured.plain().kafka.group)
    for what, role, names in TAKEN:
        user, topic = f"{what}-{role}", Topics(secured.prefix).name(role)
        gate.grant(user, [one for one in everything if (one.name, one.operation) != (topic, what)])
        for name in names:
            told = shown(user, name)
            assert topic in told, (user, name, told)
            assert re.search(f"grant (user '{user}' {what}|{what} to user '{user}')", told), told
    secured.prefix += "new."
    wanted = documented(SECTIONS["desk"], secured.prefix, secured.plain().kafka.group)
    gate.grant("uncreative", [one for one in wanted if one.operation != "Create"])
    told = shown("uncreative", "topics create")
    assert secured.prefix in told
    assert "grant user 'uncreative' Create" in told, told


def test_no_command_shows_a_password_that_kafka_refuses(
    secured: Secured,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each says at once which settings are wrong: nobody waits for a password to become right."""
    commands = commands_of(secured)
    as_user(secured, "desk", monkeypatch, DISPERSION_KAFKA__SASL_PASSWORD="abracadabra")
    monkeypatch.setattr("agents.kafka.client.BOOTSTRAP_MS", 1_000)
    for name, command in commands.items():
        caplog.clear()
        assert main([*command, "-v"]) == 1, (name, capfd.readouterr())
        shown = "".join((*capfd.readouterr(), caplog.text))
        assert "sasl_password" in shown, (name, shown)
        assert "abracadabra" not in shown
        assert "internal error" not in shown
