"""Whether what is set can be used to connect at all.

It looks at addresses, schemes, credentials and files. Nothing is sent.

`config check` and every start ask the same questions. Errors never quote a secret.
"""

from urllib.parse import urlsplit

from config.bridge_connection import check_bridge
from config.errors import ConfigError
from config.redaction import shown
from config.redis_connection import check_redis
from config.settings import KafkaSettings, Settings
from config.tls import refuse_unreadable, tls_context


def check_connections(settings: Settings) -> None:
    """Kafka, Redis and Alertmanager. Raises `ConfigError`."""
    check_kafka(settings.kafka)
    check_redis(settings.redis)
    check_bridge(settings.bridge)


def check_kafka(kafka: KafkaSettings) -> None:
    """Addresses, credentials, certificates. Raises `ConfigError`."""
    kafka_addresses(kafka)
    refuse_open_sasl(kafka)
    if kafka.security_protocol.startswith("SASL"):
        for name, value in (
            ("sasl_username", kafka.sasl_username),
            ("sasl_password", kafka.sasl_password.get_secret_value()),
        ):
            if not value:
                raise ConfigError(
                    f"{kafka.security_protocol} needs one",
                    key=f"kafka.{name}",
                    fix=f"set DISPERSION_KAFKA__{name.upper()}",
                )
    kafka_version(kafka)
    for name in ("ssl_cafile", "ssl_certfile", "ssl_keyfile"):
        refuse_unreadable(getattr(kafka, name), f"kafka.{name}")
    tls_context(kafka)


def kafka_addresses(kafka: KafkaSettings) -> list[tuple[str, int]]:
    """Host and port of every bootstrap server. Raises `ConfigError`."""
    if "@" in kafka.bootstrap_servers:
        raise ConfigError(
            f"{shown(kafka.bootstrap_servers)!r} holds credentials",
            key="kafka.bootstrap_servers",
            fix=(
                "write host:port; user and password are kafka.sasl_username and kafka.sasl_password"
            ),
        )
    return [_address(server.strip()) for server in kafka.bootstrap_servers.split(",")]


def _address(server: str) -> tuple[str, int]:
    try:
        url = urlsplit(f"//{server.rpartition('://')[2]}")
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
    if not host or not port or url.path or url.query or url.fragment:
        raise ConfigError(
            f"{shown(server)!r} is no address",
            key="kafka.bootstrap_servers",
            fix="write host:port, several with commas between",
        )
    return host, port


def refuse_open_sasl(kafka: KafkaSettings) -> None:
    """Raise `ConfigError` where a password would cross the network unencrypted.

    It is not raised where somebody has allowed that.
    """
    if kafka.security_protocol == "SASL_PLAINTEXT" and not kafka.allow_sasl_plaintext:
        raise ConfigError(
            "SASL without TLS sends the password over an open line",
            key="kafka.security_protocol",
            fix="use SASL_SSL, or set kafka.allow_sasl_plaintext = true on a trusted network",
        )


def kafka_version(kafka: KafkaSettings) -> tuple[int, ...] | None:
    """`kafka.api_version` as kafka-python wants it; None negotiates. Raises `ConfigError`."""
    try:
        return (
            tuple(int(part) for part in kafka.api_version.split(".")) if kafka.api_version else None
        )
    except ValueError:
        problem = f"{shown(kafka.api_version)!r} is not a version"
        raise ConfigError(
            problem, key="kafka.api_version", fix="write it as 3.9, or leave it empty"
        ) from None


def kafka_place(kafka: KafkaSettings) -> str:
    """Where Kafka is, as a message names it; without what may hold a secret."""
    return f"Kafka at {shown(kafka.bootstrap_servers)}"
