"""The current state of each alert of a partition, as it was published."""

from agents.alerts.published_events import PublishedEvent, PublishedEvents
from agents.alerts.tombstones import KEEP_SECONDS, Tombstones
from streams.detection.alerts.alert_event import AlertEvent


class CurrentStates:
    """What the compacted topic says of each alert."""

    def __init__(self) -> None:
        self.tombstones = Tombstones()
        self._ids: dict[bytes, str] = {}

    def update(self, key: bytes, event: AlertEvent, when: float) -> None:
        """The latest event of an alert, published at this Unix time."""
        self._ids[key] = event.id
        self.tombstones.published(key, event.data.status, when)

    def forget(self, key: bytes) -> None:
        """A tombstone was read."""
        self._ids.pop(key, None)
        self.tombstones.published(key, None, 0.0)

    def hide(self, key: bytes) -> None:
        """A record that is not ours hides what stood under a key."""
        self._ids.pop(key, None)

    def behind(self, published: PublishedEvents, now: float) -> list[PublishedEvent]:
        """The last words of the log that do not stand here.

        What was resolved a day ago need not stand here.
        """
        return [
            last
            for key, last in published.last.items()
            if self._ids.get(key) != last.event.id
            and not (last.event.data.status == "resolved" and now - last.published >= KEEP_SECONDS)
        ]
