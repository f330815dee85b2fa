from pathlib import Path
from typing import Any

import faust
import pytest
from pydantic import SecretStr

from agents.kafka.credentials import client_options, faust_credentials
from agents.worker.app import app_options
from config.errors import ConfigError
from config.settings import KafkaSettings, Settings


def kafka(**changes: Any) -> KafkaSettings:
    return KafkaSettings(
        **{"sasl_username": "monitor", "sasl_password": SecretStr("hush"), **changes}
    )


def test_plaintext_needs_none() -> None:
    assert faust_credentials(kafka()) is None
    assert client_options(kafka(bootstrap_servers="a:1, b:2"))["bootstrap_servers"] == [
        "a:1",
        "b:2",
    ]


def test_a_password_never_crosses_an_open_line_unasked() -> None:
    with pytest.raises(ConfigError, match="allow_sasl_plaintext"):
        faust_credentials(kafka(security_protocol="SASL_PLAINTEXT"))
    with pytest.raises(ConfigError, match="allow_sasl_plaintext"):
        client_options(kafka(security_protocol="SASL_PLAINTEXT"))


def test_sasl_with_tls_for_both_libraries() -> None:
    settings = kafka(security_protocol="SASL_SSL", sasl_mechanism="SCRAM-SHA-256")
    credentials = faust_credentials(settings)
    assert isinstance(credentials, faust.SASLCredentials)
    assert (credentials.username, credentials.password, credentials.protocol.value) == (
        "monitor",
        "hush",
        "SASL_SSL",
    )
    options = client_options(settings)
    assert (options["sasl_mechanism"], options["sasl_plain_password"]) == ("SCRAM-SHA-256", "hush")
    assert options["ssl_context"].check_hostname


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot load the certificates"):
        faust_credentials(kafka(security_protocol="SSL", ssl_cafile=tmp_path / "none.pem"))


def test_broker_urls_carry_no_secret_and_nothing_of_faust_listens() -> None:
    options = app_options(
        Settings(kafka=kafka(security_protocol="SASL_SSL", bootstrap_servers="a:1,b:2"))
    )
    assert options["broker"] == "kafka://a:1;kafka://b:2"
    assert options["web_enabled"] is False
    assert options["table_standby_replicas"] == 0
    assert options["topic_disable_leader"] is True
    assert options["topic_allow_declare"] is False
