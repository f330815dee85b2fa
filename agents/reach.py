"""Whether Kafka and Redis take connections at all: asked first, so that a command that cannot work says so at once."""

import socket

from agents.exits import Down
from config.connections import check_kafka, check_redis, kafka_addresses, redis_place
from config.redaction import shown
from config.settings import Kafka
from config.settings import Redis as RedisSettings

CONNECT_SECONDS = 2.0


def reach_kafka(kafka: Kafka) -> None:
    """Raise `Down` when no bootstrap server takes a connection, `ConfigError` when the settings cannot be used to connect."""
    check_kafka(kafka)
    refusals = [_refusal(host, port) for host, port in kafka_addresses(kafka)]
    if all(refusals):
        raise Down(
            f"Kafka at {shown(kafka.bootstrap_servers)} cannot be reached ({refusals[0]}): "
            "start it, or correct kafka.bootstrap_servers (DISPERSION_KAFKA__BOOTSTRAP_SERVERS)"
        )


def reach_redis(redis: RedisSettings) -> None:
    """Raise `Down` when Redis takes no connection, `ConfigError` when the settings cannot be used to connect."""
    check_redis(redis)
    place = redis_place(redis)
    if not place.path and (refusal := _refusal(place.host, place.port)):
        raise Down(f"Redis at {place} cannot be reached ({refusal}): start it, or correct redis.url (DISPERSION_REDIS__URL)")


def _refusal(host: str, port: int) -> str:
    """Why there is no connection; empty when there is one."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except TimeoutError:
        return f"no answer in {CONNECT_SECONDS:.0f} s"
    except OSError as error:
        return str(error.strerror or error).lower()
    return ""


def reach(kafka: Kafka, redis: RedisSettings) -> None:
    """Both. Raises `Down`, `ConfigError`."""
    reach_kafka(kafka)
    reach_redis(redis)
