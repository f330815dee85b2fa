"""Whether Kafka and Redis answer at all.

It is asked first, so that a command that cannot work says so at once. A server that hangs still
takes connections, for its system does. So it is asked the least that each protocol knows, and
anything that comes back will do.
"""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TypeVar

from agents.process.exits import UnavailableError
from config.connections import check_kafka, kafka_addresses, kafka_place
from config.errors import ConfigError
from config.redis_connection import check_redis, redis_place
from config.settings import KafkaSettings, RedisSettings

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 3.5
CHOICE_SECONDS = 2.0
"""How long several servers are asked which of them answers."""
GRACE_SECONDS = 0.2
"""How long the others have once one of them has answered."""
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 0, -1)
"""Kafka's request which versions it speaks: of version 0, with no name of a client.

It is allowed before anybody signs in.
"""
PING = b"PING\r\n"

Server = TypeVar("Server")


def require_kafka(kafka: KafkaSettings) -> None:
    """Ask whether a bootstrap server takes a connection.

    Raises:
        UnavailableError: none of them does.
        ConfigError: the settings cannot be used to connect.
    """
    check_kafka(kafka)
    encrypted = kafka.security_protocol.endswith("SSL")
    refusals = _first_well(
        [
            partial(_refusal, _tcp(at), at[0], encrypted, API_VERSIONS)
            for at in kafka_addresses(kafka)
        ]
    )
    if all(refusals):
        raise UnavailableError(
            f"{kafka_place(kafka)} cannot be reached ({refusals[0]}): "
            "start it, or correct kafka.bootstrap_servers (DISPERSION_KAFKA__BOOTSTRAP_SERVERS)"
        )


def require_redis(redis: RedisSettings) -> None:
    """Ask whether Redis takes a connection.

    Raises:
        UnavailableError: it does not.
        ConfigError: the settings cannot be used to connect.
    """
    check_redis(redis)
    place = redis_place(redis)
    encrypted = redis.url.get_secret_value().lower().startswith("rediss:")
    connect = (lambda: _unix(place.path)) if place.path else _tcp((place.host, place.port))
    if refusal := _refusal(connect, place.host, encrypted, PING):
        raise UnavailableError(
            f"Redis at {place} cannot be reached ({refusal}): start it, "
            "or correct redis.url (DISPERSION_REDIS__URL)"
        )


def require_servers(kafka: KafkaSettings, redis: RedisSettings) -> None:
    """Kafka and Redis. Raises `UnavailableError`, `ConfigError`."""
    for error in server_errors(kafka, redis):
        if error is not None:
            raise error


def server_errors(
    kafka: KafkaSettings, redis: RedisSettings
) -> tuple[Exception | None, Exception | None]:
    """What asking both at once has raised: of Kafka and of Redis, None where it answers."""
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(_raised, ask)
            for ask in (lambda: require_kafka(kafka), lambda: require_redis(redis))
        ]
        return asked[0].result(), asked[1].result()


def _raised(ask: Callable[[], None]) -> Exception | None:
    try:
        ask()
    except (UnavailableError, ConfigError) as error:
        return error
    return None


def _first_well(questions: Sequence[Callable[[], str]]) -> list[str]:
    """Refusals of all servers, asked at once, or an empty one as soon as one of them answers.

    Nobody waits for the others then.
    """
    answers: SimpleQueue[str] = SimpleQueue()
    for question in questions:
        threading.Thread(target=lambda ask=question: answers.put(ask()), daemon=True).start()
    refusals: list[str] = []
    while len(refusals) < len(questions) and "" not in refusals:
        refusals.append(answers.get())
    return refusals


def answering(
    addresses: Sequence[tuple[str, int]], *, encrypted: bool
) -> frozenset[tuple[str, int]]:
    """Those of several Kafka servers that say something at once; all are asked together.

    Empty when none does in time.
    """
    answers: SimpleQueue[tuple[str, int] | None] = SimpleQueue()
    for address in addresses:
        threading.Thread(
            target=lambda at=address: answers.put(at if _says_something(at, encrypted) else None),
            name="choice",
            daemon=True,
        ).start()
    deadline, well = monotonic() + CHOICE_SECONDS, set[tuple[str, int]]()
    with suppress(Empty):
        for _ in addresses:
            if answer := answers.get(timeout=max(0.0, deadline - monotonic())):
                well.add(answer)
                deadline = min(deadline, monotonic() + GRACE_SECONDS)
    return frozenset(well)


def first_choice(
    servers: Sequence[Server], addresses: Sequence[tuple[str, int]], *, encrypted: bool
) -> list[Server]:
    """Of several servers those that answer, by their addresses.

    Empty when none does; a single one is not asked, for there is no choice.
    """
    if len(servers) < 2:
        return []
    well = answering(addresses, encrypted=encrypted)
    return [one for one, at in zip(servers, addresses, strict=True) if at in well]


def _says_something(address: tuple[str, int], encrypted: bool) -> bool:
    """Who hangs up has not: a proxy does so whose server is away."""
    with suppress(OSError), socket.create_connection(address, timeout=CHOICE_SECONDS) as one:
        return _ask(one, address[0], encrypted, API_VERSIONS)
    return False


def _tcp(address: tuple[str, int]) -> Callable[[], socket.socket]:
    return lambda: socket.create_connection(address, timeout=CONNECT_SECONDS)


def _unix(path: str) -> socket.socket:
    one = socket.socket(socket.AF_UNIX)
    try:
        one.settimeout(CONNECT_SECONDS)
        one.connect(path)
    except OSError:
        one.close()
        raise
    return one


def _refusal(
    connect: Callable[[], socket.socket], host: str, encrypted: bool, question: bytes
) -> str:
    """Why there is no answer; empty when there is one, whatever it says."""
    try:
        one = connect()
    except TimeoutError:
        return f"no answer in {CONNECT_SECONDS:.0f} s"
    except OSError as error:
        return str(error.strerror or error).lower()
    with one:
        one.settimeout(ANSWER_SECONDS)
        try:
            _ask(one, host, encrypted, question)
        except TimeoutError:
            return "it takes connections but does not answer: it hangs"
        except OSError:
            # It hangs up, or speaks otherwise: the client that comes next has the words for it.
            return ""
    return ""


def _ask(one: socket.socket, host: str, encrypted: bool, question: bytes) -> bool:
    """Whether anything comes back before the other side hangs up. Raises `OSError`."""
    if not encrypted:
        one.sendall(question)
        return bool(one.recv(1))
    # Nothing is told, so nobody need be known.
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.wrap_socket(one, server_hostname=host).close()
    return True
