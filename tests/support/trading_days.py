"""The sessions of a span of dates."""

from datetime import date, timedelta

from streams.calendar.sessions import is_session


def sessions_in(first: date, last: date) -> tuple[date, ...]:
    """All sessions from one date to another, both included."""
    days = (first + timedelta(days=at) for at in range((last - first).days + 1))
    return tuple(day for day in days if is_session(day))
