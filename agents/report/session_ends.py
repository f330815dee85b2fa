"""The sessions of an index that the readings topic still holds, each by its last reading."""

from datetime import time, timedelta

from agents.lookup.readings_log import ReadingsLog
from config.settings import Settings
from streams.calendar.sessions import wall_ns
from streams.catalogue.measures import RULE_TENOR
from streams.detection.alerts.events import moment
from streams.reading import Reading

KEPT = 7
"""Sessions looked back: the readings topic keeps seven days."""


def last_readings(settings: Settings, index: str) -> list[Reading]:
    """The last reading of each session that is kept, oldest first.

    Raises `UnavailableError`, `ActionNeededError`.
    """
    found: list[Reading] = []
    with ReadingsLog(settings, index, RULE_TENOR) as log:
        last = log.latest()
        while last is not None and len(found) < KEPT:
            found.append(last)
            # Its readings are all of one day in New York.
            begins = moment(wall_ns(last.session, time(0)))
            last = log.latest(begins - timedelta(seconds=1))
    return found[::-1]
