"""What the transport tells the app about partitions, and what it asks."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple


class Partition(NamedTuple):
    """A topic partition; equal to and hashed like Faust's and aiokafka's own tuples."""

    topic: str
    partition: int


class Assignment(NamedTuple):
    """What a start hook gets to know about the partitions just assigned."""

    generation: int
    committed: Mapping[Partition, int | None]
    """Next offset by the group's commits; None without one."""
    first: Mapping[Partition, int]
    """First offset still in the log."""
    end: Mapping[Partition, int]
    """One past the last offset of the log."""


class Hooks(NamedTuple):
    """What the app does at the seams of the consumer."""

    start: Callable[[Assignment], Awaitable[Mapping[Partition, int]]]
    """Takes ownership and answers the offset each partition starts at."""
    release: Callable[[], Awaitable[object]]
    """Called when partitions are about to be taken away: acknowledge or discard everything."""
    coordinator_error: Callable[[Exception], None]
    """Counts an error of the group coordinator."""
    give_up: Callable[[str], None]
    """Ends the process: what joins the group has ended by itself."""
    down: Callable[[str], None]
    """Ends the process: Kafka has not answered for too long."""
    refuse: Callable[[str], None]
    """Ends the process: Kafka denies us something, and a person must grant it."""
