"""What the transport tells the app about partitions, and what it asks."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from agents.transport.log_identity import LogState, Mark


class Partition(NamedTuple):
    """A topic partition; equal to and hashed like Faust's and aiokafka's own tuples."""

    topic: str
    partition: int


class Assignment(NamedTuple):
    """What the start callback gets to know about the partitions just assigned."""

    generation: int
    committed: Mapping[Partition, int | None]
    """Next offset by the group's commits; None without one."""
    first: Mapping[Partition, int]
    """First offset still in the log."""
    end: Mapping[Partition, int]
    """One past the last offset of the log."""


async def _nobody_minds(_reasons: Mapping[Partition, str]) -> None:
    pass


class AssignmentCallbacks(NamedTuple):
    """What the consumer calls when partitions come, go, or fail."""

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
    marks: Callable[[], Mapping[Partition, Mark]] = dict
    """Which log the partitions just taken are of, as far as it is known; asked after `start`."""
    mismatch: Callable[[Partition, int, Mark | None, LogState], str] = lambda *_: ""
    """Why a partition must not go on behind an offset, from how its log looks.

    Empty when it may.
    """
    refuse_partitions: Callable[[Mapping[Partition, str]], Awaitable[None]] = _nobody_minds
    """Refuses partitions whose log is another one, and ends the process."""
