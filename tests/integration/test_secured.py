"""The whole over SCRAM, TLS and permissions: each process has what the documentation lists for it, and nothing more."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient

from agents.ports import free_ports
from agents.topics.admin import create_topics
from config.settings import Settings
from tests.support.command import Finished, Running, run, start, stop
from tests.support.fleet import wait_until
from tests.support.kafka import KafkaServer
from tests.support.kafka_jars import JarsUnavailableError
from tests.support.monitor import QUOTES
from tests.support.need import missing
from tests.support.pages import get
from tests.support.secured import PASSWORD, Gate, SecuredRedis, documented, secured_kafka, secured_redis
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
        return self._settings(kafka, {"url": self.redis.url(store), "checkpoint_seconds": 0.5}, self.ports[process])

    def plain(self) -> Settings:
        """Of whoever set it all up."""
        return self._settings({"bootstrap_servers": self.broker.bootstrap_servers}, {"url": self.redis.server.url}, 0)

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
def secured(broker: KafkaServer, redis: SecuredRedis, issued: Certificate, topic_prefix: str, tmp_path: Path) -> Iterator[Secured]:
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
    assert listed.stdout.strip()
    assert all(running.poll() is None for running in secured.running.values())
