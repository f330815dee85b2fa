"""Seasonality: parts of the session and of the quarter with habits of their own.

In them levels and moves differ by habit, not by news.

Source: methodology, "False-positive controls and gates": separate baselines for the first and the
last half hour that are evaluated, and the earnings cycle, in which basket vol less index vol is 2
to 3 points high in weeks 1 to 4 of a quarter.
"""

from datetime import date
from typing import Literal

from streams.calendar.sessions import evaluation_window
from streams.records import NS

Part = Literal["opening", "middle", "closing"]
HALF_HOUR = 30 * 60 * NS


def part_of_session(ts: int, session: date) -> Part:
    """Where `ts` (nanoseconds) lies in the evaluated hours.

    Before 10:15 ET, from half an hour before the close on, or between.

    >>> from datetime import UTC, datetime
    >>> walls = ((14, 14, 59), (14, 15), (19, 29, 59), (19, 30))
    >>> at = [datetime(2026, 7, 13, *wall, tzinfo=UTC).timestamp() for wall in walls]
    >>> [part_of_session(int(second) * NS, date(2026, 7, 13)) for second in at]
    ['opening', 'middle', 'middle', 'closing']
    """
    first, last = evaluation_window(session)
    if ts < first + HALF_HOUR:
        return "opening"
    return "closing" if ts >= last - HALF_HOUR else "middle"


def quarter_week(session: date) -> int:
    """Week of the calendar quarter, 1 to 14: the first seven days are week 1.

    >>> july = [quarter_week(date(2026, 7, day)) for day in (1, 7, 8, 28, 29)]
    >>> july, quarter_week(date(2026, 12, 31))
    ([1, 1, 2, 4, 5], 14)
    """
    first = date(session.year, session.month - (session.month - 1) % 3, 1)
    return (session - first).days // 7 + 1
