"""SASL and TLS against a real Kafka: the settings as a person writes them, through every synchronous client."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.exits import Down, Refusal
from agents.publishing import FramePublisher
from agents.tail import tail_alerts
from agents.topics_admin import check_topics, create_topics
from config.errors import ConfigError
from config.settings import Kafka, Settings
from streams.stage import Message
from tests.support.kafka import KafkaServer
from tests.support.kafka_jars import JarsUnavailableError
from tests.support.need import missing
from tests.support.tls import Certificate, certificate

PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_desk="open sesame";'

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """The broker's certificate."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def broker(issued: Certificate) -> Iterator[KafkaServer]:
    """A broker that takes passwords on two listeners, one of them over TLS, and TLS alone on a third."""
    listeners = {"PASSWORD": "SASL_PLAINTEXT", "SECURE": "SASL_SSL", "SEALED": "SSL"}
    properties = {**issued.properties("SECURE"), **issued.properties("SEALED")}
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


def settings(address: str, protocol: str, prefix: str, **more: Any) -> Settings:
    values = {"sasl_mechanism": "PLAIN", "sasl_username": "desk", "sasl_password": "open sesame", **more}
    return Settings(
        kafka=Kafka.model_validate({"bootstrap_servers": address, "security_protocol": protocol, "topic_prefix": prefix, **values})
    )


def round_trip(configured: Settings) -> list[bytes]:
    create_topics(configured).refuse()
    with FramePublisher(configured) as publisher:
        publisher.publish_message(Message("alerts", b"key", b"event"))
    return [event.value for event in tail_alerts(configured, follow=False, from_beginning=True)]


def test_password_over_tls(broker: KafkaServer, issued: Certificate, topic_prefix: str) -> None:
    configured = settings(broker.address("SECURE"), "SASL_SSL", topic_prefix, ssl_cafile=issued.authority)
    assert round_trip(configured) == [b"event"]


def test_tls_alone(broker: KafkaServer, issued: Certificate, topic_prefix: str) -> None:
    assert round_trip(settings(broker.address("SEALED"), "SSL", topic_prefix, ssl_cafile=issued.authority)) == [b"event"]


def test_password_on_an_open_line_only_when_allowed(broker: KafkaServer, topic_prefix: str) -> None:
    with pytest.raises(ConfigError, match="open line"):
        round_trip(settings(broker.address("PASSWORD"), "SASL_PLAINTEXT", topic_prefix))
    assert round_trip(settings(broker.address("PASSWORD"), "SASL_PLAINTEXT", topic_prefix, allow_sasl_plaintext=True)) == [b"event"]


def test_a_wrong_password_is_named_and_not_repeated(broker: KafkaServer, issued: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.kafka_client.BOOTSTRAP_MS", 1500)
    configured = settings(broker.address("SECURE"), "SASL_SSL", "", ssl_cafile=issued.authority, sasl_password="abracadabra")
    for use in (check_topics, FramePublisher, lambda wrong: next(tail_alerts(wrong))):
        with pytest.raises((Refusal, Down), match="sasl_password") as raised:  # Down where the client missed the broker's answer
            use(configured)
        assert "abracadabra" not in str(raised.value)


def test_an_unknown_authority_is_not_trusted(
    broker: KafkaServer, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.kafka_client.BOOTSTRAP_MS", 1500)
    other = certificate(tmp_path)
    with pytest.raises(Down, match=r"kafka\.ssl_cafile"):
        check_topics(settings(broker.address("SECURE"), "SASL_SSL", topic_prefix, ssl_cafile=other.authority))
