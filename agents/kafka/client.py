"""How kafka-python's clients reach Kafka, and what their failures mean to us.

kafka-python serves where a plain synchronous client is the right tool: topic administration, replay
publishing and the subscriber commands. The worker has a transport of its own.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any, TypeVar

from kafka.errors import (
    AuthorizationError,
    ClusterAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    RetriableError,
    SaslAuthenticationFailedError,
)

from agents.kafka.net_client import KafkaClient
from agents.kafka.unpacking import bound_kafka_python, unpacked_limit
from agents.process.exits import ActionNeededError, UnavailableError
from config.connections import kafka_place, kafka_version, refuse_open_sasl
from config.settings import KafkaSettings, Settings
from config.tls import tls_context

BOOTSTRAP_MS = 4_000
"""How long a command waits for a first answer from Kafka.

It is less than `CALL_SECONDS`, behind which no reason is known.
"""
RETRY_SECONDS = 1.0
"""Between questions of a service that waits for Kafka."""

T = TypeVar("T")

log = logging.getLogger(__name__)


def kafka_python_options(settings: Settings) -> dict[str, Any]:
    """Arguments that `KafkaProducer`, `KafkaConsumer` and `KafkaAdminClient` share.

    Raises:
        ConfigError: the settings cannot be used to connect (`config.connections`).
    """
    kafka = settings.kafka
    bound_kafka_python(unpacked_limit(kafka))
    refuse_open_sasl(kafka)
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in kafka.bootstrap_servers.split(",")],
        "bootstrap_timeout_ms": BOOTSTRAP_MS,
        "client_id": "dispersion",
        "kafka_client": KafkaClient,
        "security_protocol": kafka.security_protocol,
    }
    if version := kafka_version(kafka):
        options["api_version"] = version
    if kafka.security_protocol.startswith("SASL"):
        options["sasl_mechanism"] = kafka.sasl_mechanism
        options["sasl_plain_username"] = kafka.sasl_username
        options["sasl_plain_password"] = kafka.sasl_password.get_secret_value()
    if context := tls_context(kafka):
        options["ssl_context"] = context
    return options


class _RefusalInTheLog(logging.Handler):
    """Finds refused credentials among what kafka-python logs.

    kafka-python tries them again and in the end reports only a timeout.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        for value in record.args if isinstance(record.args, tuple) else ():
            if isinstance(value, SaslAuthenticationFailedError | AuthorizationError):
                self.error = value


@contextmanager
def kafka_failures(settings: Settings, grant: str = "the permission") -> Iterator[None]:
    """Turn kafka-python's errors into ours.

    `ActionNeededError`: Kafka says no. `UnavailableError`: Kafka says nothing.

    Args:
        settings: how Kafka is reached.
        grant: Kafka's name of the operation that is missing where Kafka denies what is done.
    """
    found = _RefusalInTheLog()
    logger = logging.getLogger("kafka")
    logger.addHandler(found)
    try:
        yield
    except KafkaTimeoutError as error:
        raise _meaning(settings.kafka, found.error or error, grant) from error
    except KafkaError as error:
        raise _meaning(settings.kafka, error, grant) from error
    finally:
        logger.removeHandler(found)


def no_topic(kafka: KafkaSettings, topic: str) -> ActionNeededError:
    """What to say of a topic that Kafka does not tell of.

    It hides what a user may not describe.
    """
    words = f"there is no topic {topic}"
    fix = "run `dispersion topics create`, or check kafka.topic_prefix"
    if kafka.sasl_username:
        words = f"{words}, or none that we may see"
        fix = f"{fix}, or grant user {kafka.sasl_username!r} Describe on it"
    return ActionNeededError(f"{words}: {fix}")


def until_reached(question: Callable[[], T], seconds: float) -> T:
    """Ask again while Kafka is down, for so many seconds at most; for services at their start.

    Raises what `question` raises.
    """
    deadline = monotonic() + seconds
    while True:
        try:
            return question()
        except UnavailableError as down:
            if monotonic() + RETRY_SECONDS >= deadline:
                raise
            log.warning("%s; asking again", down)
            sleep(RETRY_SECONDS)


def _meaning(
    kafka: KafkaSettings, error: BaseException, grant: str
) -> ActionNeededError | UnavailableError:
    place = kafka_place(kafka)
    if isinstance(error, SaslAuthenticationFailedError):
        return ActionNeededError(
            f"{place} refuses the credentials: "
            "check kafka.sasl_mechanism, sasl_username and sasl_password"
        )
    if isinstance(error, AuthorizationError):
        # kafka-python shows the whole request behind it.
        words = str(error).partition(": Request '")[0]
        return ActionNeededError(
            f"{place} denies the operation ({words}): grant user {kafka.sasl_username!r} {grant}"
        )
    if ClusterAuthorizationFailedError.__name__ in str(error):
        return ActionNeededError(
            f"{place} lets user {kafka.sasl_username!r} write to no topic: "
            "grant Write on those of the command (the runbook lists them)"
        )
    if isinstance(error, RetriableError):
        advice = ["that it runs", "kafka.bootstrap_servers", "kafka.security_protocol"]
        if kafka.security_protocol.endswith("SSL"):
            advice.append("that kafka.ssl_cafile vouches for it")
        # The client can miss the broker's no when it hangs up after it.
        if kafka.security_protocol.startswith("SASL"):
            advice.append("kafka.sasl_username and sasl_password")
        return UnavailableError(f"{place} cannot be reached ({error}): check {', '.join(advice)}")
    return ActionNeededError(f"{place} refuses the request: {error}")
