"""Who we are to Kafka: one setting, spoken in Faust's words and in aiokafka's. Secrets never enter a log or a URL."""

import ssl
from typing import TYPE_CHECKING, Any

from agents.kafka_client import refuse_open_sasl
from config.errors import ConfigError
from config.settings import Kafka

if TYPE_CHECKING:
    from faust.types.auth import CredentialsT


def tls_context(kafka: Kafka) -> ssl.SSLContext | None:
    """The TLS context of a protocol that has one; certificates and host names are verified. Raises `ConfigError`."""
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=None if kafka.ssl_cafile is None else str(kafka.ssl_cafile))
        if kafka.ssl_certfile is not None:
            context.load_cert_chain(str(kafka.ssl_certfile), None if kafka.ssl_keyfile is None else str(kafka.ssl_keyfile))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cannot load the certificates: {error}", key="kafka.ssl_cafile", fix="check the three ssl_ paths") from error
    return context


def faust_credentials(kafka: Kafka) -> "CredentialsT | None":
    """For the app's `broker_credentials`. Raises `ConfigError`."""
    import faust  # slow; who speaks aiokafka alone does without

    refuse_open_sasl(kafka)
    context = tls_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None


def client_options(kafka: Kafka) -> dict[str, Any]:
    """For an aiokafka client of our own. Raises `ConfigError`."""
    refuse_open_sasl(kafka)
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in kafka.bootstrap_servers.split(",")],
        "client_id": "dispersion",
        "security_protocol": kafka.security_protocol,
        "ssl_context": tls_context(kafka),
    }
    if kafka.security_protocol.startswith("SASL"):
        options |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": kafka.sasl_password.get_secret_value(),
        }
    return options
