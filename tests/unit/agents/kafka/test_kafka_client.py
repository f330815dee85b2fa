"""Options of kafka-python's clients, what is refused, and what its failures mean."""

import gc
import logging
import threading
import warnings
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
)

from agents.kafka.client import kafka_failures, kafka_python_options
from agents.process.exits import ActionNeededError, UnavailableError
from agents.process.ports import free_ports
from config.errors import ConfigError
from config.settings import KafkaSettings, Settings


def settings(**kafka: Any) -> Settings:
    return Settings(kafka=KafkaSettings(**kafka))


SASL_TLS = {
    "security_protocol": "SASL_SSL",
    "sasl_mechanism": "SCRAM-SHA-256",
    "sasl_username": "desk",
    "sasl_password": "hunter2",
}


def test_plain_settings_say_nothing_of_security() -> None:
    options = kafka_python_options(settings(bootstrap_servers="a:1, b:2"))
    assert options["bootstrap_servers"] == ["a:1", "b:2"]
    assert options["security_protocol"] == "PLAINTEXT"
    assert not [name for name in options if name.startswith(("sasl", "ssl", "api_version"))]


def test_sasl_over_tls_maps_every_setting() -> None:
    options = kafka_python_options(settings(**SASL_TLS, api_version="2.0"))
    assert options["api_version"] == (2, 0)
    assert {name: value for name, value in options.items() if name.startswith(("sasl", "ssl"))} == {
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "desk",
        "sasl_plain_password": "hunter2",
        "ssl_context": options["ssl_context"],
    }
    assert options["ssl_context"].check_hostname


def test_tls_alone_carries_no_password() -> None:
    options = kafka_python_options(settings(**{**SASL_TLS, "security_protocol": "SSL"}))
    assert not [name for name in options if name.startswith("sasl")]
    assert options["ssl_context"].check_hostname


@pytest.mark.parametrize("client", [KafkaProducer, KafkaConsumer, KafkaAdminClient])
def test_every_client_knows_every_option(client: Any) -> None:
    options = kafka_python_options(settings(**SASL_TLS, api_version="2.0"))
    assert set(options) <= set(client.DEFAULT_CONFIG)


@pytest.mark.parametrize("client", [KafkaProducer, KafkaConsumer, KafkaAdminClient])
def test_a_client_that_reaches_nobody_leaves_nothing_running(
    client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agents.kafka.client.BOOTSTRAP_MS", 200)
    (port,) = free_ports(1)
    before = threading.active_count()
    with pytest.raises(KafkaError):
        client(**kafka_python_options(settings(bootstrap_servers=f"127.0.0.1:{port}")))
    assert threading.active_count() == before


def test_sasl_on_an_open_line_needs_permission() -> None:
    open_line = {**SASL_TLS, "security_protocol": "SASL_PLAINTEXT"}
    with pytest.raises(ConfigError, match="allow_sasl_plaintext"):
        kafka_python_options(settings(**open_line))
    options = kafka_python_options(settings(**open_line, allow_sasl_plaintext=True))
    assert options["sasl_plain_password"] == "hunter2"
    assert "ssl_context" not in options


def test_a_wrong_version_is_named() -> None:
    with pytest.raises(ConfigError, match=r"kafka.api_version.*'two'"):
        kafka_python_options(settings(api_version="two"))


def test_secrets_do_not_reach_a_log() -> None:
    configured = settings(**SASL_TLS)
    assert "hunter2" not in repr(configured)


@pytest.mark.parametrize(
    ("error", "meaning", "text"),
    [
        (SaslAuthenticationFailedError(), ActionNeededError, "credentials"),
        (TopicAuthorizationFailedError(), ActionNeededError, "permission"),
        (MessageSizeTooLargeError("too large"), ActionNeededError, "refuses the request"),
        (KafkaTimeoutError("no answer"), UnavailableError, "bootstrap_servers"),
    ],
)
def test_failures_become_refusals_or_outages(
    error: Exception, meaning: type[Exception], text: str
) -> None:
    with (
        pytest.raises(meaning, match=text) as raised,
        kafka_failures(settings(bootstrap_servers="kafka:9092")),
    ):
        raise error
    assert "kafka:9092" in str(raised.value)


def refused_until_the_time_was_up() -> None:
    logging.getLogger("kafka.net.manager").warning("failed: %s", SaslAuthenticationFailedError())
    raise KafkaTimeoutError("no bootstrap")


def test_a_timeout_after_refused_credentials_is_a_refusal() -> None:
    handlers = list(logging.getLogger("kafka").handlers)
    with pytest.raises(ActionNeededError, match="credentials"), kafka_failures(settings()):
        refused_until_the_time_was_up()
    assert logging.getLogger("kafka").handlers == handlers


def test_a_connection_that_is_refused_leaves_no_socket() -> None:
    nowhere = settings(bootstrap_servers=f"127.0.0.1:{free_ports(1)[0]}")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", ResourceWarning)
        with pytest.raises(KafkaError):
            KafkaAdminClient(**{**kafka_python_options(nowhere), "bootstrap_timeout_ms": 300})
        gc.collect()
    assert not [one for one in said if "unclosed" in str(one.message)]
