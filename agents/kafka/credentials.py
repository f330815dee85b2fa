"""Who we are to Kafka: one setting, spoken in Faust's words and in aiokafka's.

Secrets never enter a log or a URL.
"""

from typing import TYPE_CHECKING, Any

from agents.kafka.async_bootstrap import begin_with_who_answers
from agents.kafka.unpacking import bound_aiokafka, unpacked_limit
from config.connections import refuse_open_sasl
from config.settings import KafkaSettings, RedisSettings
from config.tls import tls_context

if TYPE_CHECKING:
    from faust.types.auth import CredentialsT


def faust_credentials(kafka: KafkaSettings) -> "CredentialsT | None":
    """For the app's `broker_credentials`. Raises `ConfigError`."""
    # Slow; who speaks aiokafka alone does without.
    import faust

    bound_aiokafka(unpacked_limit(kafka))
    begin_with_who_answers()
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


def client_options(kafka: KafkaSettings) -> dict[str, Any]:
    """For an aiokafka client of our own. Raises `ConfigError`."""
    bound_aiokafka(unpacked_limit(kafka))
    begin_with_who_answers()
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


def redis_options(redis: RedisSettings) -> dict[str, Any]:
    """For `from_url` of any Redis client, beside the URL.

    The client does not tell its name: a server denies `CLIENT` to users who have only what is
    listed, and logs it.
    """
    password = redis.password.get_secret_value()
    return {"driver_info": None, **({"password": password} if password else {})}
