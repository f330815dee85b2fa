"""Watching the monitor from outside: the snapshots in Redis and the alerts topic.

Both are gathered into what the board shows.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from time import time

from agents.alerts.tail import tail_alerts
from agents.lookup.board import IDLE, AlertLine, BoardState, Progress
from agents.monitoring.freshness import ALLOWED, event_time
from agents.store.keys import readings
from agents.store.shown_snapshot import UnreadableError, shown_snapshot
from agents.store.sync import connect_sync
from config.settings import Settings
from streams.catalogue.measures import HEADLINES, RULE_TENOR
from streams.detection.own_reading import own_reading
from streams.reading import Reading
from streams.refusals.dead_letters import RejectedRecordError

HISTORY = 200


class MonitorWatcher:
    """One index, looked at as often as `state` is called.

    Alert events are collected from the moment of `start`.
    """

    def __init__(
        self, settings: Settings, index: str, title: str, delay: float | None = None
    ) -> None:
        """`delay` is how far the feed is behind by its own word, seconds."""
        self._settings = settings
        self._delay = delay
        self._index = index
        self._title = title
        self._prefix = settings.kafka.topic_prefix
        self._redis = connect_sync(settings.redis)
        self._events: deque[AlertLine] = deque()
        self._thread = threading.Thread(target=self._collect, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin to read the alerts topic, from its beginning."""
        self._thread.start()

    @property
    def events(self) -> list[AlertLine]:
        """Every transition seen so far, oldest first."""
        return list(self._events)

    def readings(self) -> list[Reading]:
        """The latest readings, oldest first."""
        values: list[bytes] = self._redis.zrange(
            readings(self._prefix, self._index, RULE_TENOR), -HISTORY, -1
        )  # type: ignore[assignment]
        return [
            reading for value in values if (reading := _reading(value, self._index)) is not None
        ]

    def state(self, progress: Progress = IDLE, notes: Sequence[str] = ()) -> BoardState:
        """What the board shows now."""
        try:
            found = shown_snapshot(self._redis, self._prefix, self._index)
        except UnreadableError:
            found = None
        blank = BoardState(
            self._title,
            self._index,
            self._settings.mode,
            delay_seconds=self._delay,
            progress=progress,
            notes=notes,
        )
        if found is None:
            return blank
        shown, published = found
        latest, known = shown.readings.get(RULE_TENOR), self.readings()
        now, at = time(), event_time(shown.readings)
        told = at is not None and shown.mode in ALLOWED
        return replace(
            blank,
            mode=shown.mode,
            event_time=latest.ts_event if latest else None,
            age_seconds=now - published,
            event_age_seconds=now - at.timestamp() if told and at else None,
            coverage=latest.coverage if latest else None,
            regime=shown.regime,
            history={
                one.field: [getattr(reading, one.field) for reading in known] for one in HEADLINES
            },
            ranks={
                name: (rank, window)
                for name, ranks in shown.percentiles.items()
                for window, rank in ranks.items()
            },
            alerts=[
                AlertLine(a.starts_at, f"{a.rule} {a.scope}", a.severity, a.status, a.summary)
                for a in shown.alerts
            ],
        )

    def _collect(self) -> None:
        for _, event in tail_alerts(self._settings, from_beginning=True):
            if (data := event.data) is not None:
                rule = f"{data.rule} {data.labels.get('scope', '')}"
                line = AlertLine(event.time, rule, data.severity, data.status, data.summary)
                self._events.append(line)


def _reading(value: bytes, index: str) -> Reading | None:
    try:
        return own_reading(value, {index})
    except RejectedRecordError:
        return None
