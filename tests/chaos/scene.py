"""What a fault may touch: the servers, the workers, the topics, and chance."""

import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.stage import Role
from tests.chaos.staff import Staff
from tests.support.fleet import Fleet
from tests.support.stack import Stack

ROLES: Mapping[Role, int] = {"quotes": 4, "readings": 2}
"""Partitions by input: quotes are checkpointed on a cadence, readings after each batch and with an outbox."""


@dataclass
class Scene:
    """One session while it runs."""

    stack: Stack
    fleet: Fleet
    staff: Staff
    rng: random.Random
    """Of the fault at work: the same seed draws the same victims."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when the session is broken off; waits end early."""

    @property
    def session_timeout(self) -> float:
        """Seconds after which Kafka gives up a silent worker."""
        return self.fleet.settings.kafka.session_timeout

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.over.wait(seconds)
