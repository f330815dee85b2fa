"""When the silence of a source means that it is idle.

Silence may also mean only that the market or the source is away.
"""

from collections.abc import Sequence
from datetime import date, datetime

from streams.calendar.sessions import EASTERN, close_ns, open_ns, previous_session, session_of
from streams.points import DECLARED
from streams.records import NS
from streams.stage import Message

RENEW_SECONDS = 0.5
"""How often the owner of an idle source says that it still hears nothing."""
AFTER_CLOSE = 60 * NS
"""The session's last second closes within this time."""


def may_declare_idle(now: int, last_event: int | None) -> bool:
    """Whether a source that is silent at wall time `now` (ns) may be declared idle.

    Only in the session's hours, and not when its last event is older than the previous session.
    Such a source is working off a backlog of another day, and silence says nothing about today.
    """
    session = session_of(now)
    if session is None or not open_ns(session) <= now <= close_ns(session) + AFTER_CLOSE:
        return False
    if last_event is None:
        return True
    spoke = session_of(last_event)
    return spoke is not None and spoke >= previous_session(session)


def declared(messages: Sequence[Message], now: int) -> list[Message]:
    """Idle frames with the word of an owner that will repeat them, and its session.

    The session is that at wall time `now` (ns).
    """
    session: date = datetime.fromtimestamp(now / NS, EASTERN).date()
    header = (DECLARED, session.isoformat().encode())
    return [
        message._replace(headers=(*message.headers, header))
        if message.role == "points"
        else message
        for message in messages
    ]
