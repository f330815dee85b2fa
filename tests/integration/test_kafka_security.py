"""SASL, TLS and permissions against a real Kafka.

The settings are as a person writes them, through every client and a worker.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)
from pydantic import SecretStr

from agents.alerts.tail import tail_alerts
from agents.embedded.redis_server import EmbeddedRedis
from agents.kafka.frame_publisher import FramePublisher
from agents.process.exits import EXIT_ACTION_NEEDED, EXIT_OK, ActionNeededError, UnavailableError
from agents.topics.admin import check_topics, create_topics
from config.errors import ConfigError
from config.settings import KafkaSettings, RedisSettings, Settings
from streams.stage import Message, Role
from tests.support.alert_values import event_value
from tests.support.counting import record_value
from tests.support.fleet import Fleet, judge_alerts, judge_once, wait_until
from tests.support.kafka import KafkaServer
from tests.support.kafka_jars import JarsUnavailableError
from tests.support.need import missing
from tests.support.redis import system_redis
from tests.support.tls import Certificate, certificate, client

PASSWORD = "open sesame"
EVENT = event_value("one")
USERS = " ".join(f'user_{name}="{PASSWORD}"' for name in ("desk", "worker", "blind", "stranger"))
PLAIN = f"org.apache.kafka.common.security.plain.PlainLoginModule required {USERS};"
AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS;User:desk",
}
READS: tuple[Role, ...] = ("quotes", "readings", "alerts", "alerts_state")
"""What the tests' worker consumes, and the alerts that a relay reads back."""
WRITES: tuple[Role, ...] = ("points", "readings", "alerts", "alerts_state", "dead_letters")

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The broker's certificate."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def broker(issued: Certificate) -> Iterator[KafkaServer]:
    """A broker that takes passwords on two listeners, one of them over TLS.

    On a third it takes TLS alone.
    """
    listeners = {"PASSWORD": "SASL_PLAINTEXT", "SECURE": "SASL_SSL", "SEALED": "SSL"}
    properties = {**issued.properties("SECURE"), **issued.properties("SEALED"), **AUTHORIZER}
    for listener in ("password", "secure"):
        properties[f"listener.name.{listener}.sasl.enabled.mechanisms"] = "PLAIN"
        properties[f"listener.name.{listener}.plain.sasl.jaas.config"] = PLAIN
    try:
        server = KafkaServer(listeners=listeners, properties=properties)
    except JarsUnavailableError as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def redis() -> Iterator[EmbeddedRedis]:
    """A Redis for the workers."""
    server = system_redis()
    try:
        server.start()
        yield server
    finally:
        server.close()


def settings(address: str, protocol: str, prefix: str, **more: Any) -> Settings:
    values = {"sasl_mechanism": "PLAIN", "sasl_username": "desk", "sasl_password": PASSWORD, **more}
    return Settings(
        kafka=KafkaSettings.model_validate(
            {
                "bootstrap_servers": address,
                "security_protocol": protocol,
                "topic_prefix": prefix,
                **values,
            }
        )
    )


def round_trip(configured: Settings) -> list[bytes]:
    create_topics(configured).refuse()
    with FramePublisher(configured) as publisher:
        publisher.publish_message(Message("alerts", b"key", EVENT))
    return [
        record.value for record, _ in tail_alerts(configured, follow=False, from_beginning=True)
    ]


def test_password_over_tls(broker: KafkaServer, issued: Certificate, topic_prefix: str) -> None:
    configured = settings(
        broker.address("SECURE"), "SASL_SSL", topic_prefix, ssl_cafile=issued.authority
    )
    assert round_trip(configured) == [EVENT]


def test_tls_alone(broker: KafkaServer, issued: Certificate, topic_prefix: str) -> None:
    assert round_trip(
        settings(broker.address("SEALED"), "SSL", topic_prefix, ssl_cafile=issued.authority)
    ) == [EVENT]


def test_a_key_with_a_passphrase(
    broker: KafkaServer, issued: Certificate, topic_prefix: str, tmp_path: Path
) -> None:
    """It is asked for by nobody: whoever starts a service is not there."""
    made, key = client(tmp_path, "open sesame")
    own = {"ssl_certfile": made, "ssl_keyfile": key, "ssl_key_password": "open sesame"}
    assert round_trip(
        settings(broker.address("SEALED"), "SSL", topic_prefix, ssl_cafile=issued.authority, **own)
    ) == [EVENT]


def test_password_on_an_open_line_only_when_allowed(broker: KafkaServer, topic_prefix: str) -> None:
    with pytest.raises(ConfigError, match="open line"):
        round_trip(settings(broker.address("PASSWORD"), "SASL_PLAINTEXT", topic_prefix))
    assert round_trip(
        settings(
            broker.address("PASSWORD"), "SASL_PLAINTEXT", topic_prefix, allow_sasl_plaintext=True
        )
    ) == [EVENT]


def test_a_wrong_password_is_named_and_not_repeated(
    broker: KafkaServer, issued: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.kafka.client.BOOTSTRAP_MS", 1500)
    configured = settings(
        broker.address("SECURE"),
        "SASL_SSL",
        "",
        ssl_cafile=issued.authority,
        sasl_password="abracadabra",
    )
    for use in (check_topics, FramePublisher, lambda wrong: next(tail_alerts(wrong))):
        with pytest.raises(
            (ActionNeededError, UnavailableError), match="sasl_password"
        ) as raised:  # unavailable where the client missed the broker's answer
            use(configured)
        assert "abracadabra" not in str(raised.value)


def test_an_unknown_authority_is_not_trusted(
    broker: KafkaServer, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.kafka.client.BOOTSTRAP_MS", 1500)
    other = certificate(tmp_path)
    with pytest.raises(UnavailableError, match=r"kafka\.ssl_cafile"):
        check_topics(
            settings(broker.address("SECURE"), "SASL_SSL", topic_prefix, ssl_cafile=other.authority)
        )


def grant(
    broker: KafkaServer, user: str, operation: AclOperation, kind: ResourceType, *names: str
) -> None:
    admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
    allowed = (f"User:{user}", "*", operation, AclPermissionType.ALLOW)
    for done in admin.create_acls(
        [AclBinding(kind, name, ResourcePatternType.LITERAL, *allowed) for name in names]
    ).values():
        done.result(30)


class Permitted:
    """A worker over TLS and a password.

    It has the permissions that `docs/use/runbook.md` names and no others.
    """

    def __init__(
        self,
        broker: KafkaServer,
        issued: Certificate,
        redis: EmbeddedRedis,
        prefix: str,
        directory: Path,
        user: str,
    ) -> None:
        address = broker.address("SECURE")
        kafka: dict[str, Any] = {
            "partitions": {"quotes": 1, "ticks": 1, "results": 1},
            "session_timeout": 6.0,
            "heartbeat_interval": 0.5,
        }
        more: dict[str, Any] = {"ssl_cafile": issued.authority, "group": f"{prefix}group", **kafka}
        desk, own = (
            settings(address, "SASL_SSL", prefix, sasl_username=name, **more)
            for name in ("desk", user)
        )
        create_topics(desk).refuse()
        store = RedisSettings(url=SecretStr(redis.url), checkpoint_seconds=0.5)
        self.desk = Fleet(desk, redis.url, directory)
        self.own = Fleet(own.model_copy(update={"redis": store}), redis.url, directory)
        self._broker, self._user = broker, user

    def permit(self, *, reads: Sequence[Role] = READS, group: bool = True) -> None:
        names = {role: self.desk.topics.name(role) for role in self.desk.topics.all()}
        grant(self._broker, self._user, AclOperation.DESCRIBE, ResourceType.TOPIC, *names.values())
        grant(
            self._broker,
            self._user,
            AclOperation.READ,
            ResourceType.TOPIC,
            *(names[role] for role in reads),
        )
        grant(
            self._broker,
            self._user,
            AclOperation.WRITE,
            ResourceType.TOPIC,
            *(names[role] for role in WRITES),
        )
        if group:
            grant(
                self._broker,
                self._user,
                AclOperation.READ,
                ResourceType.GROUP,
                self.own.settings.kafka.group,
            )


@pytest.fixture
def permitted(
    broker: KafkaServer,
    issued: Certificate,
    redis: EmbeddedRedis,
    topic_prefix: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Permitted]:
    made = Permitted(broker, issued, redis, topic_prefix, tmp_path, request.param)
    with made.own:
        yield made


@pytest.mark.parametrize("permitted", ["worker"], indirect=True)
def test_a_worker_needs_these_permissions_and_no_others(permitted: Permitted) -> None:
    permitted.permit()
    for role in ("quotes", "readings"):
        permitted.desk.put(role, [record_value(n) for n in range(300)])
    worker = permitted.own.start()
    wait_until(
        lambda: permitted.desk.drained("quotes", 1) and permitted.desk.drained("readings", 1),
        150,
        permitted.own.log(worker),
    )
    assert permitted.own.stop(worker) == EXIT_OK, permitted.own.log(worker)
    judge_once(permitted.desk, "quotes", 300)
    judge_alerts(permitted.desk, 1)
    assert permitted.desk.committed("quotes", 1) == {0: 300}
    assert PASSWORD not in permitted.own.log(worker)


@pytest.mark.parametrize("permitted", ["blind"], indirect=True)
def test_a_topic_that_may_not_be_read_is_refused_by_name(permitted: Permitted) -> None:
    permitted.permit(reads=[role for role in READS if role != "quotes"])
    permitted.desk.put("quotes", [record_value(1)])
    worker = permitted.own.start()
    assert worker.wait(150) == EXIT_ACTION_NEEDED, permitted.own.log(worker)
    assert permitted.desk.topics.name("quotes") in permitted.own.log(worker).splitlines()[-1]
    assert "grant Read" in permitted.own.log(worker)


@pytest.mark.parametrize("permitted", ["stranger"], indirect=True)
def test_a_group_that_may_not_be_joined_is_refused(permitted: Permitted) -> None:
    permitted.permit(group=False)
    worker = permitted.own.start()
    assert worker.wait(150) == EXIT_ACTION_NEEDED, permitted.own.log(worker)
    assert "grant Read on the group" in permitted.own.log(worker)
