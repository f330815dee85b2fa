"""When the silence of a source means that it is idle, and when it only means that the market or the source is away."""

from streams.records import NS
from streams.sessions import close_ns, open_ns, previous_session, session_of

AFTER_CLOSE = 60 * NS
"""The session's last second closes within this time."""


def idle_counts(now: int, last_event: int | None) -> bool:
    """Whether a source that is silent at wall time `now` (ns) may be declared idle.

    Only in the session's hours, and not when its last event is older than the previous session: such a source is
    working off a backlog of another day, and silence says nothing about today.
    """
    session = session_of(now)
    if session is None or not open_ns(session) <= now <= close_ns(session) + AFTER_CLOSE:
        return False
    if last_event is None:
        return True
    spoke = session_of(last_event)
    return spoke is not None and spoke >= previous_session(session)
