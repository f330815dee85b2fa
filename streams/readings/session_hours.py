"""The hours of one session, as the cross-section uses them."""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from streams.calendar import sessions


class SessionHours(NamedTuple):
    """Times in ns."""

    session: date
    open: int
    equity_close: int
    """16:00 ET, 13:00 on half days: the end of single-name options and of the price grid."""
    close: int
    """16:15 ET, 13:15 on half days: the session's last second."""

    def evaluates(self, boundary: int) -> bool:
        """Whether second `boundary` can give a reading: 09:30 < T <= 16:15 ET."""
        return self.open < boundary <= self.close

    def bars(self, length: int) -> int:
        """Bars of this length between the open and the equity close."""
        return (self.equity_close - self.open) // length


@lru_cache(maxsize=128)
def hours_on(session: date) -> SessionHours:
    """The hours of a session."""
    return SessionHours(
        session,
        sessions.open_ns(session),
        sessions.equity_close_ns(session),
        sessions.close_ns(session),
    )


def hours_at(ns: int) -> SessionHours | None:
    """The session whose New York date contains a time; None on weekends and holidays."""
    session = sessions.session_of(ns)
    return None if session is None else hours_on(session)
