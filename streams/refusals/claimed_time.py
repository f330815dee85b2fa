"""Times that a record of an inner topic claims: none may lie ahead of when Kafka took the record.

Whatever follows event time goes by the greatest time it has seen: one record from the far future,
believed, and everything after it is old. In a replay event time is long past, which is fine.
"""

from streams.records import NS, Record
from streams.refusals.dead_letters import RejectedRecordError

MS = 1_000_000
"""Nanoseconds in a millisecond."""


def refuse_ahead(record: Record, event_ns: int, tolerance: float) -> None:
    """Refuse an event time (ns) too far ahead of the record's Kafka timestamp.

    Raises `RejectedRecordError` (future) where it is more than `tolerance` seconds ahead.
    A timestamp that is not positive says nothing: a record made in this process has none.
    A worker sees to it that Kafka's do.
    """
    if record.timestamp <= 0:
        return
    ahead = event_ns - record.timestamp * MS
    if ahead > tolerance * NS:
        far = f"{ahead / NS:.0f} s ahead of the record's timestamp"
        raise RejectedRecordError("future", f"its event time is {far}; {tolerance:g} s are allowed")
