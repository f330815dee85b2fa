"""What a stage works on, and how it commits."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from streams.stage import Stage

Counts = Mapping[str, int]
"""Partition count by topic, as the cluster has it.

What a stage holds of it goes on to tell the present count.
"""


class CheckpointPolicy(NamedTuple):
    """How often a stage checkpoints."""

    seconds: float = 0.0
    """Least time between checkpoints; 0 checkpoints every batch."""
    bytes_per_second: float = 4e6
    """Bandwidth of checkpoints: a large one delays the next."""
    unacked_bytes: int = 256 * 2**20
    """Input that may wait for the checkpoint that covers it, and that a crash reads again.

    More input forces a checkpoint.
    """


class Plan(NamedTuple):
    """One stage of the flow."""

    name: str
    """In keys of Redis and in messages."""
    inputs: tuple[str, ...]
    """Topics; partition p of all of them meets in one stage."""
    make: Callable[[int, Counts], Stage]
    """The stage for a partition."""
    policy: CheckpointPolicy = CheckpointPolicy()
    indices: tuple[str, ...] = ()
    """Indices with daily facts."""
    owns_source: bool = False
    """Its input partition is a source that may go silent."""
    has_outbox: bool = False
    external: tuple[str, ...] = ()
    """Inputs that others write, and where retention may outrun us."""
    measured_as: str = ""
    """Label of its duration."""
