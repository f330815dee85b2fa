"""Sessions from and to, as event time."""

from datetime import datetime, time
from typing import NamedTuple

DAY = ["%Y-%m-%d"]
"""How a session is typed."""


class Span(NamedTuple):
    """Event time of a run, nanoseconds, both ends included."""

    first: int
    last: int

    @classmethod
    def of(cls, since: datetime | None, until: datetime | None) -> "Span":
        """From the start of one New York date to the end of another."""
        from streams.sessions import wall_ns  # pandas takes a while to import

        first = wall_ns(since.date(), time.min) if since else 0
        return cls(first, wall_ns(until.date(), time(23, 59, 59)) if until else 2**63 - 1)
