"""What a fault may touch: the servers, the workers, the topics, and chance."""

import random
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field

from kafka.errors import KafkaError
from redis.exceptions import RedisError

from streams.stage import Role
from tests.chaos.archive import Archive
from tests.chaos.load import Load
from tests.chaos.redis_copies import Copies
from tests.chaos.supervisor import Supervisor
from tests.support.fleet import Fleet
from tests.support.stack import Stack

ROLES: Mapping[Role, int] = {"quotes": 4, "readings": 2, "commands": 2}
"""Partitions by input.

Quotes are checkpointed on a schedule, readings and commands after each batch and with an outbox.
"""
RATES: Mapping[Role, int] = {"quotes": 300, "readings": 300, "commands": 4}
"""Records a second by input."""


@dataclass
class ChaosSession:
    """One session while it runs."""

    stack: Stack
    fleet: Fleet
    supervisor: Supervisor
    load: Load
    archive: Archive
    copies: Copies
    rng: random.Random
    """Of the fault at work: the same seed draws the same victims."""
    refusal_seconds: float = 120.0
    """Seconds that workers have to refuse a log that was replaced."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the session is broken off; waits end early."""

    @property
    def session_timeout(self) -> float:
        """Seconds after which Kafka gives up a silent worker."""
        return self.fleet.settings.kafka.session_timeout

    def outboxes(self) -> int:
        """Events that still wait to be published; -1 while nobody can say."""
        with suppress(KafkaError, RedisError), closing(self.fleet.redis) as client:
            keys = client.keys(
                f"dispersion:v1:{{quick:{self.fleet.topics.name('readings')}:*}}:out"
            )
            return sum(client.xlen(key) for key in keys)
        return -1

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.over.wait(seconds)
