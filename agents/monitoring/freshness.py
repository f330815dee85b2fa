"""How old what is shown is.

The age runs from when a reading was published and, where event time is now, from its event time.
"""

from collections.abc import Mapping
from datetime import datetime

from streams.market import Mode
from streams.reading import Reading

USUAL_DELAY = 900.0
"""Seconds of a delayed feed, at least."""
DELAY_SECONDS = 1_200.0
"""How far a delayed feed may be behind the wall before its readings count as old."""
ALLOWED: Mapping[Mode, float] = {"live": 0.0, "delayed": DELAY_SECONDS}
"""Seconds that event time may be behind, by mode.

In the other modes event time has nothing to do with the wall's.
"""


STALE_SECONDS = 15.0
LONGEST_REFRESH = 300.0


def stale_after(refresh_seconds: float | None) -> float:
    """Age in seconds at which a reading is stale; of a slow source its refresh is added.

    Between two sweeps nothing new can come, and readings are repeated every 300 s at the latest.

    >>> stale_after(None), stale_after(120.0), stale_after(86_400.0)
    (15.0, 135.0, 315.0)
    """
    return STALE_SECONDS + min(refresh_seconds or 0.0, LONGEST_REFRESH)


def event_time(readings: Mapping[str, Reading]) -> datetime | None:
    """Event time of the newest reading of a snapshot."""
    return max((reading.ts_event for reading in readings.values()), default=None)


def age_seconds(mode: Mode, event: datetime | None, published: float, now: float) -> float:
    """Age of a reading at a time (Unix seconds).

    It counts since its event or since its publication, whichever is longer.
    In replay and scenario mode the publication alone counts.
    """
    if mode in ALLOWED and event is not None:
        return now - min(published, event.timestamp())
    return now - published


def fresh_from(mode: Mode, event: datetime | None, published: float) -> float:
    """The time (Unix seconds) from which staleness is counted.

    It is the age's, less what the mode allows event time to be behind.
    """
    if mode in ALLOWED and event is not None:
        return min(published, event.timestamp() + ALLOWED[mode])
    return published
