"""Whether Kafka and Redis take connections at all: asked first, so that a command that cannot work says so at once."""

import socket
from urllib.parse import urlsplit

from agents.exits import Down
from config.errors import ConfigError
from config.settings import Kafka
from config.settings import Redis as RedisSettings

CONNECT_SECONDS = 2.0
REDIS_PORT = 6379


def reach_kafka(kafka: Kafka) -> None:
    """Raise `Down` when no bootstrap server takes a connection, `ConfigError` when one is not an address."""
    servers = [server.strip() for server in kafka.bootstrap_servers.split(",")]
    refusals = [_refusal(*_address(server)) for server in servers]
    if all(refusals):
        raise Down(
            f"Kafka at {', '.join(servers)} cannot be reached ({refusals[0]}): "
            "start it, or correct kafka.bootstrap_servers (DISPERSION_KAFKA__BOOTSTRAP_SERVERS)"
        )


def reach_redis(redis: RedisSettings) -> None:
    """Raise `Down` when Redis takes no connection, `ConfigError` when its URL is none."""
    url = urlsplit(redis.url.get_secret_value())
    if url.scheme not in {"redis", "rediss", "unix"}:
        raise ConfigError("must begin with redis:// or rediss://", key="redis.url", fix="for example redis://127.0.0.1:6379/0")
    if url.scheme != "unix" and (refusal := _refusal(url.hostname or "localhost", url.port or REDIS_PORT)):
        raise Down(f"Redis at {redis_place(redis)} cannot be reached ({refusal}): start it, or correct redis.url (DISPERSION_REDIS__URL)")


def redis_place(redis: RedisSettings) -> str:
    """Where Redis is, without its password."""
    url = urlsplit(redis.url.get_secret_value())
    return url.path if url.scheme == "unix" else f"{url.hostname or 'localhost'}:{url.port or REDIS_PORT}"


def _address(server: str) -> tuple[str, int]:
    try:
        url = urlsplit(f"//{server.rpartition('://')[2]}")
        host, port = url.hostname, url.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise ConfigError(f"{server!r} is no address", key="kafka.bootstrap_servers", fix="write host:port, several with commas between")
    return host, port


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
