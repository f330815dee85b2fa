"""When to checkpoint: after every batch, or every few seconds.

Every few seconds is no faster than the append-only file can take.
"""

from collections.abc import Callable
from time import monotonic

from agents.plan import CheckpointPolicy


class CheckpointSchedule:
    """Tells when the next checkpoint is due."""

    def __init__(self, policy: CheckpointPolicy, clock: Callable[[], float] = monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._due = clock() + policy.seconds
        self._unacked = 0

    def record_input(self, size: int) -> None:
        """Input of this many bytes was applied and not yet covered."""
        self._unacked += size

    def is_due(self) -> bool:
        """Whether a checkpoint should be made now."""
        return self._clock() >= self._due or self._unacked >= self._policy.unacked_bytes

    def record_checkpoint(self, size: int) -> None:
        """A checkpoint of this many bytes was made."""
        self._unacked = 0
        self._due = self._clock() + (
            max(self._policy.seconds, size / self._policy.bytes_per_second)
            if self._policy.seconds
            else 0.0
        )
