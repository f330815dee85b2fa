"""Times that name an interval by its beginning: bars, and quotes or trades rounded down to a grid.

What such a row says was known only at the end of its interval. Used as they stand, the times would
let every value look ahead by up to one interval.
"""

import numpy as np
from numpy.typing import NDArray

from streams.calendar.sessions import date_of, is_session, open_ns, session_days
from streams.records import NS

LONGEST = 3_600 * NS
"""Rows further apart than an hour are not bars."""


def known_at(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """When n rows of a file were known, nanoseconds.

    The length of the interval is added where the times are its beginnings. They are when all lie
    on one grid of a second to an hour and some session has one at or before its open: nothing had
    traded by then, so such a row can only be about what followed. Bars stamped at their end begin
    one interval after the open.

    >>> nine_thirty = open_ns(date_of(20_644))
    >>> minutes = nine_thirty + 60 * NS * np.arange(3)
    >>> later = minutes[1:]
    >>> ((known_at(minutes) - minutes) // NS).tolist(), ((known_at(later) - later) // NS).tolist()
    ([60, 60, 60], [0, 0])
    """
    distinct = np.unique(stamps)
    if distinct.size < 2 or (distinct % NS).any():
        return stamps
    grid = int(np.gcd.reduce(np.diff(distinct)))
    if grid > LONGEST or not _before_open(distinct):
        return stamps
    return stamps + grid


def _before_open(distinct: NDArray[np.int64]) -> bool:
    days, first = np.unique(session_days(distinct), return_index=True)
    return any(
        is_session(date_of(day)) and stamp <= open_ns(date_of(day))
        for day, stamp in zip(days.tolist(), distinct[first].tolist(), strict=True)
    )
