"""A real Apache Kafka of one node (KRaft), run from its jars.

It runs on free loopback ports over a temporary directory.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from agents.embedded.supervised_process import SupervisedProcess
from agents.process.ports import free_ports
from tests.support.kafka_jars import fetch

START_SECONDS = 90.0
MAX_MESSAGE_BYTES = 12 * 2**20
CLUSTER_ID = "ZGlzcGVyc2lvbi10ZXN0cw"
JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
SINGLE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "2000",
    "broker.session.timeout.ms": "2000",  # the default makes a restart after a kill take 12-16 s
    "broker.heartbeat.interval.ms": "500",
    "auto.create.topics.enable": "false",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.backoff.ms": "500",  # a test waits for compaction
    # The days that tests play are older than any retention.
    "log.initial.task.delay.ms": "86400000",
}


class KafkaServer:
    """One broker.

    Started again after `stop` or `kill` it has the same ports and data, until `close`.
    """

    def __init__(
        self,
        *,
        listeners: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        jvm: Sequence[str] = JVM,
    ) -> None:
        """Settings of the broker.

        `listeners` adds listeners by name to their protocol (`{"SECURE": "SASL_SSL"}`),
        `properties` any broker settings.
        """
        self._jvm = tuple(jvm)
        self._jars = fetch()
        self.directory = Path(tempfile.mkdtemp(prefix="dispersion-kafka-"))
        protocols = {"PLAINTEXT": "PLAINTEXT", **(listeners or {})}
        *ports, controller = free_ports(len(protocols) + 1)
        self._ports = dict(zip(protocols, ports, strict=True))
        self._protocols = {**protocols, "CONTROLLER": "PLAINTEXT"}
        self._controller = controller
        self._properties = {
            **SINGLE_NODE,
            "message.max.bytes": str(max_message_bytes),
            **(properties or {}),
        }
        self._server: SupervisedProcess | None = None
        self.started_in = 0.0

    def address(self, listener: str = "PLAINTEXT") -> str:
        """`host:port` of a listener."""
        return f"127.0.0.1:{self._ports[listener]}"

    @property
    def bootstrap_servers(self) -> str:
        """The plain listener."""
        return self.address()

    def start(self) -> None:
        """Start; returns when the broker serves. Raises `OSError` with the end of its log."""
        begun = time.monotonic()
        self.launch()
        self._wait(begun + START_SECONDS)
        self.started_in = time.monotonic() - begun

    def launch(self) -> None:
        """Start without waiting."""
        configuration = self.directory / "server.properties"
        if not configuration.exists():
            self._configure(configuration)
        self._server = SupervisedProcess(
            ["java", *self._jvm, *self._class("kafka.Kafka"), configuration],
            log=self.directory / "kafka.log",
            cwd=self.directory,
            remove=self.directory,
        )

    def serve(self) -> None:
        """Wait until a launched broker serves. Raises `OSError` with the end of its log."""
        self._wait(time.monotonic() + START_SECONDS)

    def say(self, key: str, value: str) -> None:
        """One more property, before the first start."""
        self._properties[key] = value

    @property
    def controller(self) -> str:
        """`host:port` of its controller."""
        return f"127.0.0.1:{self._controller}"

    def _class(self, name: str) -> tuple[str, ...]:
        return ("-cp", f"{self._jars}/*", name)

    def _configure(self, file: Path) -> None:
        addresses = ",".join(f"{name}://127.0.0.1:{port}" for name, port in self._ports.items())
        properties = {
            "controller.quorum.voters": f"1@{self.controller}",
            **self._properties,
            "listeners": f"{addresses},CONTROLLER://127.0.0.1:{self._controller}",
            "advertised.listeners": addresses,
            "listener.security.protocol.map": ",".join(
                f"{name}:{protocol}" for name, protocol in self._protocols.items()
            ),
            "log.dirs": str(self.directory / "data"),
        }
        file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
        command = [
            "java",
            *JVM,
            *self._class("kafka.tools.StorageTool"),
            "format",
            "-t",
            CLUSTER_ID,
            "-c",
            str(file),
        ]
        subprocess.run(
            command, check=True, capture_output=True, cwd=self.directory, timeout=START_SECONDS
        )

    def _wait(self, deadline: float) -> None:
        assert self._server is not None
        while self._server.running and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.1)
        report = self._server.tail()
        self._server.stop()
        message = f"Kafka did not start: {report}"
        raise OSError(message)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self._ports["PLAINTEXT"]), timeout=1.0).close()
            client = KafkaAdminClient(
                bootstrap_servers=self.bootstrap_servers,
                bootstrap_timeout_ms=1000,
                request_timeout_ms=5000,
            )
        except (KafkaError, OSError):
            return False
        try:
            return bool(client.describe_cluster()["brokers"])
        except KafkaError:
            return False
        finally:
            client.close()

    def stop(self) -> None:
        """Controlled shutdown, data kept."""
        if self._server:
            self._server.stop()

    def kill(self) -> None:
        """`kill -9`, data kept."""
        if self._server:
            self._server.kill()

    def signal(self, number: int) -> None:
        """Send the broker a signal, as `SIGSTOP` for a hang."""
        if self._server:
            self._server.signal(number)

    def close(self) -> None:
        """End for good, data removed; nobody waits for a controlled shutdown."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class KafkaCluster:
    """Three brokers that are controllers too.

    Every topic has three replicas, and two must be in sync for a write.
    """

    def __init__(self) -> None:
        replicated = {
            "offsets.topic.replication.factor": "3",
            "default.replication.factor": "3",
            "min.insync.replicas": "2",
            "replica.lag.time.max.ms": "2000",
            "controller.quorum.election.timeout.ms": "500",
            "controller.quorum.fetch.timeout.ms": "1000",
        }
        small = ("-Xmx300m", *JVM[1:])
        self.nodes = {
            number: KafkaServer(properties={**replicated, "node.id": str(number)}, jvm=small)
            for number in (1, 2, 3)
        }
        voters = ",".join(f"{number}@{node.controller}" for number, node in self.nodes.items())
        for node in self.nodes.values():
            node.say("controller.quorum.voters", voters)

    @property
    def bootstrap_servers(self) -> str:
        """All three."""
        return ",".join(node.bootstrap_servers for node in self.nodes.values())

    def start(self) -> None:
        """All at once: none serves without another."""
        for node in self.nodes.values():
            node.launch()
        for node in self.nodes.values():
            node.serve()

    def close(self) -> None:
        """End for good."""
        for node in self.nodes.values():
            node.close()
