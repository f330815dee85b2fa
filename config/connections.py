"""Whether what is set can be used to connect at all.

It looks at addresses, schemes, credentials and files. Nothing is sent.

`config check` and every start ask the same questions. Errors never quote a secret.
"""

import os
import ssl
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from config.errors import ConfigError
from config.redaction import shown
from config.settings import BridgeSettings, KafkaSettings, RedisSettings, Settings

REDIS_PORT = 6379
REDIS_SCHEMES = ("redis", "rediss", "unix")
ENCODE = "percent-encode the user and password: / is %2F, ? is %3F, # is %23, @ is %40, : is %3A"
_EXAMPLE = "for example redis://127.0.0.1:6379/0"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
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


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """The TLS context of a protocol that has one; certificates and host names are verified.

    Raises `ConfigError`.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(
            cafile=None if kafka.ssl_cafile is None else str(kafka.ssl_cafile)
        )
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"cannot load the certificates: {_reason(error)}",
            file=kafka.ssl_cafile,
            key="kafka.ssl_cafile",
            fix="name a PEM file",
        ) from None
    if kafka.ssl_certfile is not None:
        _load_client(context, kafka, kafka.ssl_certfile)
    elif kafka.ssl_keyfile is not None:
        raise ConfigError(
            "a key without its certificate",
            key="kafka.ssl_keyfile",
            fix="set kafka.ssl_certfile too",
        )
    return context


def _load_client(context: ssl.SSLContext, kafka: KafkaSettings, certificate: Path) -> None:
    """The client's certificate and key.

    A passphrase comes from the settings: OpenSSL would ask for it on the terminal.
    """
    asked = False

    def passphrase() -> str:
        nonlocal asked
        asked = True
        return kafka.ssl_key_password.get_secret_value()

    key = certificate if kafka.ssl_keyfile is None else kafka.ssl_keyfile
    try:
        context.load_cert_chain(str(certificate), str(key), passphrase)
    except (OSError, ssl.SSLError, ValueError) as error:
        if asked:
            wrong = "is wrong" if passphrase() else "is needed: the key is encrypted"
            fix = "set it, or name its file as kafka.ssl_key_password_file"
            raise ConfigError(
                f"the passphrase {wrong}", file=key, key="kafka.ssl_key_password", fix=fix
            ) from None
        problem = f"cannot load the certificate and its key: {_reason(error)}"
        raise ConfigError(
            problem,
            file=certificate,
            key="kafka.ssl_certfile",
            fix="name a PEM file, and its key as kafka.ssl_keyfile",
        ) from None


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def refuse_unreadable(path: Path | None, key: str) -> None:
    """Raise `ConfigError` for a file that is named and cannot be read."""
    if path is None:
        return
    if not path.is_file():
        raise ConfigError("no such file", file=path, key=key, fix="check the path")
    if not os.access(path, os.R_OK):
        raise ConfigError(
            "cannot be read (permission denied)", file=path, key=key, fix="let our user read it"
        )


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


def kafka_place(kafka: KafkaSettings) -> str:
    """Where Kafka is, as a message names it; without what may hold a secret."""
    return f"Kafka at {shown(kafka.bootstrap_servers)}"


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


def check_bridge(bridge: BridgeSettings) -> None:
    """Credentials and certificate for Alertmanager. Raises `ConfigError`."""
    url = urlsplit(bridge.alertmanager_url)
    _refuse_bad_port(bridge.alertmanager_url)
    password, token = bridge.password.get_secret_value(), bridge.token.get_secret_value()
    if password and not bridge.username:
        raise ConfigError(
            "a password without its user", key="bridge.username", fix="set it, or use bridge.token"
        )
    if (bridge.username or token) and url.scheme == "http" and url.hostname not in _LOOPBACK:
        raise ConfigError(
            "credentials would cross the network in the open",
            key="bridge.alertmanager_url",
            fix="use https",
        )
    refuse_unreadable(bridge.cafile, "bridge.cafile")
    bridge_tls(bridge)


def _refuse_bad_port(address: str) -> None:
    try:
        usable = urlsplit(address).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            f"{shown(address)!r} is no address",
            key="bridge.alertmanager_url",
            fix="write http://host:9093",
        )


def bridge_tls(bridge: BridgeSettings) -> ssl.SSLContext | None:
    """The TLS context for an https Alertmanager. Raises `ConfigError`."""
    if not bridge.alertmanager_url.startswith("https:"):
        return None
    try:
        return ssl.create_default_context(
            cafile=None if bridge.cafile is None else str(bridge.cafile)
        )
    except (OSError, ssl.SSLError) as error:
        problem = f"cannot load the certificate: {_reason(error)}"
        raise ConfigError(
            problem, file=bridge.cafile, key="bridge.cafile", fix="name a PEM file"
        ) from None
