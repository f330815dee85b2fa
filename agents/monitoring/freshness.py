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


def allowed_refresh(mode: Mode, refresh_seconds: float | None) -> float:
    """Seconds that a reading of a slow source may be older than others; 0 for a stream of quotes.

    Between two sweeps nothing new can come, and readings are repeated every 300 s at the latest.
    In replay and scenario mode a refresh is none of the wall's time.

    >>> [allowed_refresh("live", seconds) for seconds in (None, 120.0, 86_400.0)]
    [0.0, 120.0, 300.0]
    >>> allowed_refresh("replay", 86_400.0)
    0.0
    """
    return min(refresh_seconds or 0.0, LONGEST_REFRESH) if mode in ALLOWED else 0.0


def stale_after(mode: Mode, refresh_seconds: float | None) -> float:
    """Age in seconds at which a reading is stale; of a slow source its refresh is added.

    >>> stale_after("live", None), stale_after("delayed", 120.0)
    (15.0, 135.0)
    """
    return STALE_SECONDS + allowed_refresh(mode, refresh_seconds)


def fresh(stale_seconds: float, limit: float = STALE_SECONDS) -> bool:
    """Whether a number may be shown: the one rule of the wall, `status` and `top`.

    `stale_seconds` run from `fresh_from`; `limit` is that of `stale_after`.

    >>> [fresh(seconds, 15.0) for seconds in (14.9, 15.0)]
    [True, False]
    """
    return stale_seconds < limit


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
