"""The job of every peer: decode each quote of a topic, and say a line each time a backlog is done.

A peer is started as `python -m tests.benchmarks.peers.<peer> BOOTSTRAP TOPIC PARTITIONS KIND
QUOTES...` and waits to be ended. It knows this file and the libraries of its environment, nothing
of the monitor; what only `make peers` installs is imported when it runs.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import msgspec


class Quote(msgspec.Struct, gc=False):
    """One JSON record."""

    underlying: str
    expiry: str
    strike: float
    right: str
    bid: float | None
    ask: float | None
    ts_event: int
    bid_size: int = 0
    ask_size: int = 0


quote = msgspec.json.Decoder(Quote).decode


@dataclass
class Job:
    """What a peer was told, and how far it is."""

    bootstrap: str
    topic: str
    """New for each run, and so a new name for a consumer group."""
    partitions: int
    kind: str
    backlogs: Iterator[int]
    left: int
    """Quotes of the present backlog."""

    @classmethod
    def told(cls) -> Self:
        """From the command line."""
        bootstrap, topic, partitions, kind, first, *further = sys.argv[1:]
        return cls(bootstrap, topic, int(partitions), kind, map(int, further), int(first))

    def done(self, quotes: int) -> None:
        """So many further quotes are decoded."""
        self.left -= quotes
        if self.left == 0:
            print("done", flush=True)
            self.left = next(self.backlogs, sys.maxsize)
