"""The calendar of the settings as an exporter has it: read again when its file has changed."""

import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from pathlib import Path

from config.errors import ConfigError
from config.event_calendars import load_events
from streams.report.calendar_section import Event, sessions_to_next

log = logging.getLogger(__name__)


class EventCalendar:
    """Events by rule, and those of a file if there is one.

    A file that cannot be read leaves those by rule, and is told once for each of its states.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._read_at: float | None = None
        """Time of change of the file that was read; -1 where there was none."""
        self._events: tuple[Event, ...] = ()

    def ahead(self, session: date, names: AbstractSet[str]) -> Mapping[str, int]:
        """Kind → sessions to its next event; an event of a name counts for one of `names`."""
        self._refresh()
        ours = (one for one in self._events if not one.symbol or one.symbol in names)
        return sessions_to_next(session, ours)

    def _refresh(self) -> None:
        file = self._file
        if file is None:
            return
        changed = _changed_at(file)
        if changed == self._read_at:
            return
        self._read_at = changed
        try:
            self._events = load_events(file)
        except ConfigError as error:
            self._events = ()
            log.warning("%s; the next events are those by rule alone", error)


def _changed_at(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return -1.0
