"""What the worker's own thread knows about itself.

It is for the threads that answer probes and watch for stalls.
"""

from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from agents.transport.assignment import Partition

Phase = Literal["starting", "rebalancing", "running", "draining"]


@dataclass(slots=True)
class PartitionStatus:
    """Progress on one partition."""

    following: int
    """Next offset to apply."""
    end: int
    """One past the last offset of the log, as far as known."""
    progressed: float
    """Monotonic time of the last progress, or of the takeover."""

    @property
    def waiting(self) -> int:
        """Records in the log that are not applied."""
        return max(0, self.end - self.following)

    def look(self, following: int, end: int | None) -> None:
        """Note what a look finds.

        What arrives after a silence has waited since now, not since the record before it.
        """
        before, self.following = self.waiting, following
        end = max(self.end, end or 0)
        if end > following and not before:
            # First: the watchdog may read between the two.
            self.progressed = monotonic()
        self.end = end


@dataclass(slots=True)
class WorkerStatus:
    """Written by the event loop, read by other threads.

    Every field is replaced, never half-written.
    """

    phase: Phase = "starting"
    since: float = field(default_factory=monotonic)
    """Since when the phase lasts."""
    beat: float = field(default_factory=monotonic)
    """When the event loop last ran its timer."""
    redis_ok: bool = False
    held: bool = False
    """Redis or Kafka is away: no progress is nobody's fault."""
    partitions: dict[Partition, PartitionStatus] = field(default_factory=dict)

    def enter(self, phase: Phase) -> None:
        """Change phase."""
        if phase != self.phase:
            self.phase, self.since = phase, monotonic()

    def stalled(self, seconds: float) -> list[str]:
        """Partitions with waiting input and no progress for so long."""
        now = monotonic()
        return [
            f"{tp.topic}/{tp.partition}: {status.waiting} records wait, "
            f"no progress for {now - status.progressed:.0f} s"
            for tp, status in list(self.partitions.items())
            if status.waiting and now - status.progressed > seconds
        ]
