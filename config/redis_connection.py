"""Whether the address of Redis can be used."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from config.errors import ConfigError
from config.redaction import shown
from config.settings import RedisSettings
from config.tls import refuse_unreadable

REDIS_PORT = 6379

REDIS_SCHEMES = ("redis", "rediss", "unix")

ENCODE = "percent-encode the user and password: / is %2F, ? is %3F, # is %23, @ is %40, : is %3A"

_EXAMPLE = "for example redis://127.0.0.1:6379/0"

_FILES_IN_URL = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")

_QUERY = frozenset(
    {
        *("db", "username", "password", "client_name", "protocol"),
        *("socket_timeout", "socket_connect_timeout", "health_check_interval", "max_connections"),
        *("ssl_cert_reqs", "ssl_check_hostname", "ssl_min_version", "ssl_password", *_FILES_IN_URL),
    }
)
"""What a Redis URL may say behind its question mark."""


class RedisPlace(NamedTuple):
    """Where Redis listens: host and port, or a unix socket."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        return self.path or f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def check_redis(redis: RedisSettings) -> None:
    """Scheme, address, database, options, files. Raises `ConfigError`."""
    redis_place(redis)
    text = redis.url.get_secret_value()
    url = urlsplit(text)
    if url.scheme != "unix" and not _is_database(url.path):
        raise ConfigError(f"{shown(text)}: the database is a number", key="redis.url", fix=_EXAMPLE)
    options = parse_qs(url.query)
    if unknown := sorted(set(options) - _QUERY):
        raise ConfigError(
            f"unknown option {shown(unknown[0])}",
            key="redis.url",
            fix=f"known options: {', '.join(sorted(_QUERY))}",
        )
    for name in _FILES_IN_URL:
        for path in options.get(name, ()):
            refuse_unreadable(Path(path), f"redis.url ({name})")
    if redis.password.get_secret_value() and (url.password or "password" in options):
        raise ConfigError(
            "the URL holds a password already", key="redis.password", fix="keep one of the two"
        )


def redis_place(redis: RedisSettings) -> RedisPlace:
    """Where Redis is, without user and password. Raises `ConfigError`."""
    text = redis.url.get_secret_value()
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme not in REDIS_SCHEMES:
        raise _wrong_scheme(scheme)
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        raise ConfigError(
            f"{shown(text)} is no address", key="redis.url", fix=f"{ENCODE}; {_EXAMPLE}"
        ) from None
    if "@" in url.path + url.fragment or ("@" in url.query and "@" not in url.netloc):
        raise ConfigError(
            f"{shown(text)}: the address ends within the password", key="redis.url", fix=ENCODE
        )
    if scheme == "unix":
        if not url.path:
            raise ConfigError(
                "no path of a socket",
                key="redis.url",
                fix="for example unix:///run/redis/redis.sock?db=0",
            )
        return RedisPlace("", 0, unquote(url.path))
    return RedisPlace(host or "localhost", REDIS_PORT if port is None else port)


def _wrong_scheme(scheme: str) -> ConfigError:
    problem = "must begin with redis://, rediss:// or unix://"
    if "sentinel" in scheme or "cluster" in scheme:
        problem = f"{scheme}:// is not supported: the monitor talks to one Redis; {problem[5:]}"
        return ConfigError(
            problem,
            key="redis.url",
            fix=f"name the master, {_EXAMPLE}, or an address that follows it",
        )
    return ConfigError(problem, key="redis.url", fix=_EXAMPLE)


def _is_database(path: str) -> bool:
    return path in {"", "/"} or (path[0] == "/" and path[1:].isdecimal())
