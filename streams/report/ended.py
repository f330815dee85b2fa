"""Whether a session is over, so that its report can be made."""

from typing import Final

from streams.calendar.sessions import close_ns
from streams.reading import Reading
from streams.records import NS

CLOSING: Final = "session_close"
OF_NOW: Final = frozenset({"live", "delayed"})
"""Modes whose event time is near the clock's."""


def has_ended(last: Reading, newest: Reading) -> bool:
    """Whether a session's last reading is its closing one, or one of a later session is there."""
    return CLOSING in last.flags or newest.session > last.session


def is_overdue(last: Reading, now: int, seconds: float) -> bool:
    """Whether, by the clock (ns), the session closed so many seconds ago; never of a replay."""
    return last.mode in OF_NOW and now > close_ns(last.session) + round(seconds * NS)
