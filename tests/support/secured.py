"""A Kafka with passwords, TLS and the permissions of the runbook.

Beside it is a Redis with TLS and the users of its file.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from redis import Redis

from agents.process.ports import free_ports
from streams.topics import NAMES
from tests.support.kafka import KafkaServer
from tests.support.need import program
from tests.support.redis import system_redis
from tests.support.tls import PASSWORD as STORE_PASSWORD
from tests.support.tls import Certificate

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs/use/runbook.md"
USERS = ROOT / "config" / "redis" / "users.conf"
PASSWORD = "open sesame"
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}
OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


class Grant(NamedTuple):
    """One operation on one resource."""

    kind: ResourceType
    name: str
    operation: str

    def __str__(self) -> str:
        return f"{self.operation} on {self.kind.name.lower()} {self.name}"


def documented(section: str, prefix: str, group: str, feed: str = "") -> list[Grant]:
    """What a table of the runbook grants."""
    text = RUNBOOK.read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    grants: list[Grant] = []
    for row in re.findall(r"^\|(.*)\|$", text, re.MULTILINE)[2:]:
        *_, resources, operations = (cell.strip() for cell in row.split("|"))
        words = [word for word in re.findall(r"\w+", operations) if word in OPERATIONS]
        grants += [
            Grant(kind, name, word)
            for kind, name in _resources(resources, prefix, group, feed)
            for word in words
        ]
    return sorted(set(grants), key=str)


def _resources(cell: str, prefix: str, group: str, feed: str) -> list[tuple[ResourceType, str]]:
    if "kafka.group" in cell:
        return [(ResourceType.GROUP, group + ("-ingest" if "-ingest" in cell else ""))]
    if "ingest.topic" in cell:
        return [(ResourceType.TOPIC, feed)]
    if cell == "all topics of the flow":
        return [(ResourceType.TOPIC, prefix + name) for name in NAMES.values()]
    return [(ResourceType.TOPIC, prefix + name) for name in re.findall(r"`([^`]+)`", cell)]


def secured_kafka(issued: Certificate) -> KafkaServer:
    """A broker, not yet started, whose listener SECURE wants SCRAM over TLS.

    Whoever comes by the plain one may do all.
    """
    return KafkaServer(
        listeners={"SECURE": "SASL_SSL"},
        properties={
            **issued.properties("SECURE"),
            **AUTHORIZER,
            "listener.name.secure.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.secure.scram-sha-512.sasl.jaas.config": SCRAM,
        },
    )


class Gate:
    """Users and permissions of such a broker."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._admin = AdminClient({"bootstrap.servers": bootstrap_servers})

    def admit(self, *users: str) -> None:
        """Give users the password."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        changes = [UserScramCredentialUpsertion(user, info, PASSWORD.encode()) for user in users]
        for done in self._admin.alter_user_scram_credentials(changes).values():
            done.result(30)

    def grant(self, user: str, grants: Sequence[Grant]) -> None:
        """Permit what is listed."""
        for done in self._admin.create_acls([_binding(user, one) for one in grants]).values():
            done.result(30)


def _binding(user: str, grant: Grant) -> AclBinding:
    allowed = (f"User:{user}", "*", OPERATIONS[grant.operation], AclPermissionType.ALLOW)
    return AclBinding(grant.kind, grant.name, ResourcePatternType.LITERAL, *allowed)


class SecuredRedis:
    """A server of the system with three doors.

    They are a plain one for us, TLS with client certificates, and a unix socket.
    """

    def __init__(self, issued: Certificate, directory: Path) -> None:
        self.key, self.authority = directory / "key.pem", issued.authority
        command = [
            "pkcs12",
            "-in",
            str(issued.keystore),
            "-passin",
            f"pass:{STORE_PASSWORD}",
            "-nocerts",
            "-nodes",
            "-out",
            str(self.key),
        ]
        subprocess.run([program("openssl"), *command], check=True, capture_output=True)
        self.tls_port, self.socket = free_ports(1)[0], directory / "redis.sock"
        files = (
            "--tls-cert-file",
            str(issued.authority),
            "--tls-key-file",
            str(self.key),
            "--tls-ca-cert-file",
            str(issued.authority),
        )
        self.server = system_redis(
            "--tls-port", str(self.tls_port), *files, "--unixsocket", str(self.socket)
        )

    def url(self, user: str) -> str:
        """Over TLS, with a client's certificate."""
        files = (
            f"ssl_ca_certs={self.authority}&ssl_certfile={self.authority}&ssl_keyfile={self.key}"
        )
        return f"rediss://{user}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.tls_port}/0?{files}"

    def admin(self) -> Any:
        """Who may do all."""
        return Redis.from_url(self.server.url)

    def admit(self, without: str = "") -> None:
        """Make the users of `config/redis/users.conf` anew, without one command."""
        with self.admin() as admin:
            for name in ("dispersion", "viewer"):
                rules = [
                    rule
                    for rule in rules_of(name)
                    if rule not in {"on", ">change-me", f"+{without}"}
                ]
                admin.execute_command("ACL", "SETUSER", name, "reset", "on", f">{PASSWORD}", *rules)
            admin.script_flush()
            admin.client_kill_filter(_type="normal", skipme=True)


def rules_of(user: str) -> list[str]:
    """What `config/redis/users.conf` says of a user."""
    (line,) = (line for line in USERS.read_text().splitlines() if line.startswith(f"user {user} "))
    return line.split(" ")[2:]


@contextmanager
def secured_redis(issued: Certificate, directory: Path) -> Iterator[SecuredRedis]:
    """Started, with its users."""
    made = SecuredRedis(issued, directory)
    try:
        made.server.start()
        made.admit()
        yield made
    finally:
        made.server.close()
