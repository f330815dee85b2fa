"""The sources of one index: how far each has come, and which second all of them have reached."""

from dataclasses import dataclass, field
from enum import Enum


class Admission(Enum):
    """What a frame is to its source."""

    NEW = "new"
    DUPLICATE = "duplicate"
    """Its boundary was seen before: the first one wins."""
    IDLE_MARK = "idle_mark"
    """It says nothing new except that its source has gone silent."""


@dataclass(slots=True)
class SourcesSeen:
    """Boundaries by source. A source that marked itself idle is not waited for until it speaks again.

    The number of sources is the largest one that an applied frame has declared. It can grow, as partitions do: from the second at which
    a frame declares more sources than are known, everything waits for the new ones. A smaller number is ignored: a source
    that once spoke is waited for, because only its owner may call it idle.
    """

    boundary: dict[str, int] = field(default_factory=dict)
    """Source → nanoseconds of the last second it closed."""
    idle: set[str] = field(default_factory=set)
    expected: int = 1

    def admit(self, source: str, boundary: int, *, idle: bool) -> Admission:
        """Note a frame's boundary; boundaries of one source only rise.

        An idle frame may repeat the last boundary, for its source may have had nothing left to close.
        """
        seen = self.boundary.get(source)
        if seen is not None and boundary <= seen:
            if not idle or boundary < seen or source in self.idle:
                return Admission.DUPLICATE
            self.idle.add(source)
            return Admission.IDLE_MARK
        self.boundary[source] = boundary
        if idle:
            self.idle.add(source)
        else:
            self.idle.discard(source)
        return Admission.NEW

    def reached(self) -> int:
        """The last second that every source has closed, nanoseconds; 0 while one has never been heard.

        When all are idle there is nobody to wait for: it is the last second that any of them closed.
        """
        if len(self.boundary) < self.expected:
            return 0
        active = [boundary for source, boundary in self.boundary.items() if source not in self.idle]
        return min(active) if active else max(self.boundary.values())
