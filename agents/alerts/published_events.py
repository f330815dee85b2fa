"""What of an alert partition is known to have been published.

It is the first word under each name, and the last word on each alert.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from streams.detection.alerts.alert_event import AlertEvent

KEPT_IDS: Final = 200_000
"""Names of events; each event has one or two."""


class PublishedEvent(NamedTuple):
    """One event of ours on the log."""

    seq: int
    """Number of its outbox entry."""
    event: AlertEvent
    value: bytes
    published: float
    """Unix seconds."""

    @property
    def key(self) -> bytes:
        """Of its records."""
        return self.event.partitionkey.encode()


def names_of(event: AlertEvent) -> tuple[str, ...]:
    """Under these an event is known: its id, and the id of the command that it answers.

    A command is answered once.
    """
    command = event.data.command
    return (event.id, f"{event.data.fingerprint}/{command.command_id}") if command else (event.id,)


class PublishedEvents:
    """The events of a partition in the order of its log."""

    def __init__(self, events: Iterable[PublishedEvent] = ()) -> None:
        self._names: dict[str, None] = {}
        self.last: dict[bytes, PublishedEvent] = {}
        """The last word on each alert, by key."""
        self.newest = 0
        """The greatest outbox number."""
        for event in events:
            self.add(event)

    def add(self, event: PublishedEvent) -> None:
        """It was published."""
        for name in names_of(event.event):
            self._names[name] = None
        while len(self._names) > KEPT_IDS:
            del self._names[next(iter(self._names))]
        self.last[event.key] = event
        self.newest = max(self.newest, event.seq)

    def has(self, event: AlertEvent) -> bool:
        """Whether it, or another word on the same, was published."""
        return any(name in self._names for name in names_of(event))
